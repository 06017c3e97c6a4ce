// Command chat is a chat: see README.md.
package main

import (
	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/examples/chat/chat"
	"github.com/sockeye-go/socketio/examples/internal/site"
)

func main() {
	// Recovery: who loses the connection for less than two minutes comes back as
	// the same socket, and gets what was said meanwhile.
	srv := socketio.NewServer(&socketio.Options{Recovery: &socketio.Recovery{}})
	chat.New(srv.Of("/"))
	site.Main(srv, chat.Page())
}
