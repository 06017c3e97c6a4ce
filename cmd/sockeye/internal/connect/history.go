package connect

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
)

// maxHistory is how many lines are kept.
const maxHistory = 1000

// history is what was typed, kept in a file that others may not read.
type history struct {
	path  string   // "" keeps nothing
	lines []string // oldest first
}

// historyPath is where history is kept by the conventions of the system.
func historyPath() string {
	dir := os.Getenv("XDG_STATE_HOME")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "sockeye", "history")
}

// loadHistory reads the file and shortens it when it has grown to twice its size.
func loadHistory(path string) *history {
	h := &history{path: path}
	f, err := os.Open(path)
	if err != nil {
		return h
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	n := 0
	for in.Scan() {
		h.keep(in.Text())
		n++
	}
	if n > 2*maxHistory {
		text := strings.Join(h.lines, "\n") + "\n"
		if os.WriteFile(path+".new", []byte(text), 0o600) == nil {
			_ = os.Rename(path+".new", path)
		}
	}
	return h
}

func (h *history) keep(entry string) {
	h.lines = append(h.lines, entry)
	if len(h.lines) > maxHistory {
		h.lines = h.lines[1:]
	}
}

// Add implements term.History. A line that begins with a space is not kept, as in
// a shell, nor is one that repeats the last.
func (h *history) Add(entry string) {
	if strings.TrimSpace(entry) == "" || entry[0] == ' ' || len(h.lines) > 0 && h.lines[len(h.lines)-1] == entry {
		return
	}
	h.keep(entry)
	if h.path == "" {
		return
	}
	// That it cannot be kept is no reason to bother anybody.
	if os.MkdirAll(filepath.Dir(h.path), 0o700) != nil {
		return
	}
	f, err := os.OpenFile(h.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	_, _ = f.WriteString(entry + "\n")
}

// Len implements term.History.
func (h *history) Len() int { return len(h.lines) }

// At implements term.History: 0 is the last line.
func (h *history) At(i int) string { return h.lines[len(h.lines)-1-i] }

// search returns the line with text in it that comes before the nth from the end.
func (h *history) search(text string, n int) (string, int, bool) {
	for i := n; i < h.Len(); i++ {
		if strings.Contains(h.At(i), text) {
			return h.At(i), i + 1, true
		}
	}
	return "", n, false
}
