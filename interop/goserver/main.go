// Command goserver is the fixture of the scenarios on our server. It says the
// same words as ../node/server.mjs, which are written down in ../README.md.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/engineio/webtransport"
	"github.com/sockeye-go/socketio/interop/internal/h3"
	"github.com/sockeye-go/socketio/parser"
	"github.com/sockeye-go/socketio/parser/msgpack"
)

// options are those of the official server that the scenarios set.
type options struct {
	Port              int
	PingInterval      int64
	PingTimeout       int64
	UpgradeTimeout    int64
	ConnectTimeout    int64
	MaxHTTPBufferSize int64 `json:"maxHttpBufferSize"`
	Transports        []string
	AllowUpgrades     *bool
	Parser            string
	AllowEIO3         bool
	PerMessageDeflate *struct {
		Threshold               int
		ServerNoContextTakeover *bool // false: takeover
	}
}

func ms(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var o options
	if env := os.Getenv("FIXTURE_OPTIONS"); env != "" {
		d := json.NewDecoder(strings.NewReader(env))
		d.DisallowUnknownFields() // an option that is not translated would make a scenario pass for nothing
		if err := d.Decode(&o); err != nil {
			return fmt.Errorf("FIXTURE_OPTIONS: %w", err)
		}
	}
	var codec parser.Parser
	switch o.Parser {
	case "":
	case "msgpack":
		codec = msgpack.Parser
	default:
		return fmt.Errorf("FIXTURE_OPTIONS: unknown parser %q", o.Parser)
	}
	var deflate *socketio.PerMessageDeflate
	if o.PerMessageDeflate != nil {
		never := o.PerMessageDeflate.ServerNoContextTakeover
		deflate = &socketio.PerMessageDeflate{Threshold: o.PerMessageDeflate.Threshold, ContextTakeover: never != nil && !*never}
	}
	srv := socketio.NewServer(&socketio.Options{
		Parser:            codec,
		PingInterval:      ms(o.PingInterval),
		PingTimeout:       ms(o.PingTimeout),
		UpgradeTimeout:    ms(o.UpgradeTimeout),
		ConnectTimeout:    ms(o.ConnectTimeout),
		MaxPayload:        o.MaxHTTPBufferSize,
		Transports:        o.Transports,
		PerMessageDeflate: deflate,
		DisableUpgrades:   o.AllowUpgrades != nil && !*o.AllowUpgrades,
		DisableClient:     true,
		KeepHeaders:       []string{"X-Who"},
		AllowRequest:      allow,
		AllowEIO3:         o.AllowEIO3,
		// As the official server, which leaves the origin of a WebSocket to the
		// application.
		CheckOrigin: func(*http.Request) bool { return true },
		OnConnectionError: func(e *socketio.ConnectionError) {
			report("connection_error", "code", int(e.Code), "message", e.Message())
		},
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	for _, n := range []namespace{srv, srv.Of("/plain"), srv.OfRegexp(regexp.MustCompile(`^/dynamic-\d+$`))} {
		n.OnConnection(onConnection)
		// As the official server: what middleware refuses is never answered.
		n.AckErrors(func(error) any { return nil })
	}
	guarded := srv.Of("/guarded")
	guarded.Use(guard)
	guarded.OnConnection(onConnection)

	ln, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(o.Port))
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	endQUIC := func() error { return nil }
	if slices.Contains(o.Transports, "webtransport") {
		over, err := h3.Serve(ln.Addr().String(), mux, webtransport.Options{})
		if err != nil {
			return err
		}
		endQUIC = over.Close // tells those whose session has not ended yet
	}
	hs := &http.Server{Handler: mux}
	socketio.ConfigureServer(hs)
	go hs.Serve(ln)
	fmt.Printf("listening %d\n", ln.Addr().(*net.TCPAddr).Port)

	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var c struct {
			N   int
			Cmd string
		}
		if err := json.Unmarshal(in.Bytes(), &c); err != nil {
			return err
		}
		if c.Cmd == "shutdown" {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			err := errors.Join(srv.Shutdown(ctx), endQUIC(), hs.Shutdown(ctx))
			report("done", "n", c.N)
			return err
		}
	}
	return nil
}

type namespace interface {
	OnConnection(func(context.Context, *socketio.Socket) error)
	AckErrors(func(error) any)
}

var stdout sync.Mutex

// report writes one line of JSON.
func report(kind string, fields ...any) {
	m := map[string]any{"report": kind}
	for i := 0; i < len(fields); i += 2 {
		m[fields[i].(string)] = fields[i+1]
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	stdout.Lock()
	defer stdout.Unlock()
	os.Stdout.Write(append(b, '\n'))
}

func allow(r *http.Request) error {
	q := r.URL.Query()
	switch q.Get("forbid") {
	case "plain":
		return errors.New("forbidden by the fixture")
	case "worded":
		return &socketio.RefuseError{Message: "not today"}
	}
	if status, err := strconv.Atoi(q.Get("refuse")); err == nil {
		return &socketio.RefuseError{Status: status, Body: fmt.Appendf(nil, "refused with %d", status)}
	}
	return nil
}

var user = socketio.NewKey[string]("user")

func guard(_ context.Context, s *socketio.Socket) error {
	var auth struct{ Token *string }
	if err := s.DecodeAuth(&auth); err != nil {
		return err
	}
	if auth.Token != nil && *auth.Token == "good" {
		user.Set(s, "ada")
		return nil
	}
	refusal := &socketio.ConnectError{Message: "No token provided"}
	if auth.Token != nil {
		refusal.Message = "Invalid token"
		if *auth.Token == "silent" {
			return refusal
		}
	}
	refusal.Data = map[string]any{"code": 401, "given": auth.Token}
	return refusal
}

func others(s *socketio.Socket) []string {
	rooms := s.Rooms()
	slices.Sort(rooms)
	return append([]string{}, rooms...)
}

func local(addr string) bool {
	a, err := netip.ParseAddrPort(addr)
	return err == nil && a.Addr().IsLoopback()
}
