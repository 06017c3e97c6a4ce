package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
)

// manDate is what the pages are dated with, so that the same source makes the
// same pages.
var manDate = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

func manCommand(stdout io.Writer) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "man [COMMAND]",
		Short: "Print the manual page of a command",
		Example: `  sockeye man connect | man -l -
  sudo sockeye man --dir /usr/local/share/man/man1`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, c := range cmd.Root().Commands() {
				names = append(names, c.Name()+"\t"+c.Short)
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			root.DisableAutoGenTag = true
			header := &doc.GenManHeader{Section: "1", Source: "sockeye", Manual: "sockeye", Date: &manDate}
			if dir != "" {
				if len(args) > 0 {
					return cli.Usagef("leave the command out", "--dir writes the pages of all commands")
				}
				if err := os.MkdirAll(dir, 0o755); err != nil {
					return failed(err)
				}
				return failed(doc.GenManTree(root, header, dir))
			}
			of := root
			for _, c := range root.Commands() {
				if len(args) == 1 && c.Name() == args[0] {
					of = c
				}
			}
			if len(args) == 1 && of == root {
				return fmt.Errorf("there is no command %q", args[0])
			}
			return doc.GenMan(of, header, stdout)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "write the pages of all commands into this folder")
	return cmd
}
