// Command game is a game for several: see README.md.
package main

import (
	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/examples/game/game"
	"github.com/sockeye-go/socketio/examples/internal/site"
)

func main() {
	srv := socketio.NewServer(site.Options())
	games := game.New(srv.Of("/"), nil)
	site.Main(srv, game.Page())
	games.Close()
}
