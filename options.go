package socketio

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/parser"
)

// Names of package engineio that programs need together with [Options].
type (
	// CORS allows pages of other origins.
	CORS = engineio.CORS
	// PerMessageDeflate compresses WebSocket messages.
	PerMessageDeflate = engineio.PerMessageDeflate
	// HTTPCompression compresses long-polling.
	HTTPCompression = engineio.HTTPCompression
	// RefuseError is how Options.AllowRequest chooses status and body.
	RefuseError = engineio.RefuseError
	// ConnectionError is a request that was refused.
	ConnectionError = engineio.ConnectionError
	// Cookie carries the sid to load balancers.
	Cookie = engineio.Cookie
)

// Options configure a [Server]. The zero value of each field stands for its
// default, and all of them together are fit for production.
type Options struct {
	// PingInterval is the time between a pong and the next ping. Default 25 s.
	PingInterval time.Duration
	// PingTimeout is how long a pong may take. Default 20 s.
	PingTimeout time.Duration
	// UpgradeTimeout is how long an upgrade of the transport may take.
	// Default 10 s.
	UpgradeTimeout time.Duration
	// ConnectTimeout is how long a connection may go without joining a
	// namespace. Default 45 s.
	ConnectTimeout time.Duration
	// OnceWindow is for how long after its connection the server remembers the
	// last send, and its answer, of a Go client that repeats its sends
	// (client.SocketOptions.Retries), so that a repetition is answered and not
	// handled again. Default 2 min.
	OnceWindow time.Duration

	// MaxPayload limits, in bytes, a POST body and a WebSocket message.
	// Default 1,000,000 (maxHttpBufferSize in JavaScript).
	MaxPayload int64
	// MaxPayloadPackets limits the packets of one POST. A client that sends
	// more gets a parse error. Default 65,536.
	MaxPayloadPackets int
	// MaxAttachments limits the binary attachments of one packet. Default 10.
	MaxAttachments int
	// MaxAttachmentBytes limits the attachments of one packet together, in
	// bytes: so much one client can make the server hold by a packet that it
	// never completes. Default MaxAttachments times MaxPayload.
	MaxAttachmentBytes int64
	// MaxArguments limits the arguments of one event. Default 4,096.
	MaxArguments int
	// MaxDepth limits how deep arrays and objects nest in a packet; the list of
	// arguments is the first level. Default 512.
	MaxDepth int
	// MaxEventName limits, in bytes, the name of an event. Default 4,096.
	MaxEventName int
	// MaxNamespaceName limits, in bytes, the name of a namespace in a packet,
	// with the query that may be part of it. Default 4,096.
	MaxNamespaceName int
	// MaxFragments limits the WebSocket frames of one message; more are allowed
	// if they have 64 bytes on average. Default 1,024.
	MaxFragments int
	// MaxPings limits the WebSocket pings of one client, per second. Default
	// 100.
	MaxPings int
	// BodyTimeout is how long the body of a POST may take. Default 30 s.
	BodyTimeout time.Duration

	// MaxConnections limits the connections that there are. Default 1,000,000.
	// A client beyond it gets status 503 and a Retry-After.
	MaxConnections int
	// MaxConnectionsPerAddress limits those of one client's address (of IPv6,
	// its /64). Default none: behind a proxy that TrustedProxies does not name,
	// all clients have the proxy's address. A client beyond it gets status 429.
	MaxConnectionsPerAddress int
	// MaxSocketsPerUser limits the sockets of one user in one namespace, by
	// what User says. Default none; it needs User. A client beyond it is
	// refused with "too many connections".
	MaxSocketsPerUser int
	// User names the user whose socket this is, when middleware has let it in;
	// "" is nobody, without a limit.
	User func(*Socket) string
	// MaxHandshakes limits the handshakes that are answered at the same time,
	// which may take as long as AllowRequest. Default 1,000. A client beyond it
	// gets status 503 and a Retry-After.
	MaxHandshakes int
	// TrustedProxies are the addresses of proxies whose X-Forwarded-For is
	// believed. Default none.
	TrustedProxies []netip.Prefix
	// MaxDynamicNamespaces limits the namespaces that clients have the server
	// make ([Server.OfFunc]): their names are the clients' choice, and each
	// costs memory until the server ends. Who asks for one more is told that it
	// is invalid. Default 10,000.
	MaxDynamicNamespaces int
	// MaxNamespaces limits the namespaces that one connection joins.
	// Default 100.
	MaxNamespaces int
	// MaxRooms limits the rooms that one socket is in. Default 1,000.
	MaxRooms int
	// MaxRoomName limits, in bytes, the name of a room, which often comes from
	// a client. Default 4,096.
	MaxRoomName int
	// MaxPendingAcks limits the acks that one socket owes us. Default 4,096.
	MaxPendingAcks int

	// MaxReceivedEvents and MaxReceivedBytes limit the events, and
	// disconnects, of one connection that wait for its handlers. When they are reached, reading
	// stops until half of it is done and TCP holds the client back; while a
	// handler waits for an ack of this connection reading goes on, up to 16
	// times the limits, and a client beyond that is cut. Default 1,024 and
	// 1 MiB.
	MaxReceivedEvents int
	MaxReceivedBytes  int

	// MaxQueuedBytes and MaxQueuedPackets limit what waits for one slow
	// client. A client beyond it is cut. Default 1 MiB and 16,384.
	MaxQueuedBytes   int
	MaxQueuedPackets int

	// MaxMemory is, in bytes, how much of the heap of the process may be live,
	// whatever it is used for. Above it the connections that hold most are cut,
	// of those that hold 16 KiB and more, and new ones get status 503. Default
	// three quarters of the limit of the runtime (GOMEMLIMIT); without one there
	// is none.
	MaxMemory int64

	// Transports that clients may use. Default "polling" and "websocket"; for
	// "webtransport" there has to be a server of engineio/webtransport, too.
	Transports []string
	// DisableUpgrades keeps polling clients on polling.
	DisableUpgrades bool
	// AllowEIO3 lets clients of Socket.IO 1 and 2 in too (Engine.IO revision 3).
	// It implies AllowJSONP. They join "/" without being asked, whatever else
	// they want; the id of their sockets tells the sid, which is a secret, so do
	// not show it to other users.
	AllowEIO3 bool
	// AllowJSONP lets clients poll by scripts: browsers so old that they cannot
	// poll another origin. Pages of other origins need CORS or CheckOrigin, as
	// for a WebSocket.
	AllowJSONP bool
	// DisableClient stops serving the browser client (socket.io.js and its
	// kin) beside the engine.
	DisableClient bool

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
	// AllowRequest is asked once per connection, at its handshake. A
	// [*RefuseError] chooses status and body; of any other error only the log
	// sees the text.
	AllowRequest func(*http.Request) error
	// OnConnectionError is told of every request that is refused.
	OnConnectionError func(*ConnectionError)

	// GenerateID makes the sid of a connection (not the ids of sockets), in place
	// of 120 random bits. It must be impossible to guess, and unique; letters,
	// digits and -_.~ are allowed. An error refuses the request with code 3.
	GenerateID func(*http.Request) (string, error)
	// Forwarder lets every node of a cluster take the requests for connections of
	// all of them, so that a load balancer may spread them without stickiness:
	// package engineio/forward. It is for this server alone, which shuts it down.
	// Default nil: a load balancer has to send the requests of a polling client to
	// one node.
	Forwarder engineio.Forwarder
	// Cookie sets a cookie with the sid in the answer to a handshake over
	// polling, for load balancers that route by cookie. Default nil: none.
	Cookie *Cookie
	// InitialHeaders may change the headers of the first response of a
	// connection, and Headers those of each response of the engine, refusals
	// excepted. They run on the goroutine of the request.
	InitialHeaders, Headers func(http.Header, *http.Request)

	// KeepHeaders names the request headers that sockets can be asked for
	// after OnConnection has returned. Default none: a connection then costs
	// no memory for them.
	KeepHeaders []string

	// Parser encodes packets. Default parser.JSON; clients must use the same.
	Parser parser.Parser
	// Adapter makes the adapter of each namespace. Default adapter.NewMemory.
	Adapter adapter.Factory

	// CleanupEmptyNamespaces ends a namespace that a client had made when the
	// last client has left it, with its adapter and what was registered on it
	// alone. Default false: it stays, up to MaxDynamicNamespaces of them.
	CleanupEmptyNamespaces bool
	// Recovery lets clients whose connection broke come back as who they were,
	// and receive what they missed. Default nil: they do not.
	Recovery *Recovery

	// ShutdownDelay is how long Shutdown goes on as before, with Draining
	// reporting true, so that a load balancer looks elsewhere before anybody is
	// refused; half of the time until the end of its context at the most. Default
	// none.
	ShutdownDelay time.Duration
	// ShutdownEvent is emitted to each socket right before Shutdown ends its
	// connection, without arguments: a hint for clients that want to tell a restart
	// from a network that broke. Default none.
	ShutdownEvent string
	// ShutdownRate is how many connections Shutdown closes in a second, so that
	// they do not all come back at once, somewhere else. Default 2,000.
	ShutdownRate int
	// ShutdownGrace is how long Shutdown waits for the handlers of a connection
	// before it closes it. Default 1 s.
	ShutdownGrace time.Duration

	// Logger gets what an operator should know; at level Debug also one
	// record per lifecycle change and per packet. Each has the attribute
	// component. The environment variable SOCKEYE_DEBUG chooses the components
	// whose debug records are seen, on standard error if Logger does not take
	// them: docs/debugging.md. Default slog.Default().
	Logger *slog.Logger
}

// hardFactor is how much more than its limits a connection may have waiting
// while a handler of it waits for an ack.
const hardFactor = 16

// withDefaults returns a checked copy. It panics with the field's name on
// values that make no sense: they are a programmer's mistake. The engine
// checks its own fields.
func (o *Options) withDefaults() *Options {
	var c Options
	if o != nil {
		c = *o
	}
	number := func(n *int, def int, name string) {
		if *n < 0 {
			panic(fmt.Sprintf("socketio: Options.%s: %d is negative", name, *n))
		}
		if *n == 0 {
			*n = def
		}
	}
	number(&c.MaxAttachments, 10, "MaxAttachments")
	if c.MaxAttachmentBytes < 0 {
		panic(fmt.Sprintf("socketio: Options.MaxAttachmentBytes: %d is negative", c.MaxAttachmentBytes))
	}
	if c.MaxAttachmentBytes == 0 {
		c.MaxAttachmentBytes = int64(c.MaxAttachments) * cmp.Or(c.MaxPayload, 1_000_000)
	}
	number(&c.MaxArguments, 4096, "MaxArguments")
	number(&c.MaxDepth, 512, "MaxDepth")
	number(&c.MaxEventName, 4096, "MaxEventName")
	number(&c.MaxNamespaceName, 4096, "MaxNamespaceName")
	number(&c.MaxDynamicNamespaces, 10_000, "MaxDynamicNamespaces")
	number(&c.MaxSocketsPerUser, 0, "MaxSocketsPerUser")
	if c.MaxSocketsPerUser > 0 && c.User == nil {
		panic("socketio: Options.MaxSocketsPerUser: needs User, which says whose socket it is")
	}
	number(&c.MaxNamespaces, 100, "MaxNamespaces")
	number(&c.MaxRooms, 1000, "MaxRooms")
	number(&c.MaxRoomName, 4096, "MaxRoomName")
	number(&c.MaxPendingAcks, 4096, "MaxPendingAcks")
	number(&c.MaxReceivedEvents, 1024, "MaxReceivedEvents")
	number(&c.MaxReceivedBytes, 1<<20, "MaxReceivedBytes")
	if c.ConnectTimeout < 0 {
		panic(fmt.Sprintf("socketio: Options.ConnectTimeout: %v is negative", c.ConnectTimeout))
	}
	if c.OnceWindow < 0 {
		panic(fmt.Sprintf("socketio: Options.OnceWindow: %v is negative", c.OnceWindow))
	}
	if c.OnceWindow == 0 {
		c.OnceWindow = 2 * time.Minute
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = 45 * time.Second
	}
	if c.ShutdownDelay < 0 {
		panic(fmt.Sprintf("socketio: Options.ShutdownDelay: %v is negative", c.ShutdownDelay))
	}
	if c.ShutdownGrace < 0 {
		panic(fmt.Sprintf("socketio: Options.ShutdownGrace: %v is negative", c.ShutdownGrace))
	}
	if c.ShutdownGrace == 0 {
		c.ShutdownGrace = time.Second
	}
	if c.ShutdownEvent != "" && checkEvent(c.ShutdownEvent) != nil {
		panic(fmt.Sprintf("socketio: Options.ShutdownEvent: %q is a reserved name", c.ShutdownEvent))
	}
	number(&c.ShutdownRate, 2000, "ShutdownRate")
	if c.Parser == nil {
		c.Parser = parser.JSON
	}
	if c.Adapter == nil {
		c.Adapter = adapter.NewMemory
	}
	if c.Recovery != nil {
		c.Recovery = c.Recovery.withDefaults()
		checkOffsets(c.Parser)
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return &c
}

// engine returns the options of the layer below.
func (o *Options) engine() *engineio.Options {
	return &engineio.Options{
		PingInterval:      o.PingInterval,
		PingTimeout:       o.PingTimeout,
		UpgradeTimeout:    o.UpgradeTimeout,
		MaxPayload:        o.MaxPayload,
		MaxPayloadPackets: o.MaxPayloadPackets,
		MaxFragments:      o.MaxFragments,
		MaxPings:          o.MaxPings,
		BodyTimeout:       o.BodyTimeout,
		MaxConnections:    o.MaxConnections,
		MaxHandshakes:     o.MaxHandshakes,
		TrustedProxies:    o.TrustedProxies,
		MaxQueuedBytes:    o.MaxQueuedBytes,
		MaxMemory:         o.MaxMemory,

		MaxConnectionsPerAddress: o.MaxConnectionsPerAddress,
		MaxQueuedPackets:         o.MaxQueuedPackets,
		Transports:               o.Transports,
		DisableUpgrades:          o.DisableUpgrades,
		AllowEIO3:                o.AllowEIO3,
		AllowJSONP:               o.AllowJSONP,
		GenerateID:               o.GenerateID,
		Forwarder:                o.Forwarder,
		Cookie:                   o.Cookie,
		InitialHeaders:           o.InitialHeaders,
		Headers:                  o.Headers,
		PerMessageDeflate:        o.PerMessageDeflate,
		HTTPCompression:          o.HTTPCompression,
		CORS:                     o.CORS,
		CheckOrigin:              o.CheckOrigin,
		AllowRequest:             o.AllowRequest,
		OnConnectionError:        o.OnConnectionError,
		Logger:                   o.Logger,
	}
}

// ConfigureServer sets the limits that only an [http.Server] can set, where
// they are not set yet: 10 s and 64 KiB for the headers of a request, and 2
// minutes for an idle connection. It leaves ReadTimeout and WriteTimeout alone,
// since long-polling requests outlast any that would be of use; the engine
// limits the time of a body itself.
//
// What a server cannot set is its listener's: net.Listen switches on the keep-alive of
// TCP, four system calls for each connection, which heartbeats make needless.
// [net.ListenConfig] with a KeepAlive of -1 leaves it off.
func ConfigureServer(s *http.Server) {
	if s.ReadHeaderTimeout == 0 {
		s.ReadHeaderTimeout = 10 * time.Second
	}
	if s.MaxHeaderBytes == 0 {
		s.MaxHeaderBytes = 64 << 10
	}
	if s.IdleTimeout == 0 {
		s.IdleTimeout = 2 * time.Minute
	}
}
