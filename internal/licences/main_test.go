package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestCollect collects what the released binary has to carry.
func TestCollect(t *testing.T) {
	text, err := collect("../../cmd/sockeye")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\nGo 1.", "\ngithub.com/spf13/cobra v1.", "\n--- PATENTS ---\n", "Apache License", "\ngithub.com/inconshreveable/mousetrap v"} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("%q is not there", want)
		}
	}
	if bytes.Contains(text, []byte("\ngithub.com/sockeye-go/")) {
		t.Error("our own licence is among those of others")
	}
}

// TestNoLicence: a module without one is an error, and not handed out.
func TestNoLicence(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":      "module example.com/m\n\ngo 1.26\n\nrequire example.com/bare v0.0.0\n\nreplace example.com/bare => ./bare\n",
		"m.go":        "package main\n\nimport _ \"example.com/bare\"\n\nfunc main() {}\n",
		"bare/go.mod": "module example.com/bare\n\ngo 1.26\n",
		"bare/b.go":   "package bare\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	if out, err := exec.Command("go", "build", "./...").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, err := collect("."); err == nil {
		t.Error("no error")
	}
}
