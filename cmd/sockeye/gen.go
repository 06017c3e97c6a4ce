package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
)

func genCommand(stdout io.Writer) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "gen PACKAGE.VARIABLE",
		Short: "Write TypeScript for the events of a Go program",
		Long: `gen writes the TypeScript of a socketio.Contract: the type parameters that
socket.io-client takes. The variable is an exported one, the package a path as
the go command takes it.`,
		Example: `  sockeye gen ./chat.Events                           to standard output
  sockeye gen -o web/events.ts ./chat.Events          to a file
  sockeye gen -o web/events.ts --check ./chat.Events  only says whether the file is up to date, for CI`,
		Args: cobra.ExactArgs(1),
	}
	out := cmd.Flags().StringP("output", "o", "", "write to this `file` instead of standard output")
	check := cmd.Flags().Bool("check", false, "with -o: only say whether the file is up to date")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return gen(cmd.Context(), args[0], *out, *check, stdout)
	}
	return cmd
}

// gen writes the TypeScript of a Contract. The variable is in a program of the
// user's, so a program that imports it has to be built: by the go command, which
// gen calls.
func gen(ctx context.Context, name, out string, check bool, stdout io.Writer) error {
	pkg, variable, ok := cutLast(name, ".")
	if !ok || !token.IsExported(variable) {
		return cli.Usagef("name a package and an exported variable of it, such as ./chat.Events", "%q is no exported variable", name)
	}
	if check && out == "" {
		return cli.Usagef("add -o FILE", "--check needs a file to look at")
	}
	text, err := typescriptOf(ctx, pkg, variable)
	if err != nil {
		return failed(err)
	}
	switch {
	case out == "":
		_, err = stdout.Write(text)
	case check:
		var have []byte
		if have, err = os.ReadFile(out); err == nil && !bytes.Equal(have, text) {
			err = cli.Failf(fmt.Sprintf("run sockeye gen -o %s %s", out, name), "%s is stale", out)
		}
	default:
		err = os.WriteFile(out, text, 0o644)
	}
	return failed(err)
}

// failed marks an error as one of the work, not of the command line.
func failed(err error) error {
	if _, ok := errors.AsType[*cli.Error](err); ok || err == nil {
		return err
	}
	return &cli.Error{Code: cli.No, Err: err}
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
