// Package client is the Socket.IO client for services, tests, bots and load:
// the words of socket.io-client with the manners of Go.
//
//	m, err := client.New("http://localhost:3000", nil)
//	if err != nil { … }
//	defer m.Close()
//	s := m.Socket("/")
//	Say.On(s, func(ctx context.Context, in Said) error { … })
//	err = s.Connect(ctx)
//	members, err := Join.EmitWithAck(ctx, s, "lobby")
//
// A [Manager] is one connection and a [Socket] a namespace on it. Both are safe
// for concurrent use. [Connect] is the short way to one socket.
//
// # Handlers
//
// The handlers of a socket run one at a time, in order of arrival, and those of
// different sockets in parallel. A handler may wait for an ack of its own
// socket; heartbeats and acks go on meanwhile. What else comes is queued, and
// beyond Options.MaxReceivedEvents the server is held back. The context of a
// handler ends when the socket disconnects, with the reason as its cause.
//
// # Connections that are lost
//
// A lost connection is made again, with the delays of the original, until
// [Socket.Disconnect] or [Manager.Close], or until the server throws the socket
// out. What is emitted meanwhile is kept, up to a limit, and sent when the
// server has let the socket in again. What was on its way when the connection
// broke may be lost: with connection state recovery on the server nothing is
// that the server sent ([Socket.Recovered]), and with SocketOptions.Retries
// nothing that the client sends.
//
// # Cost
//
// On Linux an idle connection over plain WebSocket has no goroutine; under TLS,
// elsewhere and through proxies it has one. docs/go-client.md has the figures.
package client
