package component

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
)

func TestMatches(t *testing.T) {
	tests := []struct {
		patterns, name string
		want           bool
	}{
		{"*", Engine, true},
		{"engine", Engine, true},
		{"engine", EngineSocket, false},
		{"engine*", EngineSocket, true},
		{"engine:*", Engine, false},
		{"socket.io:*", Socket, true},
		{"socket.io:*", Parser, false},
		{"socket.io*", Parser, true},
		{"*:socket", EngineSocket, true},
		{"*:socket", Socket, true},
		{"s*:*t", Socket, true},
		{"*,-engine*", Engine, false},
		{"-engine*,*", Engine, false},
		{"*,-engine*", Socket, true},
		{"a, engine  b", Engine, true},
		{"-engine", Socket, false},
		{"", Engine, false},
		{"ENGINE", Engine, false},
	}
	for _, tt := range tests {
		if got := matches(tt.patterns, tt.name); got != tt.want {
			t.Errorf("%q names %s: %v", tt.patterns, tt.name, got)
		}
	}
}

// TestLogger: which records go where.
func TestLogger(t *testing.T) {
	tests := []struct {
		name, env   string
		level       slog.Level // of the application's logger
		app, stderr string     // the components whose debug records come there
	}{
		{"not set, off", "", slog.LevelInfo, "", ""},
		{"not set, on", "", slog.LevelDebug, "engine socket.io-parser", ""},
		{"set, off", "engine", slog.LevelInfo, "", "engine"},
		{"set, on", "engine", slog.LevelDebug, "engine", ""},
		{"set to nothing that there is", "x", slog.LevelDebug, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv(Variable, tt.env)
			if tt.env == "" {
				os.Unsetenv(Variable)
			}
			var app, err bytes.Buffer
			stderr = &err
			defer func() { stderr = os.Stderr }()
			base := slog.New(slog.NewTextHandler(&app, &slog.HandlerOptions{Level: tt.level}))
			for _, name := range []string{Engine, Parser} {
				log := Logger(base, name).With("a", 1).WithGroup("g")
				log.Debug("said", "b", 2)
				log.Info("always")
			}
			for what, c := range map[string]struct {
				b    *bytes.Buffer
				want string
			}{"application": {&app, tt.app}, "standard error": {&err, tt.stderr}} {
				var got []string
				infos := 0
				for line := range strings.Lines(c.b.String()) {
					if strings.Contains(line, "msg=always") {
						infos++
						continue
					}
					_, name, _ := strings.Cut(line, "component=")
					name, rest, _ := strings.Cut(strings.TrimSpace(name), " ")
					if rest != "a=1 g.b=2" {
						t.Errorf("%s: %s", what, line)
					}
					got = append(got, name)
				}
				if strings.Join(got, " ") != c.want || infos != 2 && c.b == &app {
					t.Errorf("%s got %q and %d infos; want %q", what, got, infos, c.want)
				}
			}
		})
	}
}

// BenchmarkOff is what a record costs that nobody wants, as it is written on the
// path of each packet: a question, and nothing else.
func BenchmarkOff(b *testing.B) {
	log := Logger(slog.New(slog.NewTextHandler(io.Discard, nil)), Parser)
	b.ReportAllocs()
	for b.Loop() {
		if log.Enabled(b.Context(), slog.LevelDebug) {
			b.Fatal("it is on")
		}
	}
}
