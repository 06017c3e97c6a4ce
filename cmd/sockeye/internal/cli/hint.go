package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/client"
	"github.com/sockeye-go/socketio/engineio"
)

// Connecting makes an Error of a connection that failed, with a hint of what to
// try.
func (t *Target) Connecting(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Code: Unreachable, Err: fmt.Errorf("connecting to %s: %w", t.URL.Host, err), Hint: t.Hint(err)}
}

// Hint says what to do about a connection that failed; "" if there is nothing
// better than the error itself.
func (t *Target) Hint(err error) string {
	if refused, ok := errors.AsType[*client.ConnectError](err); ok {
		if strings.EqualFold(refused.Message, "Invalid namespace") {
			return "the server has no namespace " + t.Namespace + "; choose one with --namespace, or leave it out for \"/\""
		}
		return "the server's middleware said no; credentials are given as --auth '{\"token\":\"…\"}' or --header"
	}
	if errors.Is(err, client.ErrConnectTimeout) {
		if t.EIO3 {
			return "the server took the connection and did not answer; is it one of Socket.IO 3 or 4? then leave --eio3 out"
		}
		return "the server took the connection and said nothing to the namespace; if it is of Socket.IO 2, add --eio3; if it has another parser, --parser msgpack"
	}
	if errors.Is(err, socketio.ErrDisconnected) && !t.EIO3 {
		return "the server closed the connection at once; if it is of Socket.IO 2, add --eio3; if it has another parser, --parser msgpack"
	}
	if hint := hintNetwork(err, t.URL.Host); hint != "" {
		return hint
	}
	h, ok := errors.AsType[*engineio.HandshakeError](err)
	if !ok {
		return ""
	}
	return t.hintHandshake(h)
}

func hintNetwork(err error, host string) string {
	var dns *net.DNSError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens at " + host + "; is the server running, and is this its port?"
	case errors.As(err, &dns):
		return "the name " + dns.Name + " does not resolve; is it spelled right?"
	case errors.As(err, &unknown):
		return "its certificate is signed by nobody this machine trusts; --insecure goes on regardless"
	case errors.As(err, &name), errors.As(err, &invalid):
		return "its certificate is for another name or time; `sockeye doctor` says more, --insecure goes on regardless"
	case errors.As(err, &record):
		return "the server does not speak TLS on this port; try http:// in place of https://"
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return "the server does not speak TLS on this port; try http:// in place of https://"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time; raise --timeout, or run `sockeye doctor` to see where it stops"
	}
	return ""
}

func (t *Target) hintHandshake(h *engineio.HandshakeError) string {
	switch {
	case h.Code == 5 && t.EIO3:
		return "the server is of Socket.IO 3 or 4: leave --eio3 out"
	case h.Code == 5:
		return "the server is of Socket.IO 2: add --eio3"
	case h.Code == engineio.UnknownTransport:
		return "the server does not offer this transport; try --transport polling or websocket"
	case h.Code == 1:
		return "requests of one session reach different servers: sticky sessions are missing; `sockeye doctor` says where"
	case h.Status == http.StatusNotFound:
		return "there is no Socket.IO at " + t.Path + "; --path names another place"
	case h.Status == http.StatusUnauthorized, h.Status == http.StatusForbidden:
		return "the server, or a proxy before it, wants credentials or another origin: --header, --auth, --origin"
	case h.Status == http.StatusBadGateway, h.Status == http.StatusServiceUnavailable, h.Status == http.StatusGatewayTimeout:
		return "a proxy answers and the server behind it does not"
	case h.Status >= 300 && h.Status < 400:
		return "the server redirects to " + h.Header.Get("Location") + "; connect there"
	case h.Transport == engineio.WebSocket:
		return "WebSocket does not get through; try --transport polling, and `sockeye doctor` for the reason"
	}
	return "`sockeye doctor` looks at each step"
}
