//go:build linux

package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/admin"
)

const (
	roomsASecond = 20
	roomSize     = 50
)

// serve is the process under test: a server whose dashboard comes and goes.
func serve() error {
	runtime.GOMAXPROCS(1)
	log := slog.New(slog.DiscardHandler)
	srv := socketio.NewServer(&socketio.Options{Logger: log, MaxConnections: 100_000})
	socketio.NewEventWithAck[string, string]("echo").Handle(srv, func(_ context.Context, _ *socketio.Socket, in string) (string, error) { return in, nil })
	var joined atomic.Int64
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) error {
		return s.Join(fmt.Sprint("room-", joined.Add(1)/roomSize))
	})
	go broadcast(srv, &joined)

	var mu sync.Mutex
	var d *admin.Dashboard
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	mux.HandleFunc("/profile", pprof.Profile)
	mux.HandleFunc("/dashboard/", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		h := d
		mu.Unlock()
		if h == nil {
			http.NotFound(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
	mux.HandleFunc("POST /state", func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if d != nil {
			d.Close()
			d = nil
		}
		if r.FormValue("is") != states[0] {
			d = admin.Handler(srv, &admin.DashboardOptions{Insecure: true, Logger: log})
		}
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s\n", ln.Addr())
	return http.Serve(ln, mux)
}

// broadcast sends to rooms, and asks one client a second.
func broadcast(srv *socketio.Server, joined *atomic.Int64) {
	ctx := context.Background()
	for n := 0; ; n++ {
		<-time.After(time.Second / roomsASecond)
		rooms := joined.Load()/roomSize + 1
		_ = srv.To(fmt.Sprint("room-", int64(n)%rooms)).Emit("news", n)
		if n%roomsASecond != 0 {
			continue
		}
		for s := range srv.Sockets() {
			go func() {
				ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
				defer cancel()
				_, _ = s.EmitWithAck(ctx, "ask")
			}()
			break
		}
	}
}
