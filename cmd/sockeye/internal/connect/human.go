package connect

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
)

// human shows records to a person.
type human struct {
	out   io.Writer
	style cli.Style
	width func() int
	shows func(event string) bool
	now   func() time.Time
}

func (h *human) put(r record) {
	text := h.text(r)
	if text == "" {
		return
	}
	at := h.now().Format("15:04:05.000")
	// One write, so that a terminal redraws its line once.
	fmt.Fprintf(h.out, "%s %s\n", h.style.Dim(at), text)
}

func (h *human) text(r record) string {
	s := h.style
	switch r.Type {
	case typeConnect:
		text := s.Green("● connected") + " to " + cli.Printable(r.Namespace) + s.Dim(" as "+cli.Printable(r.SID)+" over "+r.Transport)
		if r.Recovered {
			text += s.Dim(", taken up where it broke off")
		}
		return text
	case typeDisconnect:
		return s.Red("○ disconnected: "+r.Reason) + h.more(r)
	case typeRefused:
		return s.Red("○ not connected: ") + cli.Printable(r.Error) + h.more(record{Hint: r.Hint})
	case typeRetry:
		return s.Yellow(fmt.Sprintf("… trying again, attempt %d", r.Attempt))
	case typeEvent:
		if !h.shows(r.Event) {
			return ""
		}
		text := s.Cyan("◂ ") + s.Bold(cli.Printable(r.Event)) + h.args(r)
		if r.ID != nil {
			text += s.Yellow(fmt.Sprintf("  wants an answer: answer %v …", r.ID))
		}
		return text
	case typeEmit:
		text := s.Dim("▸ "+cli.Printable(r.Event)) + h.args(r)
		if r.ID != nil {
			text += s.Dim(fmt.Sprintf("  #%v", r.ID))
		}
		return text
	case typeAck:
		took := s.Dim(fmt.Sprintf("  #%v, %.1f ms", r.ID, r.MS))
		if r.Error != "" {
			return s.Red("✗ "+cli.Printable(r.Event)) + " " + cli.Printable(r.Error) + took
		}
		return s.Green("✓ ") + s.Bold(cli.Printable(r.Event)) + h.args(r) + took
	case typeAnswer:
		return s.Dim(fmt.Sprintf("▸ answer to #%v", r.ID)) + h.args(r)
	case typeSaved:
		if r.Error == "" {
			return s.Dim("  saved as " + cli.Printable(r.Path))
		}
		return s.Red("! not saved:") + h.more(r)
	case typeProblem:
		return s.Red("! ") + cli.Printable(r.Error) + h.more(record{Hint: r.Hint})
	}
	return ""
}

func (h *human) args(r record) string {
	if len(r.Args) == 0 {
		return ""
	}
	return " " + renderArgs(h.style, r.Args, h.width()-len(r.Event)-20)
}

func (h *human) more(r record) string {
	var b strings.Builder
	if r.Error != "" {
		b.WriteString(" (" + cli.Printable(r.Error) + ")")
	}
	if r.Hint != "" {
		b.WriteString("\n             " + h.style.Dim("→ "+r.Hint))
	}
	return b.String()
}
