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
	o := site.Options()
	o.Recovery = &socketio.Recovery{}
	srv := socketio.NewServer(o)
	chat.New(srv.Of("/"))
	site.Main(srv, chat.Page())
}
