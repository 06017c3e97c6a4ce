package engineio

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"github.com/sockeye-go/socketio/internal/ws"
)

// A StreamDialer opens the stream of a WebTransport session: it is all that a client
// knows of WebTransport. Package engineio/webtransport has one.
type StreamDialer interface {
	// DialStream opens a session at an https URL, and its stream. ctx bounds that,
	// and not what comes after it. config may be nil and must not be changed. An
	// answer that is a refusal comes with the error; its body needs no closing.
	//
	// The connection may have a method CloseWrite() error, which says goodbye;
	// Refusal() (code uint32, message string), with which the server ended the
	// session; and Wait(), which returns when nothing of it runs any more after
	// Close.
	DialStream(ctx context.Context, url string, header http.Header, config *tls.Config) (net.Conn, *http.Response, error)
}

// A clientStream is what a link over WebTransport has besides.
type clientStream struct {
	streamParser
	nc net.Conn
}

// wait waits for what the connection has running after its end.
func (s *clientStream) wait() {
	if w, ok := s.nc.(interface{ Wait() }); ok {
		w.Wait()
	}
}

// openStream opens a stream and sends the first packet.
func (d *dialer) openStream(ctx context.Context, sid string) (*clientLink, net.Conn, error) {
	u, err := url.Parse(d.address(WebTransport, ""))
	if err != nil {
		return nil, nil, err
	}
	u.Scheme = "https"
	if proxy, err := d.proxy(u); err != nil || proxy != nil {
		return nil, nil, errors.Join(err, errors.New("WebTransport does not go through a proxy"))
	}
	nc, res, err := d.opts.WebTransport.DialStream(ctx, u.String(), d.withCookies(d.opts.Header, u), d.opts.TLSConfig)
	if res != nil {
		d.keepCookies(res, u)
	}
	if err != nil {
		if res != nil {
			return nil, nil, refused(res, err)
		}
		return nil, nil, err
	}
	open := []byte{byte(packetOpen)}
	if sid != "" {
		quoted, _ := json.Marshal(map[string]string{"sid": sid}) // a string always encodes
		open = append(open, quoted...)
	}
	t := &clientLink{name: WebTransport, stream: &clientStream{streamParser{max: d.opts.MaxPayload}, nc}}
	if _, err := nc.Write(append(appendStreamHead(nil, false, len(open)), open...)); err != nil {
		t.drop(nc)
		return nil, nil, err
	}
	return t, nc, nil
}

// drop closes a connection that has not become the session's.
func (t *clientLink) drop(nc net.Conn) {
	nc.Close()
	if t.stream != nil {
		t.stream.wait()
	}
}

// dialStream makes a session over WebTransport.
func (d *dialer) dialStream(ctx context.Context, onSession func(*ClientSession) Receiver) (*ClientSession, error) {
	t, nc, err := d.openStream(ctx, "")
	if err != nil {
		return nil, err
	}
	return d.openLink(ctx, t, nc, nil, onSession)
}

// openLink makes a session of what has been dialed, with the open packet to come.
func (d *dialer) openLink(ctx context.Context, t *clientLink, nc net.Conn, in []byte, onSession func(*ClientSession) Receiver) (*ClientSession, error) {
	var o *opened
	in, err := t.await(ctx, nc, in, func(m ws.Message) error {
		if m.Op != ws.Text || len(m.Data) == 0 || packetType(m.Data[0]) != packetOpen {
			return errNoOpen
		}
		var err error
		o, err = parseOpen(m.Data[1:])
		return err
	})
	if err != nil {
		err = ended(nc, err)
		t.drop(nc)
		return nil, err
	}
	s := d.newClient(o, t.name, onSession)
	s.running.Add(1)
	t.s = s
	t.takes(nc)
	s.link.Store(t)
	s.beat.begin(s)
	t.conn.Start(in)
	return s, nil
}

// ended adds what the server said when it ended a session of WebTransport.
func ended(nc net.Conn, err error) error {
	r, ok := nc.(interface{ Refusal() (uint32, string) })
	if !ok {
		return err
	}
	code, message := r.Refusal()
	if message == "" {
		return err
	}
	failed := &HandshakeError{Code: NoCode, Message: message, Err: errors.New("the server ended the session")}
	if c := Code(code); c >= UnknownTransport && c <= UnsupportedProtocolVersion {
		failed.Code = c
	} else {
		failed.Err = fmt.Errorf("%w with code %d", failed.Err, code)
	}
	return failed
}
