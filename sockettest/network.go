package sockettest

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/client"
	"github.com/sockeye-go/socketio/internal/memnet"
)

// URL is the address of the server on every [Network].
const URL = "http://server"

// A Network has one server, and clients.
type Network struct {
	t     *testing.T
	clean []func()

	mu      sync.Mutex
	server  *socketio.Server
	memory  *memnet.Network
	http    *http.Server
	clients []*Client
}

// Run calls f in a bubble of testing/synctest with a network whose server
// newServer makes; it is mounted at "/socket.io/". When f returns, clients and
// server are closed, in this order.
func Run(t *testing.T, newServer func() *socketio.Server, f func(*testing.T, *Network)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := &Network{t: t}
		n.start(newServer())
		defer func() {
			for _, c := range n.all() {
				c.Close()
			}
			n.stop()
			for _, f := range n.clean {
				f()
			}
			synctest.Wait()
		}()
		f(t, n)
	})
}

func (n *Network) start(srv *socketio.Server) {
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	hs := &http.Server{Handler: mux, ErrorLog: log.New(io.Discard, "", 0)}
	memory := memnet.New()
	go hs.Serve(memory)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.server, n.memory, n.http = srv, memory, hs
}

func (n *Network) stop() {
	n.mu.Lock()
	srv, memory, hs := n.server, n.memory, n.http
	n.server, n.memory = nil, nil
	n.mu.Unlock()
	if srv == nil {
		return
	}
	srv.Close()
	memory.Close()
	hs.Close()
}

// Server returns the server; nil after [Network.Stop].
func (n *Network) Server() *socketio.Server {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.server
}

// Stop closes the server; clients find nobody until [Network.Restart].
func (n *Network) Stop() { n.stop() }

// Restart puts another server in the place of the one there was.
func (n *Network) Restart(srv *socketio.Server) {
	n.stop()
	n.start(srv)
}

func (n *Network) all() []*Client {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]*Client(nil), n.clients...)
}

var errNobody = errors.New("sockettest: connection refused")

func (n *Network) dial() (net.Conn, error) {
	n.mu.Lock()
	memory := n.memory
	n.mu.Unlock()
	if memory == nil {
		return nil, &net.OpError{Op: "dial", Net: "memory", Err: errNobody}
	}
	return memory.Dial()
}

// Dial is a client.Options.NetDial for clients that are not made by
// [Network.Client]: it leads to the server, whatever the address, and nothing
// goes wrong on the way.
func (n *Network) Dial(context.Context, string, string) (net.Conn, error) { return n.dial() }

// A Client is a manager whose connections go through a [Link].
type Client struct {
	*client.Manager
	*Link
}

// Client makes a client of the server. Nil stands for the default options; its
// NetDial and Proxy are those of the network.
func (n *Network) Client(o *client.Options) *Client {
	n.t.Helper()
	c := &Client{Link: &Link{n: n}}
	var own client.Options
	if o != nil {
		own = *o
	}
	own.NetDial = c.dial
	own.Proxy = func(*http.Request) (*url.URL, error) { return nil, nil }
	m, err := client.New(URL, &own)
	if err != nil {
		n.t.Fatal(err)
	}
	c.Manager = m
	n.mu.Lock()
	n.clients = append(n.clients, c)
	n.mu.Unlock()
	return c
}

// Connect makes a client of the default options whose socket in "/" is
// connected.
func (n *Network) Connect() (*Client, *client.Socket) {
	n.t.Helper()
	c := n.Client(nil)
	s := c.Socket("/")
	if err := s.Connect(n.t.Context()); err != nil {
		n.t.Fatal("connect: ", err)
	}
	return c, s
}

// Close closes the manager.
func (c *Client) Close() { c.Manager.Close() }

// dial is the NetDial of the client.
func (k *Link) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	k.mu.Lock()
	refuse := k.refuse
	k.mu.Unlock()
	if refuse {
		return nil, &net.OpError{Op: "dial", Net: "memory", Err: errNobody}
	}
	nc, err := k.n.dial()
	if err != nil {
		return nil, err
	}
	return k.wrap(nc), nil
}
