// Command editor is a text editor for several at once: see README.md.
package main

import (
	"flag"
	"log"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/examples/editor/editor"
	"github.com/sockeye-go/socketio/examples/internal/site"
)

func main() {
	file := flag.String("store", "editor.db", "keep the documents in this `file`")
	flag.Parse()
	store, err := editor.OpenStore(*file)
	if err != nil {
		log.Fatal(err)
	}
	srv := socketio.NewServer(site.Options())
	ed := editor.New(srv.Of("/"), store)
	site.Main(srv, editor.Page())
	if err := ed.Close(); err != nil {
		log.Fatal(err)
	}
}
