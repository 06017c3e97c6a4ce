package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// errQuit ends a terminal session.
var errQuit = errors.New("quit")

// A shell carries out lines as they are typed.
type shell struct {
	*session
	out    io.Writer
	within time.Duration // how long an ack may take
	calls  int64

	mu   sync.Mutex
	only []string // events that are shown; nil: all. Guarded by mu, as are those below
	hide []string
	seen []string // names of events for completion, in order of first sight
}

// words are the commands, for help and completion.
var words = []struct{ name, args, does string }{
	{"emit", "NAME ARGS…", "send an event"},
	{"call", "NAME ARGS…", "send an event and wait for its ack"},
	{"answer", "NUMBER ARGS…", "answer an event of the server that wants an ack"},
	{"on", "NAME…", "show these events only; without a name all again"},
	{"off", "NAME…", "show these events no more"},
	{"save", "FOLDER", "save attachments there; without a folder no more"},
	{"status", "", "say what the connection is"},
	{"connect", "", "connect again"},
	{"disconnect", "", "leave the namespace"},
	{"help", "", "this list"},
	{"quit", "", "end; so does Ctrl-D"},
}

const argsHelp = `
ARGS are JSON values: 1 "two" {"three":[4]}. A word without quotes is a string, @file
sends the bytes of a file, and a name with spaces is quoted: emit "chat message" hi`

// do carries out a line.
func (s *shell) do(ctx context.Context, text string) error {
	l := parseLine(text)
	switch l.command {
	case "":
		return nil
	case "emit", "call":
		return s.send(ctx, l.command == "call", l.rest)
	case "answer", "ack":
		word, rest := cutWord(l.rest)
		id, err := strconv.ParseInt(strings.TrimPrefix(word, "#"), 10, 64)
		if err != nil {
			return errors.New("answer needs the number of the event: answer 1 ok")
		}
		args, err := values(rest)
		if err != nil {
			return err
		}
		return s.answer(id, args)
	case "on", "off":
		return s.filter(l)
	case "save":
		s.session.mu.Lock()
		if s.saver != nil { // at the end there is none
			s.saver.dir = l.rest
		}
		s.session.mu.Unlock()
	case "status":
		s.status()
	case "connect":
		return s.socket.Connect(ctx)
	case "disconnect":
		s.socket.Disconnect()
	case "help", "?":
		for _, w := range words {
			fmt.Fprintf(s.out, "  %-24s %s\n", strings.TrimSpace(w.name+" "+w.args), w.does)
		}
		fmt.Fprintln(s.out, argsHelp)
	case "quit", "exit":
		return errQuit
	default:
		return fmt.Errorf("there is no command %q; to send an event of this name: emit %s", l.command, text)
	}
	return nil
}

func (s *shell) send(ctx context.Context, call bool, text string) error {
	event, rest, err := name(text)
	if err != nil {
		return err
	}
	args, err := values(rest)
	if err != nil {
		return err
	}
	s.sawName(event)
	if !call {
		return s.emit(event, args)
	}
	if !s.socket.Active() {
		return errors.New("not connected; connect tries again")
	}
	s.mu.Lock()
	s.calls++
	id := s.calls
	s.mu.Unlock()
	s.call(ctx, s.within, id, event, args)
	return nil
}

// send of a record, as it comes by NDJSON or from a recording.
func (s *shell) sendRecord(ctx context.Context, r record) error {
	switch {
	case r.Type == typeAnswer:
		id, ok := r.ID.(int64)
		if !ok {
			return errors.New("the id of an answer is the number of its event")
		}
		return s.answer(id, r.Args)
	case r.Type != typeEmit:
		return nil // what a server said before
	case r.ID != nil:
		s.call(ctx, s.within, r.ID, r.Event, r.Args)
		return nil
	}
	return s.emit(r.Event, r.Args)
}

func (s *shell) filter(l line) error {
	var names []string
	for rest := l.rest; strings.TrimSpace(rest) != ""; {
		var n string
		var err error
		if n, rest, err = name(rest); err != nil {
			return err
		}
		names = append(names, n)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.command == "on" {
		s.only, s.hide = names, nil
		return nil
	}
	if len(names) == 0 {
		return errors.New("off needs the names of events")
	}
	s.hide = append(s.hide, names...)
	return nil
}

// shows reports whether an event is one that the user wants to see.
func (s *shell) shows(event string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !slices.Contains(s.hide, event) && (len(s.only) == 0 || slices.Contains(s.only, event))
}

func (s *shell) status() {
	m := s.socket.Manager()
	if !s.socket.Connected() {
		state := "not connected; connect tries again"
		if s.socket.Active() {
			state = "not connected, trying again"
		}
		fmt.Fprintln(s.out, state)
		return
	}
	fmt.Fprintf(s.out, "connected to %s%s as %s over %s\n", s.target.URL.Host, s.target.Namespace, s.socket.ID(), m.Transport())
}

// maxSeen is how many names are remembered: a server can make them up.
const maxSeen = 500

func (s *shell) sawName(event string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.seen) < maxSeen && !slices.Contains(s.seen, event) {
		s.seen = append(s.seen, event)
	}
}

// names is a sink that remembers the names of events.
type names struct{ s *shell }

func (n names) put(r record) {
	if r.Type == typeEvent {
		n.s.sawName(r.Event)
	}
}
