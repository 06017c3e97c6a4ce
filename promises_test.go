package socketio_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPromises: each test that docs/guarantees.md and SECURITY.md name as the
// proof of something exists.
func TestPromises(t *testing.T) {
	declared := regexp.MustCompile(`(?m)^func (Test\w+|Fuzz\w+)\(`)
	tests := make(map[string]bool)
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && d.Name() == "node_modules" {
			if d != nil && d.Name() == "node_modules" {
				return fs.SkipDir
			}
			return err
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		b, err := os.ReadFile(path)
		for _, m := range declared.FindAllStringSubmatch(string(b), -1) {
			tests[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`")
	for _, doc := range []string{"docs/guarantees.md", "SECURITY.md"} {
		b, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		found := named.FindAllStringSubmatch(string(b), -1)
		if len(found) < 10 {
			t.Errorf("%s names only %d tests", doc, len(found))
		}
		for _, m := range found {
			if !tests[m[1]] {
				t.Errorf("%s names %s, which is no test", doc, m[1])
			}
		}
	}
}
