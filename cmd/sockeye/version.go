package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// release is the version of a released binary, set by the linker; other builds
// know theirs from the go command.
var release string

func versionCommand(stdout io.Writer) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print which build this is",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(stdout, "sockeye", version())
			return err
		},
	}
}

// version is the version, commit, Go and platform.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return strings.TrimSpace(release + " " + runtime.Version())
	}
	parts := []string{release}
	if release == "" {
		parts[0] = info.Main.Version
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if rev := settings["vcs.revision"]; len(rev) >= 12 {
		text := rev[:12]
		if settings["vcs.modified"] == "true" {
			text += "+changes"
		}
		parts = append(parts, text, settings["vcs.time"])
	}
	return strings.Join(append(parts, info.GoVersion, runtime.GOOS+"/"+runtime.GOARCH), " ")
}
