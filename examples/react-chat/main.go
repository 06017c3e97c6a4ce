// Command react-chat serves the chat, and the page once Vite has built it:
//
//	npm ci && npm run build && go run . -page dist
//
// or, while working on the page, go run . and npm run dev beside it.
package main

import (
	"flag"
	"log"
	"net/http"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/examples/react-chat/chat"
)

func main() {
	log.SetFlags(0)
	addr := flag.String("addr", "localhost:3000", "listen on this `address`")
	page := flag.String("page", "", "serve this `directory` too")
	flag.Parse()
	srv := socketio.NewServer(nil)
	chat.New(srv)
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	if *page != "" {
		mux.Handle("/", http.FileServer(http.Dir(*page)))
	}
	hs := &http.Server{Addr: *addr, Handler: mux}
	socketio.ConfigureServer(hs)
	log.Printf("http://%s", *addr)
	log.Fatal(hs.ListenAndServe())
}
