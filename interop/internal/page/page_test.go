package page

import (
	"os"
	"testing"
)

func TestPage(t *testing.T) {
	p := Page{Head: "# Title\n\nText.\n", Parts: []string{"One", "Two"}}
	path := t.TempDir() + "/page.md"
	for _, step := range []struct{ part, text, want string }{
		{"Two", "second\n", "# Title\n\nText.\n\n## Two\n\nsecond\n"},
		{"One", "\nfirst\n\nmore", "# Title\n\nText.\n\n## One\n\nfirst\n\nmore\n\n## Two\n\nsecond\n"},
		{"Two", "again", "# Title\n\nText.\n\n## One\n\nfirst\n\nmore\n\n## Two\n\nagain\n"},
	} {
		if err := p.Write(path, step.part, step.text); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != step.want {
			t.Errorf("with %s: %q, %v; want %q", step.part, got, err, step.want)
		}
	}
}
