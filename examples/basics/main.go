// Command basics serves what every tutorial of Socket.IO begins with, to any page that
// speaks it:
//
//	ADMIN_TOKEN=secret go run ./examples/basics
package main

import (
	"net/http"
	"os"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/examples/basics/basics"
	"github.com/sockeye-go/socketio/examples/internal/site"
)

func main() {
	srv := socketio.NewServer(site.Options())
	basics.New(srv, os.Getenv("ADMIN_TOKEN"))
	site.Main(srv, http.NotFoundHandler())
}
