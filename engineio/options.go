package engineio

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/sockeye-go/socketio/internal/pressure"
	"github.com/sockeye-go/socketio/internal/ws"
)

// Names of the transports.
const (
	Polling      = "polling"
	WebSocket    = "websocket"
	WebTransport = "webtransport" // by package engineio/webtransport
)

// Options configure a [Server]. The zero value of each field stands for its
// default, which is fit for production, except OnSession, which must be set.
type Options struct {
	// PingInterval is the time between a pong and the next ping. Default 25 s.
	PingInterval time.Duration
	// PingTimeout is how long a pong may take. Default 20 s.
	PingTimeout time.Duration
	// UpgradeTimeout is how long a client may take from the WebSocket of an
	// upgrade to its completion. Default 10 s.
	UpgradeTimeout time.Duration

	// MaxPayload limits, in bytes, a POST body and a WebSocket message. It is
	// announced to clients. Default 1,000,000.
	MaxPayload int64
	// MaxPayloadPackets limits the packets of one POST. Default 65,536; a
	// client that sends more gets a parse error.
	MaxPayloadPackets int

	// MaxFragments limits the WebSocket frames of one message; more are allowed
	// if they have 64 bytes on average. Default 1,024. A client beyond it is
	// closed with status 1008.
	MaxFragments int
	// MaxPings limits the WebSocket pings of one client, per second. Default
	// 100. A client beyond it is closed with status 1008.
	MaxPings int
	// BodyTimeout is how long the body of a POST may take. Default 30 s.
	BodyTimeout time.Duration

	// MaxConnections limits the sessions that there are. Default 1,000,000. A
	// client beyond it gets status 503 and a Retry-After.
	MaxConnections int
	// MaxConnectionsPerAddress limits those of one client's address (of IPv6,
	// its /64); see [Server.ClientAddr]. Default none: behind a proxy that
	// TrustedProxies does not name, all clients have the proxy's address. A
	// client beyond it gets status 429 and a Retry-After.
	MaxConnectionsPerAddress int
	// MaxHandshakes limits the handshakes that are answered at the same time,
	// which may take as long as AllowRequest. Default 1,000. A client beyond it
	// gets status 503 and a Retry-After.
	MaxHandshakes int
	// TrustedProxies are the addresses of proxies whose X-Forwarded-For is
	// believed. Default none.
	TrustedProxies []netip.Prefix

	// MaxQueuedBytes limits what waits for one slow client. Default 1 MiB on
	// top of what the kernel holds. A client beyond it is cut with
	// [TransportError] and [ErrSlowConsumer].
	MaxQueuedBytes int
	// MaxQueuedPackets limits the number of Sends that wait. Default 16,384.
	MaxQueuedPackets int

	// MaxMemory is, in bytes, how much of the heap of the process may be live,
	// whatever it is used for. Above it, as each collection of garbage finds it,
	// the sessions that hold most are cut with [TransportError] and [ErrMemory],
	// those with 16 KiB and more, and new ones get status 503 and a Retry-After.
	// Default three quarters of the limit that the runtime has been given
	// (GOMEMLIMIT); without one there is none.
	MaxMemory int64

	// Transports that clients may use. Default polling and websocket. For
	// webtransport there has to be a server of engineio/webtransport, too.
	Transports []string
	// DisableUpgrades keeps polling clients on polling.
	DisableUpgrades bool

	// AllowEIO3 lets clients of revision 3 in too: those of Socket.IO 1 and 2.
	// It implies AllowJSONP.
	AllowEIO3 bool
	// AllowJSONP lets clients poll by scripts, in either revision: browsers so
	// old that they cannot poll another origin. Pages of other origins need
	// CORS or CheckOrigin, as for a WebSocket.
	AllowJSONP bool

	// PerMessageDeflate compresses messages over WebSocket. Default nil: no.
	PerMessageDeflate *PerMessageDeflate
	// HTTPCompression compresses responses to long-polling requests. Default nil:
	// those of 1 KiB and more, with gzip or deflate.
	HTTPCompression *HTTPCompression

	// CORS allows pages of other origins. Default nil: none.
	CORS *CORS
	// CheckOrigin decides about the Origin of a WebSocket. Default: the same
	// origin, those of CORS, and clients that are no browsers.
	CheckOrigin func(*http.Request) bool
	// AllowRequest is asked once per session, at its handshake. A
	// [*RefuseError] chooses status and body; of any other error only the log
	// sees the text, the client gets code 4.
	AllowRequest func(*http.Request) error

	// GenerateID makes the sid of a session, in place of 120 random bits.
	// Whoever knows a sid can speak for its session, so it must be impossible to
	// guess, and unique; letters, digits and -_.~ are allowed. An error refuses
	// the request with code 3.
	GenerateID func(*http.Request) (string, error)
	// Forwarder lets every node of a cluster take the requests for sessions of all
	// of them: [github.com/sockeye-go/socketio/engineio/forward]. It is for this
	// server alone, which shuts it down. Default nil: a load balancer has to send
	// the requests of a polling session to one node.
	Forwarder Forwarder
	// InitialPacket is sent right behind the open packet.
	InitialPacket *Message

	// Cookie sets a cookie with the sid in the answer to a handshake over
	// polling, for load balancers that route by cookie. Default nil: none.
	Cookie *Cookie
	// InitialHeaders may change the headers of the first response of a session,
	// and Headers those of each response and of each 101, refusals excepted.
	// They run on the goroutine of the request.
	InitialHeaders, Headers func(http.Header, *http.Request)

	// OnSession is called once per handshake and returns the receiver of the
	// session's messages. What it sends arrives right behind the open packet.
	// The body of r must not be touched; r may be kept, at a price in memory.
	OnSession func(s *Session, r *http.Request) Receiver
	// OnConnectionError is told of every request that is refused.
	OnConnectionError func(*ConnectionError)

	// Logger gets what an operator should know. Default slog.Default().
	Logger *slog.Logger
}

// withDefaults returns a copy with every default filled in. It panics on
// values that make no sense: they are a programmer's mistake.
func (o *Options) withDefaults() *Options {
	var c Options
	if o != nil {
		c = *o
	}
	setDuration(&c.PingInterval, 25*time.Second, "PingInterval")
	setDuration(&c.PingTimeout, 20*time.Second, "PingTimeout")
	setDuration(&c.UpgradeTimeout, 10*time.Second, "UpgradeTimeout")
	setNumber(&c.MaxPayload, 1_000_000, "MaxPayload")
	setNumber(&c.MaxPayloadPackets, 1<<16, "MaxPayloadPackets")
	setNumber(&c.MaxFragments, ws.DefaultFragments, "MaxFragments")
	setNumber(&c.MaxPings, 100, "MaxPings")
	setDuration(&c.BodyTimeout, 30*time.Second, "BodyTimeout")
	setNumber(&c.MaxConnections, 1_000_000, "MaxConnections")
	setNumber(&c.MaxConnectionsPerAddress, 0, "MaxConnectionsPerAddress")
	setNumber(&c.MaxHandshakes, 1000, "MaxHandshakes")
	setNumber(&c.MaxQueuedBytes, 1<<20, "MaxQueuedBytes")
	setNumber(&c.MaxQueuedPackets, 1<<14, "MaxQueuedPackets")
	setNumber(&c.MaxMemory, pressure.Limit()/4*3, "MaxMemory")
	c.PerMessageDeflate = c.PerMessageDeflate.withDefaults()
	c.HTTPCompression = c.HTTPCompression.withDefaults()
	if c.Transports == nil {
		c.Transports = []string{Polling, WebSocket}
	}
	for _, t := range c.Transports {
		if t != Polling && t != WebSocket && t != WebTransport {
			panic(fmt.Sprintf("engineio: Options.Transports: unknown transport %q", t))
		}
	}
	if len(c.Transports) == 0 {
		panic("engineio: Options.Transports: empty; nil stands for the default")
	}
	if c.CORS != nil {
		cors := *c.CORS
		cors.check()
		c.CORS = &cors
	}
	c.AllowJSONP = c.AllowJSONP || c.AllowEIO3
	if c.Cookie != nil {
		cookie := *c.Cookie
		cookie.check()
		c.Cookie = &cookie
	}
	if c.InitialPacket != nil {
		m := *c.InitialPacket
		m.Data = bytes.Clone(m.Data)
		c.InitialPacket = &m
	}
	if c.OnSession == nil {
		panic("engineio: Options.OnSession: must be set")
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return &c
}

func setDuration(d *time.Duration, def time.Duration, name string) {
	if *d == 0 {
		*d = def
	}
	if *d < time.Millisecond {
		panic(fmt.Sprintf("engineio: Options.%s: %v is shorter than a millisecond", name, *d))
	}
}

func setNumber[T int | int64](n *T, def T, name string) {
	if *n == 0 {
		*n = def
	}
	if *n < 0 {
		panic(fmt.Sprintf("engineio: Options.%s: %d is negative", name, *n))
	}
}

func (o *Options) allows(transport string) bool {
	return slices.Contains(o.Transports, transport)
}

// upgradesFrom returns the transports to which a session may move, as the
// inside of a JSON array. From a WebSocket there is no way on: it cannot be paused
// by the clients that there are.
func (o *Options) upgradesFrom(transport string) string {
	list := ""
	if transport != Polling || o.DisableUpgrades {
		return list
	}
	for _, to := range []string{WebSocket, WebTransport} {
		if o.allows(to) {
			if list != "" {
				list += ","
			}
			list += `"` + to + `"`
		}
	}
	return list
}

// validOrigin reports whether the Origin header could come from a browser;
// control characters in it could otherwise end up in a log or a header.
func validOrigin(origin string) bool {
	return !strings.ContainsFunc(origin, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f || r > 0xff })
}
