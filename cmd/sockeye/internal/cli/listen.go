package cli

import (
	"context"
	"net"
)

// Listen is [net.Listen] for a Socket.IO server over TCP, without TCP's own keep-alive:
// the heartbeats of the sockets see to that, and it is four system calls a connection.
func Listen(addr string) (net.Listener, error) {
	lc := net.ListenConfig{KeepAlive: -1}
	return lc.Listen(context.Background(), "tcp", addr)
}
