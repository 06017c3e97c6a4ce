package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
)

// A state is what a check came to.
type state string

const (
	good    state = "ok"
	warning state = "warning"
	bad     state = "failed"
	skipped state = "skipped"
)

// A verdict is what a check found, in words, and what mends it.
type verdict struct {
	Check string  `json:"check"`
	State state   `json:"state"`
	Says  string  `json:"says"`
	Why   string  `json:"why,omitempty"`
	Mend  []mend  `json:"mend,omitempty"`
	MS    float64 `json:"ms"`

	fatal bool // nothing behind it can be tried
}

// A mend is lines of configuration, and where they go.
type mend struct {
	Where string `json:"where"`
	Lines string `json:"lines"`
}

func ok(format string, args ...any) verdict {
	return verdict{State: good, Says: fmt.Sprintf(format, args...)}
}

func warn(why, format string, args ...any) verdict {
	return verdict{State: warning, Says: fmt.Sprintf(format, args...), Why: why}
}

func fail(why, format string, args ...any) verdict {
	return verdict{State: bad, Says: fmt.Sprintf(format, args...), Why: why}
}

func skip(format string, args ...any) verdict {
	return verdict{State: skipped, Says: fmt.Sprintf(format, args...)}
}

func (v verdict) with(mends ...mend) verdict {
	v.Mend = mends
	return v
}

// A report is all verdicts on a server.
type report struct {
	URL      string    `json:"url"`
	Path     string    `json:"path"`
	Revision int       `json:"revision,omitempty"` // of Engine.IO, that was used
	Proxy    string    `json:"proxy,omitempty"`    // what the Server and Via headers say
	OK       bool      `json:"ok"`
	Verdicts []verdict `json:"verdicts"`
}

// code is 0 if nothing failed, 2 if there is no server to speak of.
func (r *report) code() int {
	code := cli.OK
	for _, v := range r.Verdicts {
		switch {
		case v.State == bad && v.fatal:
			return cli.Unreachable
		case v.State == bad:
			code = cli.No
		}
	}
	return code
}

func (r *report) writeJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}

const nameWidth = 12

// write shows a verdict to a person.
func (v verdict) write(w io.Writer, s cli.Style) {
	mark, colour := "✓", s.Green
	switch v.State {
	case warning:
		mark, colour = "!", s.Yellow
	case bad:
		mark, colour = "✗", s.Red
	case skipped:
		mark, colour = "–", s.Dim
	}
	fmt.Fprintf(w, "%s %-*s %s\n", colour(mark), nameWidth, v.Check, cli.Printable(v.Says))
	in := strings.Repeat(" ", nameWidth+3)
	for line := range strings.Lines(wrap(v.Why, 80)) {
		fmt.Fprintf(w, "%s%s\n", in, s.Dim(strings.TrimSuffix(line, "\n")))
	}
	for _, m := range v.Mend {
		fmt.Fprintf(w, "%s%s\n", in, s.Bold(m.Where+":"))
		for line := range strings.Lines(m.Lines) {
			fmt.Fprintf(w, "%s  %s\n", in, s.Cyan(strings.TrimSuffix(line, "\n")))
		}
	}
}

// wrap breaks a text into lines of at most width.
func wrap(text string, width int) string {
	var b strings.Builder
	n := 0
	for _, word := range strings.Fields(cli.Printable(text)) {
		if n > 0 && n+1+len(word) > width {
			b.WriteByte('\n')
			n = 0
		} else if n > 0 {
			b.WriteByte(' ')
			n++
		}
		b.WriteString(word)
		n += len(word)
	}
	return b.String()
}

func (r *report) summary(s cli.Style) string {
	failed, warned := 0, 0
	for _, v := range r.Verdicts {
		switch v.State {
		case bad:
			failed++
		case warning:
			warned++
		}
	}
	switch {
	case failed > 0:
		return s.Red(fmt.Sprintf("%d of %d checks failed", failed, len(r.Verdicts)))
	case warned > 0:
		return s.Yellow(fmt.Sprintf("it works; %d of %d checks have something to say", warned, len(r.Verdicts)))
	}
	return s.Green("nothing is wrong")
}
