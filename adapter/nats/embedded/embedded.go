// Package embedded is a NATS server inside of the process, so that a cluster of
// Socket.IO servers needs nothing beside itself. The servers of several processes
// find each other by routes and are one NATS; see package nats for the adapter.
//
//	bus, err := embedded.Start(&embedded.Options{Listen: "10.0.0.1:6222", Routes: []string{"10.0.0.2:6222"}})
//	conn, err := bus.Connect()
//	srv := socketio.NewServer(&socketio.Options{Adapter: nats.New(conn, nil)})
//
// With Options.Dir they store, too. A cluster of three stores while two of them are
// there: nats.JetStream{Replicas: 3}.
//
// Routes carry whatever anybody sends who can reach them: keep them on a private
// network, and set nats.Options.Key.
package embedded

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
)

// Options configure a [Server]. The zero value is a server for this process
// alone, which listens nowhere.
type Options struct {
	// Name of this node in the logs of others. Default: NATS' choice.
	Name string
	// Cluster is a name that all servers of a cluster have in common. Default
	// "socketio".
	Cluster string
	// Listen is the address, host and port, at which other servers reach this
	// one. Default none. Port 0 takes a free one; see [Server.Addr].
	Listen string
	// Routes are the addresses of other servers: one that is up is enough to find
	// the rest. They need not be up yet.
	Routes []string
	// Dir is where this server keeps what JetStream stores: clients can then
	// recover on any node (nats.Options.JetStream), and what was confirmed
	// outlives the process. Each server has its own, and needs it again when it is
	// started again, with the same Name. Default "": no JetStream.
	Dir string
}

// A Server is a NATS server in this process.
type Server struct {
	s     *server.Server
	token string // that clients need; nobody but this process has it
}

// startTimeout is how long a server may take to be ready.
const startTimeout = 10 * time.Second

// Start starts a server and waits until it is ready.
func Start(o *Options) (*Server, error) {
	if o == nil {
		o = new(Options)
	}
	srv := &Server{token: rand.Text()}
	so := &server.Options{ServerName: o.Name, DontListen: true, NoSigs: true, NoLog: true, Authorization: srv.token}
	if o.Dir != "" {
		so.JetStream, so.StoreDir = true, o.Dir
		if o.Listen != "" && o.Name == "" {
			return nil, errors.New("embedded: Dir: a server of a cluster needs a Name, too, by which the others know it again")
		}
	}
	if o.Listen != "" {
		// NATS starts no routes without a port for clients.
		so.DontListen, so.Host, so.Port = false, "127.0.0.1", server.RANDOM_PORT
		host, port, err := net.SplitHostPort(o.Listen)
		if err != nil {
			return nil, fmt.Errorf("embedded: Listen: %w", err)
		}
		n, err := strconv.Atoi(port)
		if err != nil {
			return nil, fmt.Errorf("embedded: Listen: port %q: %w", port, err)
		}
		if n == 0 {
			n = server.RANDOM_PORT
		}
		so.Cluster = server.ClusterOpts{Name: o.Cluster, Host: host, Port: n}
		if so.Cluster.Name == "" {
			so.Cluster.Name = "socketio"
		}
		for _, route := range o.Routes {
			if _, _, err := net.SplitHostPort(route); err != nil {
				return nil, fmt.Errorf("embedded: Routes: %w", err)
			}
			so.Routes = append(so.Routes, &url.URL{Scheme: "nats", Host: route})
		}
	} else if len(o.Routes) > 0 {
		return nil, errors.New("embedded: Routes: need Listen, so that the others can answer")
	}
	s, err := server.NewServer(so)
	if err != nil {
		return nil, fmt.Errorf("embedded: %w", err)
	}
	s.Start()
	if !s.ReadyForConnections(startTimeout) {
		s.Shutdown()
		return nil, fmt.Errorf("embedded: not ready after %v", startTimeout)
	}
	srv.s = s
	return srv, nil
}

// Addr returns the address for the Routes of other servers, "" without Listen.
func (s *Server) Addr() string {
	if addr := s.s.ClusterAddr(); addr != nil {
		return addr.String()
	}
	return ""
}

// Connect makes a connection within the process.
func (s *Server) Connect(options ...natsgo.Option) (*natsgo.Conn, error) {
	options = append([]natsgo.Option{natsgo.InProcessServer(s.s), natsgo.Token(s.token), natsgo.MaxReconnects(-1)}, options...)
	return natsgo.Connect("", options...)
}

// Peers returns how many other servers this one is connected to.
func (s *Server) Peers() int { return s.s.NumRemotes() }

// closeTimeout is how long the last words may take on their way to other servers.
const closeTimeout = time.Second

// Close ends the server, when its connections have been closed, and waits for it.
// What they have sent is on its way to other servers then.
func (s *Server) Close() {
	for deadline := time.Now().Add(closeTimeout); s.pending() && time.Now().Before(deadline); {
		<-time.After(time.Millisecond)
	}
	s.s.Shutdown()
	s.s.WaitForShutdown()
}

// pending reports whether something waits for another server.
func (s *Server) pending() bool {
	routes, err := s.s.Routez(nil)
	if err != nil {
		return false
	}
	for _, r := range routes.Routes {
		if r.Pending > 0 {
			return true
		}
	}
	return false
}
