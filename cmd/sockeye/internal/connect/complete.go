package connect

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
)

// complete returns what the text before the cursor can become.
func (s *shell) complete(before string) []string {
	command, rest, found := strings.Cut(before, " ")
	if !found {
		var list []string
		for _, w := range words {
			if strings.HasPrefix(w.name, command) {
				list = append(list, w.name+" ")
			}
		}
		return list
	}
	if i := strings.LastIndexByte(rest, ' '); strings.HasPrefix(rest[i+1:], "@") {
		return completeFile(before[:len(before)-len(rest)+i+2], rest[i+2:])
	}
	switch command {
	case "emit", "call", "on", "off":
	default:
		return nil
	}
	s.mu.Lock()
	names := slices.Clone(s.seen)
	s.mu.Unlock()
	slices.Sort(names)
	var list []string
	for _, n := range names {
		if written := writeName(n); strings.HasPrefix(written, rest) || strings.HasPrefix(n, rest) {
			list = append(list, command+" "+written+" ")
		}
	}
	return list
}

// writeName is a name as a line has it: with quotes if it needs them.
func writeName(n string) string {
	if strings.ContainsAny(n, " \t\"'") || n != cli.Printable(n) {
		return quote(n)
	}
	return n
}

func completeFile(before, path string) []string {
	matches, _ := filepath.Glob(escapeGlob(path) + "*")
	list := make([]string, 0, len(matches))
	for _, m := range matches {
		if info, err := os.Stat(m); err == nil && info.IsDir() {
			m += string(filepath.Separator)
		}
		list = append(list, before+m)
	}
	return list
}

func escapeGlob(path string) string {
	return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// common returns the longest beginning that all share.
func common(list []string) string {
	prefix := list[0]
	for _, s := range list[1:] {
		for !strings.HasPrefix(s, prefix) {
			prefix = prefix[:len(prefix)-1]
		}
	}
	return strings.ToValidUTF8(prefix, "")
}
