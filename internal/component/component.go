// Package component gives each layer a logger that carries its name, and lets
// the environment variable SOCKEYE_DEBUG choose whose debug records are seen:
//
//	SOCKEYE_DEBUG='socket.io*,engine,-engine:socket'
//
// The names are those of the official packages where they have one, so that the
// patterns of its DEBUG mean what they meant there.
package component

import (
	"context"
	"io"
	"log/slog"
	"os"
	"strings"
)

// The components.
const (
	Engine       = "engine"            // requests, refused and served
	EngineSocket = "engine:socket"     // sessions and their packets
	Server       = "socket.io:server"  // namespaces, recovery
	Client       = "socket.io:client"  // connections
	Socket       = "socket.io:socket"  // sockets and their handlers
	Parser       = "socket.io-parser"  // every packet, decoded
	Adapter      = "socket.io-adapter" // rooms, other nodes
)

// Variable is the name of the environment variable.
const Variable = "SOCKEYE_DEBUG"

// stderr is where debug records go that the logger of the application does not
// want.
var stderr io.Writer = os.Stderr

// Logger returns base with the attribute component. If the variable is set, the
// debug records of the components that it names are seen, on standard error if
// base does not take them, and those of the others are not. It is read at each
// call.
func Logger(base *slog.Logger, name string) *slog.Logger {
	h := &handler{inner: base.Handler()}
	if patterns, set := os.LookupEnv(Variable); set {
		h.filtered = true
		if matches(patterns, name) {
			h.debug = slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelDebug})
		}
	}
	return slog.New(h.WithAttrs([]slog.Attr{slog.String("component", name)}))
}

// matches reports whether a list of patterns names a component. A minus takes
// out what other patterns name, wherever it stands; a star is any text.
func matches(patterns, name string) (yes bool) {
	for p := range strings.FieldsFuncSeq(patterns, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
		if not, ok := strings.CutPrefix(p, "-"); ok {
			if match(not, name) {
				return false
			}
		} else if match(p, name) {
			yes = true
		}
	}
	return yes
}

func match(pattern, name string) bool {
	head, tail, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == name
	}
	name, ok := strings.CutPrefix(name, head)
	if !ok {
		return false
	}
	for i := 0; i <= len(name); i++ {
		if match(tail, name[i:]) {
			return true
		}
	}
	return false
}

// A handler sends debug records where the environment wants them.
type handler struct {
	inner    slog.Handler
	filtered bool         // the variable is set
	debug    slog.Handler // nil unless it names this component
}

func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	if h.filtered && level < slog.LevelInfo {
		return h.debug != nil
	}
	return h.inner.Enabled(ctx, level)
}

func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	if h.debug != nil && r.Level < slog.LevelInfo && !h.inner.Enabled(ctx, r.Level) {
		return h.debug.Handle(ctx, r)
	}
	return h.inner.Handle(ctx, r)
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return h.with(func(to slog.Handler) slog.Handler { return to.WithAttrs(attrs) })
}

func (h *handler) WithGroup(name string) slog.Handler {
	return h.with(func(to slog.Handler) slog.Handler { return to.WithGroup(name) })
}

func (h *handler) with(f func(slog.Handler) slog.Handler) slog.Handler {
	c := *h
	c.inner = f(h.inner)
	if h.debug != nil {
		c.debug = f(h.debug)
	}
	return &c
}
