package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// gen writes the TypeScript of a Contract. The variable is in a program of the
// user's, so a program that imports it has to be built: by the go command, which
// gen calls.
func gen(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("gen", flag.ContinueOnError)
	flags.SetOutput(stderr)
	out := flags.String("o", "", "write to this `file` instead of standard output")
	check := flags.Bool("check", false, "with -o: only say whether the file is up to date")
	flags.Usage = func() {
		fmt.Fprint(stderr, "usage: sockeye gen [-o FILE [-check]] PACKAGE.VARIABLE\n\n"+
			"The variable is an exported socketio.Contract, the package a path as the go command\ntakes it: sockeye gen -o web/events.ts ./chat.Events\n\n")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return 2
	}
	pkg, variable, ok := cutLast(flags.Arg(0), ".")
	if flags.NArg() != 1 || !ok || !token.IsExported(variable) || *check && *out == "" {
		flags.Usage()
		return 2
	}
	text, err := typescriptOf(ctx, pkg, variable)
	if err != nil {
		fmt.Fprintln(stderr, "sockeye gen:", err)
		return 1
	}
	switch {
	case *out == "":
		_, err = stdout.Write(text)
	case *check:
		var have []byte
		if have, err = os.ReadFile(*out); err == nil && !bytes.Equal(have, text) {
			err = fmt.Errorf("%s is stale: run sockeye gen -o %s %s", *out, *out, flags.Arg(0))
		}
	default:
		err = os.WriteFile(*out, text, 0o644)
	}
	if err != nil {
		fmt.Fprintln(stderr, "sockeye gen:", err)
		return 1
	}
	return 0
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

const genProgram = `package main

import (
	"log"
	"os"

	contract %q
)

func main() {
	log.SetFlags(0)
	if err := contract.%s.WriteTypeScript(os.Stdout); err != nil {
		log.Fatal(err)
	}
}
`

// typescriptOf runs a program that imports the package. To be allowed to import it
// even if it is internal, the program has its place beside it, but only for the go
// command: nothing is written into the user's tree.
func typescriptOf(ctx context.Context, pkg, variable string) ([]byte, error) {
	listed, err := goCommand(ctx, "list", "-f", "{{.ImportPath}}\n{{.Name}}\n{{.Dir}}", pkg)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSpace(string(listed)), "\n")
	if len(lines) != 3 {
		return nil, fmt.Errorf("%s is more than one package", pkg)
	}
	path, name, dir := lines[0], lines[1], lines[2]
	if name == "main" {
		return nil, fmt.Errorf("%s is a program, which nothing can import: move the contract to a package of its own", path)
	}
	temp, err := os.MkdirTemp("", "sockeye-gen-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp)
	program := filepath.Join(temp, "main.go")
	if err := os.WriteFile(program, fmt.Appendf(nil, genProgram, path, variable), 0o600); err != nil {
		return nil, err
	}
	place := filepath.Join(dir, "sockeye_gen_program", "main.go")
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{place: program}})
	if err != nil {
		return nil, err
	}
	overlayFile := filepath.Join(temp, "overlay.json")
	if err := os.WriteFile(overlayFile, overlay, 0o600); err != nil {
		return nil, err
	}
	return goCommand(ctx, "run", "-overlay", overlayFile, place)
}

func goCommand(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return stdout.Bytes(), nil
}
