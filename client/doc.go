// Package client is the Socket.IO client: the words of socket.io-client with
// the manners of Go.
//
//	m, err := client.New("http://localhost:3000", nil)
//	s := m.Socket("/")
//	Say.On(s, func(ctx context.Context, in Said) error { … })
//	err = s.Connect(ctx)
//
// It speaks WebSocket only so far, and does not reconnect by itself.
package client
