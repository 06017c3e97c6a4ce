package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
)

// A console is a terminal in raw mode with a line editor. What is written to it
// while a line is edited appears above that line.
type console struct {
	*term.Terminal
	in, out *os.File
	before  *term.State
	resized func()
}

func openConsole(in, out *os.File) (*console, error) {
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return nil, err
	}
	c := &console{in: in, out: out, before: before, Terminal: term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{in, out}, "")}
	enableEscapes(out)
	c.size()
	c.resized = onResize(c.size)
	c.SetBracketedPasteMode(true)
	return c, nil
}

func (c *console) size() {
	if w, h, err := term.GetSize(int(c.out.Fd())); err == nil && w > 0 {
		_ = c.SetSize(w, h)
	}
}

func (c *console) width() int {
	if w, _, err := term.GetSize(int(c.out.Fd())); err == nil && w > 0 {
		return w
	}
	return 80
}

func (c *console) close() {
	c.resized()
	c.SetBracketedPasteMode(false)
	_ = term.Restore(int(c.in.Fd()), c.before)
}

const (
	keyTab   = '\t'
	keyCtrlR = 'R' - 64
)

// edit makes the keys of the line editor complete and search.
func (c *console) edit(s *shell, h *history, style cli.Style) {
	c.History = h
	var searched struct {
		text, shown string
		n           int
	}
	c.AutoCompleteCallback = func(line string, pos int, key rune) (string, int, bool) {
		switch key {
		case keyTab:
			list := s.complete(line[:pos])
			if len(list) == 0 {
				return "", 0, false
			}
			if len(list) > 1 && common(list) == line[:pos] {
				fmt.Fprintln(c, style.Dim("  "+strings.Join(endings(list), "  ")))
			}
			start := common(list)
			if len(start) < pos { // a quote was added
				start = line[:pos]
			}
			return start + line[pos:], len(start), true
		case keyCtrlR:
			if line != searched.shown || line == "" {
				searched.text, searched.n = line, 0
			}
			found, n, ok := h.search(searched.text, searched.n)
			if !ok {
				return line, pos, true
			}
			searched.shown, searched.n = found, n
			return found, len(found), true
		}
		return "", 0, false
	}
}

// endings are the last words of lines that could be.
func endings(list []string) []string {
	short := make([]string, len(list))
	for i, l := range list {
		if _, rest, found := strings.Cut(strings.TrimSpace(l), " "); found {
			l = rest
		}
		short[i] = cli.Printable(strings.TrimSpace(l))
	}
	return short
}

// prompt shows where one is, in the colour of the state.
func (s *shell) prompt(style cli.Style) string {
	place := s.target.URL.Host
	if s.target.Namespace != "/" {
		place += s.target.Namespace
	}
	colour := style.Red
	switch {
	case s.socket.Connected():
		colour = style.Green
	case s.socket.Active():
		colour = style.Yellow
	}
	return colour(cli.Printable(place)+">") + " "
}

// promptSink changes the prompt with the state of the connection.
type promptSink struct {
	c     *console
	s     *shell
	style cli.Style
}

func (p promptSink) put(r record) {
	switch r.Type {
	case typeConnect, typeDisconnect, typeRefused:
		p.c.SetPrompt(p.s.prompt(p.style))
	}
}

// interact reads lines until the user has enough.
func (s *shell) interact(ctx context.Context, c *console, style cli.Style) error {
	c.SetPrompt(s.prompt(style))
	type read struct {
		line string
		err  error
	}
	lines, next := make(chan read), make(chan struct{})
	// The read of a terminal cannot be given up: at the end this stays, and the
	// process with it for as long as it takes to exit.
	go func() {
		for range next {
			line, err := c.ReadLine()
			lines <- read{line, err}
		}
	}()
	defer close(next)
	for {
		next <- struct{}{}
		var r read
		select {
		case r = <-lines:
		case <-ctx.Done():
			go func() { <-lines }()
			return nil
		}
		if r.err != nil && !errors.Is(r.err, term.ErrPasteIndicator) {
			fmt.Fprintln(c)
			if errors.Is(r.err, io.EOF) {
				return nil
			}
			return r.err
		}
		if !utf8.ValidString(r.line) {
			continue
		}
		switch err := s.do(ctx, r.line); {
		case errors.Is(err, errQuit):
			return nil
		case err != nil:
			s.problem("%v", err)
		}
		c.SetPrompt(s.prompt(style))
	}
}
