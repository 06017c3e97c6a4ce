package cli

import (
	"io"
	"os"

	"golang.org/x/term"
)

// A Style colours text, or leaves it alone.
type Style struct{ on bool }

// Plain colours nothing.
var Plain Style

// Coloured colours always.
var Coloured = Style{on: true}

// StyleOf colours what goes to a terminal, unless NO_COLOR is set
// (https://no-color.org) or TERM is dumb.
func StyleOf(w io.Writer) Style {
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return Plain
	}
	return Style{on: IsTerminal(w)}
}

// IsTerminal reports whether f is a terminal. Anything but an *os.File is none.
func IsTerminal(f any) bool {
	file, ok := f.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// On reports whether there are colours.
func (s Style) On() bool { return s.on }

func (s Style) wrap(code, text string) string {
	if !s.on || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// The colours are those of the terminal's own palette, which fits its background.
func (s Style) Bold(t string) string    { return s.wrap("1", t) }
func (s Style) Dim(t string) string     { return s.wrap("2", t) }
func (s Style) Red(t string) string     { return s.wrap("31", t) }
func (s Style) Green(t string) string   { return s.wrap("32", t) }
func (s Style) Yellow(t string) string  { return s.wrap("33", t) }
func (s Style) Blue(t string) string    { return s.wrap("34", t) }
func (s Style) Magenta(t string) string { return s.wrap("35", t) }
func (s Style) Cyan(t string) string    { return s.wrap("36", t) }
