// Command licences writes the licences of all modules that a program is linked
// from, and of Go itself: what is handed out as a binary has to carry them.
//
//	go run ./internal/licences -o FILE PACKAGE
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

func main() {
	out := flag.String("o", "", "write to this `file`; default standard output")
	flag.Parse()
	text, err := collect(flag.Args()...)
	if err == nil && *out == "" {
		_, err = os.Stdout.Write(text)
	} else if err == nil {
		err = os.WriteFile(*out, text, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

// platforms are those of the releases, whose modules differ.
var platforms = []string{"linux", "darwin", "windows"}

// A module is a part of the output of go list.
type module struct {
	Path, Version, Dir string
	Main               bool
}

// collect returns the licences for packages.
func collect(packages ...string) ([]byte, error) {
	found := map[string]module{"Go": {Path: "Go", Version: strings.TrimPrefix(runtime.Version(), "go"), Dir: runtimeRoot()}}
	for _, goos := range platforms {
		cmd := exec.Command("go", append([]string{"list", "-deps", "-json=Module"}, packages...)...)
		cmd.Env = append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
		cmd.Stderr = os.Stderr
		list, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		for d := json.NewDecoder(bytes.NewReader(list)); ; {
			var p struct{ Module *module }
			if err := d.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return nil, err
			}
			if p.Module != nil && !p.Module.Main {
				found[p.Module.Path] = *p.Module
			}
		}
	}
	var b bytes.Buffer
	b.WriteString("This program contains the following, under the licences that are written below each.\n")
	for _, path := range slices.Sorted(maps.Keys(found)) {
		m := found[path]
		files, err := licenceFiles(m.Dir)
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("%s: no licence in %s", m.Path, m.Dir)
		}
		fmt.Fprintf(&b, "\n%s\n%s %s\n", strings.Repeat("=", 78), m.Path, m.Version)
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(&b, "\n--- %s ---\n\n%s\n", filepath.Base(f), bytes.TrimSpace(text))
		}
	}
	return b.Bytes(), nil
}

// licenceFiles returns the files of a module that have to go with it.
func licenceFiles(dir string) (files []string, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		name := strings.ToUpper(e.Name())
		if e.IsDir() || strings.HasSuffix(name, ".GO") {
			continue
		}
		for _, prefix := range []string{"LICENSE", "LICENCE", "COPYING", "NOTICE", "PATENTS"} {
			if strings.HasPrefix(name, prefix) {
				files = append(files, filepath.Join(dir, e.Name()))
				break
			}
		}
	}
	return files, err
}

// runtimeRoot is where the Go distribution is.
func runtimeRoot() string {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
