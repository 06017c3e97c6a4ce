// Command files is a place to drop files: see README.md.
package main

import (
	"flag"
	"log"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/examples/files/files"
	"github.com/sockeye-go/socketio/examples/internal/site"
)

func main() {
	dir := flag.String("dir", "shared-files", "keep the files in this `folder`")
	flag.Parse()
	store, err := files.OpenStore(*dir, nil)
	if err != nil {
		log.Fatal(err)
	}
	srv := socketio.NewServer(site.Options())
	files.New(srv.Of("/"), store)
	site.Main(srv, files.Page())
	if err := store.Close(); err != nil {
		log.Fatal(err)
	}
}
