// Package site is what the programs of the examples have in common and is not about
// Socket.IO: the looks of their pages, and a main that ends in good order.
package site

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path"
	"syscall"
	"time"

	"github.com/sockeye-go/socketio"
)

//go:embed theme.css common.js
var shared embed.FS

// Page serves the files of a page, with those that all pages share beside them.
// Nothing comes from elsewhere, and nothing that a user typed can run.
func Page(files fs.FS, folder string) http.Handler {
	own, err := fs.Sub(files, folder)
	if err != nil {
		panic(err) // the folder is part of the program
	}
	serveOwn, serveShared := http.FileServerFS(own), http.FileServerFS(shared)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; img-src 'self' data: blob:; connect-src 'self' ws: wss:; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-cache")
		if name := path.Base(r.URL.Path); name == "theme.css" || name == "common.js" {
			serveShared.ServeHTTP(w, withPath(r, "/"+name))
			return
		}
		serveOwn.ServeHTTP(w, r)
	})
}

func withPath(r *http.Request, path string) *http.Request {
	c := *r
	u := *r.URL
	u.Path = path
	c.URL = &u
	return &c
}

// Restarting is the event that the pages take for the word that their server ends on
// purpose.
const Restarting = "server restarting"

// Options are those of a server that ends in good order, by which a load balancer and
// the pages see what happens.
func Options() *socketio.Options {
	o := &socketio.Options{ShutdownEvent: Restarting}
	in, err := os.Stdin.Stat()
	if err != nil || in.Mode()&os.ModeCharDevice == 0 { // somebody who sits at a terminal would wait
		o.ShutdownDelay = 2 * time.Second
	}
	return o
}

var addr = flag.String("addr", "localhost:3000", "listen on this `address`")

// Main serves one example until it is interrupted, at localhost:3000 or --addr. To be
// interrupted twice ends it at once.
func Main(srv *socketio.Server, page http.Handler) {
	flag.Parse()
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) { // metrics.Readyz knows more
		if srv.Draining() {
			http.Error(w, "draining", http.StatusServiceUnavailable)
		}
	})
	mux.Handle("/", page)
	hs := &http.Server{Handler: mux}
	socketio.ConfigureServer(hs)

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	failed := make(chan error, 1)
	lc := net.ListenConfig{KeepAlive: -1} // heartbeats do what TCP's would
	ln, err := lc.Listen(ctx, "tcp", *addr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go func() { failed <- hs.Serve(ln) }()
	fmt.Printf("http://%s/\n", *addr)
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	stop()
	// Sockets first: an http.Server knows neither WebSockets nor waiting polls.
	end, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err = cmp.Or(err, errors.Join(srv.Shutdown(end), hs.Shutdown(end))); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}
