package forward

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockeye-go/socketio/engineio"
)

// Options configure a [Forwarder]. Address and Key must be set; the zero value of
// each other field stands for its default.
type Options struct {
	// Address is where other nodes reach this server: host and port, or a URL
	// without a path for https. Not that of a load balancer.
	Address string
	// Key is a secret of 16 bytes or more that all nodes have.
	Key []byte
	// OldKeys are accepted beside Key, so that it can be changed: first add the
	// new one here on all nodes, then make it the Key.
	OldKeys [][]byte
	// DialTimeout is how long another node may take to accept a connection, and
	// for how long it is not asked again when it did not. Default 1 s.
	DialTimeout time.Duration
	// MaxForwarded limits the requests, and WebSockets, that are being forwarded
	// at the same time. A client beyond it gets status 503. Default 100,000.
	MaxForwarded int
	// TLSConfig is for nodes whose Address is https.
	TLSConfig *tls.Config
	// NetDial connects to another node. Default a net.Dialer.
	NetDial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Logger is told of nodes that cannot be reached. Default slog.Default().
	Logger *slog.Logger
}

// minKey is the shortest key, in bytes.
const minKey = 16

// A Forwarder is an [engineio.Forwarder] for one server, which shuts it down.
type Forwarder struct {
	o     Options
	self  string // as it is in sids
	seals []seal // the first makes sids, all open them
	http  *http.Transport
	log   *slog.Logger
	open  atomic.Int64
	total atomic.Int64

	patience time.Duration // with clients at the end of a tunnel

	mu     sync.Mutex
	active map[*forwarded]struct{}
	down   map[string]time.Time // nodes that were not reached, until when they are not asked
	closed bool
}

var _ engineio.Forwarder = (*Forwarder)(nil)

// New returns a Forwarder. An error says which option is missing or makes no sense.
func New(o *Options) (*Forwarder, error) {
	f := &Forwarder{active: make(map[*forwarded]struct{}), down: make(map[string]time.Time), patience: tunnelPatience}
	if o != nil {
		f.o = *o
	}
	self, err := node(f.o.Address)
	if err != nil {
		return nil, fmt.Errorf("forward: Options.Address: %w", err)
	}
	f.self = self
	for _, key := range append([][]byte{f.o.Key}, f.o.OldKeys...) {
		if len(key) < minKey {
			return nil, fmt.Errorf("forward: Options.Key: a key of %d bytes; want %d or more", len(key), minKey)
		}
		f.seals = append(f.seals, newSeal(key))
	}
	if f.o.DialTimeout < 0 || f.o.MaxForwarded < 0 {
		return nil, errors.New("forward: Options: DialTimeout and MaxForwarded must not be negative")
	}
	f.o.DialTimeout = cmp.Or(f.o.DialTimeout, time.Second)
	f.o.MaxForwarded = cmp.Or(f.o.MaxForwarded, 100_000)
	if f.o.NetDial == nil {
		// What a node that vanished has not answered is given up after 20 s.
		f.o.NetDial = (&net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 5 * time.Second, Count: 3}}).DialContext
	}
	f.log = f.o.Logger
	if f.log == nil {
		f.log = slog.Default()
	}
	f.http = &http.Transport{
		DialContext:         f.dialTCP,
		TLSClientConfig:     f.o.TLSConfig,
		TLSHandshakeTimeout: f.o.DialTimeout,
		MaxIdleConnsPerHost: 64,
		// Shorter than what a server has patience for, so that it is not the one
		// who closes: a request would be lost on the way.
		IdleConnTimeout:    15 * time.Second,
		DisableCompression: true,
	}
	return f, nil
}

// node returns the address of a node as it is in sids: scheme, host and port.
func node(address string) (string, error) {
	if address == "" {
		return "", errors.New("must be set: where other nodes reach this one")
	}
	full := address
	if !strings.Contains(address, "://") {
		full = "http://" + address
	}
	u, err := url.Parse(full)
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(u.Host)
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return "", fmt.Errorf("%q is neither http nor https", address)
	case err != nil || u.Hostname() == "" || port == "" || port == "0":
		return "", fmt.Errorf("%q has no host and port", address)
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil:
		return "", fmt.Errorf("%q is more than a host and a port", address)
	case len(address) > maxAddress:
		return "", fmt.Errorf("%q is longer than %d bytes", address, maxAddress)
	}
	if u.Scheme == "http" {
		return u.Host, nil
	}
	return u.Scheme + "://" + u.Host, nil
}

// Stats are counts of a [Forwarder].
type Stats struct {
	Open  int   // requests and WebSockets that are being forwarded
	Total int64 // since the start
}

// Stats returns the counts.
func (f *Forwarder) Stats() Stats { return Stats{Open: int(f.open.Load()), Total: f.total.Load()} }

// SID implements [engineio.Forwarder].
func (f *Forwarder) SID(id string) string { return f.seals[0].sid(id, f.self) }

// owner returns the node that gave out a sid, "" if none of ours did.
func (f *Forwarder) owner(sid string) string {
	for _, s := range f.seals {
		if address, ok := s.open(sid); ok {
			return address
		}
	}
	return ""
}

var (
	errStranger = errors.New("forward: the sid is of no node with this key")
	errHere     = errors.New("forward: the sid is of this node, which does not have the session any more")
	errTwice    = errors.New("forward: the request has been forwarded before")
	errClosed   = errors.New("forward: shut down")
)

// Forward implements [engineio.Forwarder].
func (f *Forwarder) Forward(w http.ResponseWriter, r *http.Request, sid string) error {
	if r.Header.Get(header) != "" {
		return errTwice
	}
	address := f.owner(sid)
	switch {
	case address == "":
		return errStranger
	case address == f.self:
		return errHere
	case f.isDown(address):
		return engineio.ErrNodeAway
	}
	x, err := f.begin()
	if err != nil {
		return err
	}
	out, err := f.request(r, address, sid)
	if err != nil {
		x.end()
		return err
	}
	if isUpgrade(r) {
		return x.tunnel(w, r, out, address)
	}
	defer x.end()
	return x.relay(w, r, out)
}

// begin counts a request that is forwarded, until its end.
func (f *Forwarder) begin() (*forwarded, error) {
	x := &forwarded{f: f}
	x.ctx, x.cancel = context.WithCancel(context.Background())
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, errClosed
	}
	if len(f.active) >= f.o.MaxForwarded {
		return nil, engineio.ErrForwardLimit
	}
	f.active[x] = struct{}{}
	f.open.Add(1)
	f.total.Add(1)
	return x, nil
}

// A forwarded request, or WebSocket, ends when its context does.
type forwarded struct {
	f      *Forwarder
	ctx    context.Context
	cancel context.CancelFunc
}

func (x *forwarded) end() {
	x.cancel()
	x.f.mu.Lock()
	defer x.f.mu.Unlock()
	if _, ok := x.f.active[x]; ok {
		delete(x.f.active, x)
		x.f.open.Add(-1)
	}
}

// isDown reports whether a node could not be reached a moment ago.
func (f *Forwarder) isDown(address string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.down) > 0 && time.Now().Before(f.down[address])
}

// away notes that a node cannot be reached.
func (f *Forwarder) away(address string, err error) error {
	now := time.Now()
	f.mu.Lock()
	_, known := f.down[address]
	for a, until := range f.down {
		if until.Before(now) {
			delete(f.down, a)
		}
	}
	f.down[address] = now.Add(f.o.DialTimeout)
	f.mu.Unlock()
	if !known {
		f.log.Warn("a node that has sessions cannot be reached", "address", address, "error", err)
	}
	return fmt.Errorf("%w: %w", engineio.ErrNodeAway, err)
}

func (f *Forwarder) dialTCP(ctx context.Context, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, f.o.DialTimeout)
	defer cancel()
	return f.o.NetDial(ctx, network, addr)
}

// Waves of Shutdown: 2,000 a second, as a socketio.Server closes its own.
const (
	wave     = 100
	waveTime = 50 * time.Millisecond
)

// Shutdown implements [engineio.Forwarder]. Clients whose WebSocket goes through
// this node are cut, and come back through another.
func (f *Forwarder) Shutdown(ctx context.Context) {
	f.mu.Lock()
	f.closed = true
	all := make([]*forwarded, 0, len(f.active))
	for x := range f.active {
		all = append(all, x)
	}
	f.mu.Unlock()
	for i, x := range all {
		if i > 0 && i%wave == 0 && ctx.Err() == nil {
			t := time.NewTimer(waveTime)
			select {
			case <-t.C:
			case <-ctx.Done():
				t.Stop()
			}
		}
		x.cancel()
	}
	f.http.CloseIdleConnections()
}
