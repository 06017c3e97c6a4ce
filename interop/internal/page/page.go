// Package page writes pages of results in parts, each of which is measured by itself.
package page

import (
	"os"
	"slices"
	"strings"
)

// A Page is one of them: what stands at its head, and the names of its parts in order.
type Page struct {
	Head  string
	Parts []string
}

// With returns the page old with another text for one part; parts of it that have no
// name here are left out.
func (p Page) With(old, part, text string) string {
	texts := map[string]string{}
	for i, s := range strings.Split(old, "\n## ") {
		if name, text, ok := strings.Cut(s, "\n\n"); ok && i > 0 {
			texts[name] = text
		}
	}
	texts[part] = text
	page := strings.TrimRight(p.Head, "\n") + "\n"
	for _, name := range p.Parts {
		if text := strings.Trim(texts[name], "\n"); text != "" {
			page += "\n## " + name + "\n\n" + text + "\n"
		}
	}
	return page
}

// Write is With for a file, which need not be there yet.
func (p Page) Write(path, part, text string) error {
	if !slices.Contains(p.Parts, part) {
		panic("page: no part is called " + part)
	}
	old, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	return os.WriteFile(path, []byte(p.With(string(old), part, text)), 0o644)
}
