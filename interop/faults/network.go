package faults

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/engineio/webtransport"
	"github.com/sockeye-go/socketio/internal/faultproxy"
	"github.com/sockeye-go/socketio/interop/internal/h3"
)

// A network is what is between clients and nodes, and between nodes and the broker.
type network struct {
	fronts []*front
	broker *Broker // nil without
}

// A front is where clients find one node: the same port for TCP and for QUIC.
type front struct {
	tcp   *faultproxy.Proxy
	udp   *faultproxy.UDP // nil without WebTransport
	leads string          // to this address
}

func newNetwork(s Setting, brokers *Brokers) (n *network, err error) {
	n = new(network)
	fronts := 1
	if s.Broker != "" {
		fronts = 2
		if n.broker, err = brokers.open(s.Broker, fronts); err != nil {
			return nil, err
		}
	}
	for range fronts {
		f, err := newFront(s.quic())
		if err != nil {
			n.close()
			return nil, err
		}
		n.fronts = append(n.fronts, f)
	}
	return n, nil
}

// nowhere is where fronts lead at first.
const nowhere = "127.0.0.1:1"

func newFront(quic bool) (f *front, err error) {
	for range 10 { // somebody may have the port for UDP
		f = &front{tcp: faultproxy.Listen(nowhere)}
		if !quic {
			return f, nil
		}
		if f.udp, err = faultproxy.ListenUDP(f.tcp.Addr(), nowhere); err == nil {
			return f, nil
		}
		f.tcp.Close()
	}
	return nil, err
}

// quic reports whether clients use WebTransport.
func (s Setting) quic() bool { return slices.Contains(s.Transports, engineio.WebTransport) }

func (n *network) urls() (urls []string) {
	for _, f := range n.fronts {
		scheme := "http://"
		if f.udp != nil {
			scheme = "https://"
		}
		urls = append(urls, scheme+f.tcp.Addr())
	}
	return urls
}

// lead sets the node behind a front.
func (f *front) lead(addr string) error {
	f.leads = addr
	f.tcp.Target(addr)
	if f.udp != nil {
		return f.udp.Target(addr)
	}
	return nil
}

// swap has clients come back to the other node.
func (n *network) swap() {
	a, b := n.fronts[0], n.fronts[1]
	one, other := a.leads, b.leads
	_, _ = a.lead(other), b.lead(one)
	n.cut(faultproxy.RST, true, false)
}

// worsen begins the chaos.
func (n *network) worsen(s Setting) {
	for _, f := range n.fronts {
		f.tcp.Plan(faultproxy.Chaos{
			Seed: s.Seed, Spare: 0.5, Shape: s.Shape,
			Faults: []faultproxy.Fault{faultproxy.RST, faultproxy.FIN, faultproxy.HalfClose, faultproxy.Blackhole},
		}.Plan)
		if f.udp != nil {
			f.udp.Plan(faultproxy.DatagramChaos{
				Seed: s.Seed, Lost: 0.02, Repeated: 0.02, Late: 0.1, MaxDelay: 10 * time.Millisecond, Lifetime: 1000, Surviving: 0.5,
			})
		}
	}
}

// cut does f to all connections of clients, kills the flows of QUIC if it is to, of
// which nobody is told, and does f to the links of the nodes to the broker if it is to.
func (n *network) cut(f faultproxy.Fault, flows, links bool) (cuts int) {
	for _, front := range n.fronts {
		cuts += front.tcp.Cut(f)
		if flows && front.udp != nil {
			cuts += front.udp.Cut()
		}
	}
	if links && n.broker != nil {
		if f == faultproxy.Blackhole || f == faultproxy.HalfClose {
			f = faultproxy.RST // a driver of a database notices these when TCP does
		}
		for _, l := range n.broker.links {
			cuts += l.Cut(f)
		}
	}
	return cuts
}

func (n *network) release() {
	for _, f := range n.fronts {
		f.tcp.Release()
	}
	if n.broker != nil {
		for _, l := range n.broker.links {
			l.Release()
		}
	}
}

// heal ends the chaos. What is in a black hole would last until it is noticed.
func (n *network) heal() {
	for _, f := range n.fronts {
		f.tcp.Plan(faultproxy.Always(faultproxy.Plan{}))
		if f.udp != nil {
			f.udp.Plan(faultproxy.DatagramChaos{})
		}
	}
	n.release()
	n.cut(faultproxy.RST, true, false)
}

func (n *network) close() {
	for _, f := range n.fronts {
		if f.udp != nil {
			f.udp.Close()
		}
		f.tcp.Close()
	}
	if n.broker != nil {
		n.broker.close()
	}
}

// A server is one node.
type server struct {
	io   *socketio.Server
	http *http.Server
	quic *webtransport.Server // nil without
}

// start starts all nodes, and has the fronts lead to them.
func (r *recorder) start() error {
	var nodes []*server
	for i, f := range r.network.fronts {
		var factory adapter.Factory
		if b := r.network.broker; b != nil {
			factory = b.factories[i]
		}
		n, addr, err := r.node(factory)
		if err == nil {
			nodes = append(nodes, n)
			err = f.lead(addr)
		}
		if err != nil {
			for _, n := range nodes {
				n.close()
			}
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.nodes = nodes
	return nil
}

func (r *recorder) node(factory adapter.Factory) (n *server, addr string, err error) {
	quiet := slog.New(slog.DiscardHandler)
	o := &socketio.Options{PingInterval: pingInterval, PingTimeout: pingTimeout, Logger: quiet, Adapter: factory}
	if r.setting.Recovery {
		o.Recovery = &socketio.Recovery{}
	}
	if r.setting.quic() {
		o.Transports = []string{engineio.Polling, engineio.WebSocket, engineio.WebTransport}
	}
	n = &server{io: socketio.NewServer(o)}
	n.io.OnConnection(r.connected)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	addr = l.Addr().String()
	n.http = &http.Server{Handler: n.io, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	socketio.ConfigureServer(n.http)
	if r.setting.quic() {
		config, err := h3.Certificate()
		if err == nil {
			n.quic, err = h3.Serve(addr, n.io, webtransport.Options{TLSConfig: config, Logger: quiet})
		}
		if err != nil {
			return nil, "", errors.Join(err, l.Close())
		}
		l = tls.NewListener(l, config)
	}
	go n.http.Serve(l)
	return n, addr, nil
}

func (n *server) close() {
	_ = n.io.Close()
	_ = n.http.Close()
	if n.quic != nil {
		_ = n.quic.Close()
	}
}
