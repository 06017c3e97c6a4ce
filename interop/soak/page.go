package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// A page is what is written: a part for each thing that was measured, each with its own
// date.
type page struct {
	names []string
	parts map[string]*strings.Builder
}

const title = "# Soak\n\n`make soak` writes this page, with `ARGS=\"-only neighbours\"` or `ARGS=\"-only load\"` one part of it.\n"

// readPage reads the page that there is, if there is one.
func readPage(path string) *page {
	p := &page{names: []string{"Bad neighbours", "Load"}, parts: make(map[string]*strings.Builder)}
	b, err := os.ReadFile(path)
	if err != nil {
		return p // the first
	}
	for i, part := range strings.Split(string(b), "\n## ") {
		if name, text, ok := strings.Cut(part, "\n\n"); ok && i > 0 && slices.Contains(p.names, name) {
			p.parts[name] = new(strings.Builder)
			p.parts[name].WriteString(strings.TrimRight(text, "\n") + "\n")
		}
	}
	return p
}

// section begins a part anew.
func (p *page) section(name string) *strings.Builder {
	b := new(strings.Builder)
	fmt.Fprintf(b, "%s, %s, %d cores.\n", time.Now().UTC().Format("2006-01-02 15:04"), runtime.Version(), runtime.NumCPU())
	p.parts[name] = b
	return b
}

func (p *page) String() string {
	s := title
	for _, name := range p.names {
		if b := p.parts[name]; b != nil {
			s += "\n## " + name + "\n\n" + strings.TrimRight(b.String(), "\n") + "\n"
		}
	}
	return s
}

func (p *page) write(path string) error {
	if path == "" {
		fmt.Print(p)
		return nil
	}
	return os.WriteFile(path, []byte(p.String()), 0o644)
}
