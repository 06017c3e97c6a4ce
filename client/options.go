package client

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/parser"
)

// NoJitter is the RandomizationFactor of attempts that come at exact times.
const NoJitter = -1

// Options configure a [Manager]. The zero value of each field stands for its
// default, which is fit for production. A value that makes no sense is a
// programmer's mistake: New panics with the name of the field.
type Options struct {
	// Path of the server's engine. Default "/socket.io/".
	Path string
	// Protocol is the revision of Engine.IO: 4, the default, or 3 for servers
	// of Socket.IO 2.
	Protocol int
	// Transports to try, in order. Default engineio.WebSocket, then
	// engineio.Polling for where WebSocket does not get through. With Polling
	// first, as in browsers, the connection moves to WebSocket, or to WebTransport
	// if that is in the list, when it can.
	Transports []string
	// WebTransport makes the connections of engineio.WebTransport: a
	// webtransport.Dialer, of the package that links QUIC. It must be set to have
	// that in Transports.
	WebTransport engineio.StreamDialer
	// DisableUpgrades keeps a connection that began with polling there.
	DisableUpgrades bool
	// Query is added to that of the URL, Header to every request. Host in
	// Header is the name that the server sees.
	Query  url.Values
	Header http.Header
	// Jar keeps cookies, such as those of a load balancer. Default nil: none.
	Jar http.CookieJar
	// TLSConfig, Proxy and NetDial are how connections are made. Proxy defaults
	// to http.ProxyFromEnvironment, NetDial to that of a net.Dialer.
	TLSConfig *tls.Config
	Proxy     func(*http.Request) (*url.URL, error)
	NetDial   func(ctx context.Context, network, addr string) (net.Conn, error)
	// RoundTripper makes all requests, that of a WebSocket too, in place of the
	// three fields above.
	RoundTripper http.RoundTripper
	// PerMessageDeflate offers compression over WebSocket. Default nil: no. Use one
	// for all clients of a process: they share its compressors.
	PerMessageDeflate *socketio.PerMessageDeflate
	// Parser encodes packets. Default parser.JSON; the server must use the same.
	Parser parser.Parser

	// Timeout bounds an attempt to connect, and the wait of Connect for the
	// server's answer to CONNECT. Default 20 s.
	Timeout time.Duration
	// DisableReconnection leaves a lost connection lost.
	DisableReconnection bool
	// RetryConnect makes Connect go on after a failed attempt as after a lost
	// connection, until its context ends.
	RetryConnect bool
	// ReconnectionAttempts is how often a lost connection is tried again.
	// Default 0: without end.
	ReconnectionAttempts int
	// ReconnectionDelay is the pause before the first of them, 1 s by default.
	// It doubles with each, up to ReconnectionDelayMax, 5 s by default, and
	// is longer or shorter by up to the RandomizationFactor, 0.5 by default.
	ReconnectionDelay    time.Duration
	ReconnectionDelayMax time.Duration
	RandomizationFactor  float64

	// SocketOptions of sockets that are made without their own.
	SocketOptions

	// AckErrors makes the answer of a handler that returns an error in place
	// of one. Default socketio.DefaultAckErrors; nil as an answer sends none.
	AckErrors func(error) any
	// ErrorAcks makes errors of answers of the form {"error":{"code":…}}, as
	// this module's server sends them: EmitWithAck returns a
	// [*socketio.AckError]. Default false, because it may be data.
	ErrorAcks bool

	// MaxPayload is the largest message, in bytes, that is taken from the
	// server. Default 16 MB.
	MaxPayload int64
	// MaxPayloadPackets limits the packets in one answer to a poll. Default
	// 65,536.
	MaxPayloadPackets int
	// MaxAttachments limits the binary attachments of a received packet, 10 by
	// default as in the original, and MaxAttachmentBytes all of them together,
	// twice MaxPayload by default.
	MaxAttachments     int
	MaxAttachmentBytes int64
	// MaxReceivedEvents and MaxReceivedBytes limit what waits for handlers.
	// Above them reading stops until half of it is done, and TCP holds the
	// server back; while an ack is waited for reading goes on, up to 16 times
	// the limits. Default 1,024 and 4 MiB.
	MaxReceivedEvents int
	MaxReceivedBytes  int
	// MaxPendingAcks limits the acks that one socket waits for. Default 65,536.
	MaxPendingAcks int
	// MaxBufferedEvents and MaxBufferedBytes limit what one socket keeps while
	// it is not connected, or for its retries. Default 1,024 and 1 MiB.
	MaxBufferedEvents int
	MaxBufferedBytes  int
	// MaxQueuedBytes limits what waits to be written to the network. Default
	// 16 MiB.
	MaxQueuedBytes int

	// OnError gets what handlers return, their panics, and sends that were
	// given up. Default: the Logger.
	OnError func(s *Socket, event string, err error)
	// Logger gets what nobody else is told. Default slog.Default().
	Logger *slog.Logger
}

// SocketOptions are those of one namespace.
type SocketOptions struct {
	// Auth is sent with each CONNECT; it encodes as a JSON object. AuthFunc
	// makes it anew at each attempt and comes first. In revision 3 it becomes
	// the query of a namespace other than "/".
	Auth     any
	AuthFunc func(ctx context.Context) (any, error)

	// Retries makes the socket send one event at a time, in order, and again
	// until the server acknowledges it, or it was sent 1+Retries times: what
	// is emitted arrives at least once, and against this module's server once.
	// The server's handlers must acknowledge; those of this module's server do.
	// Default 0: events are sent once and at once.
	Retries int
	// AckTimeout ends the wait for an ack with [ErrAckTimeout]. Default none,
	// with Retries 10 s.
	AckTimeout time.Duration
}

func (o *Options) withDefaults() *Options {
	var c Options
	if o != nil {
		c = *o
	}
	wrong := func(name string, v any) { panic(fmt.Sprintf("client: Options.%s: %v makes no sense", name, v)) }
	if c.Protocol == 0 {
		c.Protocol = 4
	}
	if c.Protocol != 3 && c.Protocol != 4 {
		wrong("Protocol", c.Protocol)
	}
	number(&c.MaxPayload, 16e6, "MaxPayload")
	number(&c.MaxPayloadPackets, 1<<16, "MaxPayloadPackets")
	number(&c.MaxAttachments, 10, "MaxAttachments")
	number(&c.MaxAttachmentBytes, 2*c.MaxPayload, "MaxAttachmentBytes")
	number(&c.MaxReceivedEvents, 1024, "MaxReceivedEvents")
	number(&c.MaxReceivedBytes, 4<<20, "MaxReceivedBytes")
	number(&c.MaxPendingAcks, 1<<16, "MaxPendingAcks")
	number(&c.MaxBufferedEvents, 1024, "MaxBufferedEvents")
	number(&c.MaxBufferedBytes, 1<<20, "MaxBufferedBytes")
	number(&c.MaxQueuedBytes, 16<<20, "MaxQueuedBytes")
	number(&c.Timeout, 20*time.Second, "Timeout")
	number(&c.ReconnectionDelay, time.Second, "ReconnectionDelay")
	number(&c.ReconnectionDelayMax, 5*time.Second, "ReconnectionDelayMax")
	number(&c.ReconnectionAttempts, 0, "ReconnectionAttempts")
	switch {
	case c.RandomizationFactor == NoJitter:
		c.RandomizationFactor = 0
	case c.RandomizationFactor == 0:
		c.RandomizationFactor = 0.5
	case c.RandomizationFactor < 0 || c.RandomizationFactor > 1:
		wrong("RandomizationFactor", c.RandomizationFactor)
	}
	if err := c.engine().Check(); err != nil {
		panic("client: " + err.Error())
	}
	c.SocketOptions = c.SocketOptions.withDefaults()
	if c.Path == "" {
		c.Path = "/socket.io/"
	}
	if c.Parser == nil {
		c.Parser = parser.JSON
	}
	if c.AckErrors == nil {
		c.AckErrors = socketio.DefaultAckErrors
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return &c
}

func (o SocketOptions) withDefaults() SocketOptions {
	number(&o.Retries, 0, "Retries")
	if o.Retries > 0 {
		number(&o.AckTimeout, 10*time.Second, "AckTimeout")
	}
	number(&o.AckTimeout, 0, "AckTimeout")
	return o
}

func number[T int | int64 | time.Duration](n *T, def T, name string) {
	if *n < 0 {
		panic(fmt.Sprintf("client: Options.%s: %v is negative", name, *n))
	}
	if *n == 0 {
		*n = def
	}
}

// engine returns the options of the layer below.
func (o *Options) engine() *engineio.DialOptions {
	return &engineio.DialOptions{
		Protocol: o.Protocol, Transports: o.Transports, DisableUpgrades: o.DisableUpgrades,
		WebTransport: o.WebTransport, PerMessageDeflate: o.PerMessageDeflate,
		Query: o.Query, Header: o.Header, Jar: o.Jar,
		TLSConfig: o.TLSConfig, Proxy: o.Proxy, NetDial: o.NetDial, RoundTripper: o.RoundTripper,
		MaxPayload: o.MaxPayload, MaxPayloadPackets: o.MaxPayloadPackets, MaxQueuedBytes: o.MaxQueuedBytes,
	}
}
