// Command node is one node of a cluster under test: a server that does what its
// standard input says and writes down what it sees, a line of JSON for each event.
// Its only argument is a Config. It ends in good order on SIGTERM, and at the end of
// its input.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	goredis "github.com/redis/go-redis/v9"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/adapter/nats"
	"github.com/sockeye-go/socketio/adapter/nats/embedded"
	"github.com/sockeye-go/socketio/adapter/postgres"
	"github.com/sockeye-go/socketio/adapter/redis"
	"github.com/sockeye-go/socketio/engineio/forward"
)

// A Config is what the test wants of the node.
type Config struct {
	Listen string // where clients and other nodes reach it
	Key    []byte // of forwarding; none without
	Echo   bool   // "up" comes back as "m"
	Ping   time.Duration
	// What keeps the log, from which clients recover; none without: the server of
	// NATS in this process, the address of a Redis, or that of a PostgreSQL.
	NATS            *embedded.Options
	Redis, Postgres string
}

// A Line is what it writes. Conn numbers the connections of a client here.
type Line struct {
	On              string
	C, Conn, Seq, N int
	Recovered       bool
	Error           string `json:",omitempty"`
}

var (
	output sync.Mutex
	conns  atomic.Int64
	log    = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
)

func say(l Line) {
	b, _ := json.Marshal(l)
	output.Lock()
	defer output.Unlock()
	_, _ = os.Stdout.Write(append(b, '\n'))
}

func main() {
	if err := run(); err != nil {
		log.Error("node", "error", err)
		os.Exit(1)
	}
}

func run() error {
	var c Config
	if err := json.Unmarshal([]byte(os.Args[1]), &c); err != nil {
		return err
	}
	o := &socketio.Options{PingInterval: c.Ping, PingTimeout: 4 * c.Ping, Logger: log}
	if c.Key != nil {
		f, err := forward.New(&forward.Options{Address: c.Listen, Key: c.Key, Logger: log})
		if err != nil {
			return err
		}
		o.Forwarder = f
	}
	if c.Redis != "" {
		conn := goredis.NewClient(&goredis.Options{Addr: c.Redis})
		defer conn.Close()
		o.Adapter = redis.NewStreams(conn, nil)
	}
	if c.Postgres != "" {
		pool, err := pgxpool.New(context.Background(), c.Postgres)
		if err != nil {
			return err
		}
		defer pool.Close()
		o.Adapter = postgres.NewLog(pool, nil)
	}
	if c.NATS != nil {
		bus, err := embedded.Start(c.NATS)
		if err != nil {
			return err
		}
		defer bus.Close()
		conn, err := bus.Connect()
		if err != nil {
			return err
		}
		defer conn.Close()
		o.Adapter = nats.New(conn, &nats.Options{JetStream: &nats.JetStream{Replicas: 3}, Key: c.Key})
	}
	if o.Adapter != nil {
		o.Recovery = &socketio.Recovery{OnAttempt: func(a socketio.RecoveryAttempt) {
			if !a.Recovered {
				log.Warn("recovery refused", "reason", a.Reason)
			}
		}}
	}
	srv := socketio.NewServer(o)
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) error { return connected(c, s) })
	ln, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return err
	}
	hs := &http.Server{Handler: srv, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	socketio.ConfigureServer(hs)
	go hs.Serve(ln)
	say(Line{On: "ready"})

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go obey(srv, stop)
	<-ctx.Done()
	end, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err = srv.Shutdown(end)
	_ = hs.Close()
	return err
}

func connected(c Config, s *socketio.Socket) error {
	var auth struct{ Client int }
	if err := s.DecodeAuth(&auth); err != nil {
		return err
	}
	conn := int(conns.Add(1))
	note := func(on string, seq int) {
		say(Line{On: on, C: auth.Client, Conn: conn, Seq: seq, Recovered: s.Recovered()})
	}
	note("connected", 0)
	s.On("up", func(_ context.Context, m *socketio.Message) error {
		var n int
		if err := m.Decode(&n); err != nil {
			return err
		}
		note("received", n)
		if c.Echo {
			return s.Emit("m", n)
		}
		if m.WantsAck() {
			return m.Ack()
		}
		return nil
	})
	s.OnDisconnect(func(socketio.DisconnectReason) { note("disconnected", 0) })
	return nil
}

// obey does what the lines of the input say, and ends with them.
func obey(srv *socketio.Server, end func()) {
	defer end()
	last := 0
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		verb, number, _ := strings.Cut(in.Text(), " ")
		n, _ := strconv.Atoi(number)
		switch verb {
		case "emit":
			l := Line{On: "emitted", Seq: n}
			if err := srv.Emit("m", n); err != nil {
				l.Error = err.Error()
			}
			last = n
			say(l)
		case "flush":
			go flush(srv, last)
		case "sockets":
			say(Line{On: "sockets", N: srv.Stats().Sockets})
		}
	}
}

// flush says when everything up to a number is where it cannot be lost.
func flush(srv *socketio.Server, last int) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	l := Line{On: "flushed", Seq: last}
	if err := srv.Flush(ctx); err != nil {
		l.Error = err.Error()
	}
	say(l)
}
