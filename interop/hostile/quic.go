package hostile

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	wt "github.com/quic-go/webtransport-go"
)

// A quicConn is a connection of QUIC on a UDP socket of its own.
type quicConn struct {
	*quic.Conn
	transport *quic.Transport
	socket    net.PacketConn
}

// quic opens a connection of QUIC, and nothing on it. nil if there is none to be had.
func (a *arena) quic() *quicConn {
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil
	}
	q := &quicConn{transport: &quic.Transport{Conn: socket}, socket: socket}
	addr, err := net.ResolveUDPAddr("udp", a.s.addr)
	if err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), 2*quiet)
		defer cancel()
		q.Conn, err = q.transport.Dial(ctx, addr, clientTLS(),
			&quic.Config{EnableDatagrams: true, EnableStreamResetPartialDelivery: true, MaxIdleTimeout: time.Minute, KeepAlivePeriod: time.Second})
	}
	if err != nil {
		q.vanish()
		return nil
	}
	return q
}

func clientTLS() *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, NextProtos: []string{http3.NextProtoH3}}
}

// close tells the server that it ends.
func (q *quicConn) close() {
	_ = q.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeNoError), "")
	q.vanish()
}

// vanish ends it without a word.
func (q *quicConn) vanish() {
	_ = q.socket.Close()
	_ = q.transport.Close()
}

// A session is one of WebTransport.
type session struct {
	*quicConn
	wt *wt.Session
}

// session asks for one. nil if it is refused.
func (a *arena) session() *session {
	q := a.quic()
	if q == nil {
		return nil
	}
	var t wt.Transport
	c, err := t.NewClientConn(q.Conn)
	if err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), 2*quiet)
		defer cancel()
		// The library does not look at ctx while it waits.
		stop := context.AfterFunc(ctx, func() { _ = q.CloseWithError(0, "") })
		defer stop()
		var sess *wt.Session
		if _, sess, err = c.Dial(ctx, "https://"+a.s.addr+"/socket.io/?EIO=4&transport=webtransport", nil); err == nil {
			return &session{q, sess}
		}
	}
	q.close()
	return nil
}

// A stream is that of a session, and can send anything.
type stream struct {
	*session
	s  *wt.Stream
	in *bufio.Reader
}

// stream opens one, without a word.
func (a *arena) stream() *stream {
	s := a.session()
	if s == nil {
		return nil
	}
	str, err := s.wt.OpenStream()
	if err != nil {
		s.close()
		return nil
	}
	_ = str.SetDeadline(time.Now().Add(2 * quiet))
	return &stream{s, str, bufio.NewReader(str)}
}

// opened is a stream that has said packets, the first of which opens a session or
// asks for one, and has read the answer to that. It is nil if there is none.
func (a *arena) opened(packets ...string) *stream {
	s := a.stream()
	if s == nil {
		return nil
	}
	s.text(packets...)
	if _, err := s.packet(); err != nil {
		s.close()
		return nil
	}
	return s
}

// joinedQUIC is a stream that has joined "/".
func (a *arena) joinedQUIC() *stream {
	s := a.opened("0", "40")
	if s == nil {
		return nil
	}
	if p, err := s.packet(); err != nil || !strings.HasPrefix(p, "40") {
		s.close()
		return nil
	}
	return s
}

// streamFrame is one packet on a stream.
func streamFrame(isBinary bool, packet string) []byte {
	var b []byte
	switch n := len(packet); {
	case n < 126:
		b = []byte{byte(n)}
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16([]byte{126}, uint16(n))
	default:
		b = binary.BigEndian.AppendUint64([]byte{127}, uint64(n))
	}
	if isBinary {
		b[0] |= 0x80
	}
	return append(b, packet...)
}

func (s *stream) text(packets ...string) {
	var b []byte
	for _, p := range packets {
		b = append(b, streamFrame(false, p)...)
	}
	_, _ = s.s.Write(b)
}

func (s *stream) binary(p string) { _, _ = s.s.Write(streamFrame(true, p)) }

// packet reads one packet.
func (s *stream) packet() (string, error) {
	first, err := s.in.ReadByte()
	if err != nil {
		return "", err
	}
	n := uint64(first & 0x7f)
	if wide := map[uint64]int{126: 2, 127: 8}[n]; wide > 0 {
		var b [8]byte
		if _, err := io.ReadFull(s.in, b[8-wide:]); err != nil {
			return "", err
		}
		n = binary.BigEndian.Uint64(b[:])
	}
	if n > 1<<20 {
		return "", errors.New("long packet")
	}
	b := make([]byte, n)
	_, err = io.ReadFull(s.in, b)
	return string(b), err
}

// ended reports whether the server ends the session before long.
func (s *stream) ended(limit time.Duration) bool {
	_ = s.s.SetReadDeadline(time.Now().Add(limit))
	_, err := io.Copy(io.Discard, s.in)
	return !isTimeout(err)
}

// wait reads what comes, until the server has been silent for a while.
func (s *stream) wait(silence time.Duration) {
	buf := make([]byte, 4096)
	for {
		_ = s.s.SetReadDeadline(time.Now().Add(silence))
		if _, err := s.in.Read(buf); err != nil {
			return
		}
	}
}

// Send, Expect and Close are what a bystander needs.

func (s *stream) Send(_ context.Context, packet string) error {
	_, err := s.s.Write(streamFrame(false, packet))
	return err
}

func (s *stream) Expect(_ context.Context, prefix string) (string, error) {
	for {
		_ = s.s.SetDeadline(time.Now().Add(2 * quiet))
		p, err := s.packet()
		if err != nil {
			return "", fmt.Errorf("waiting for %q: %w", prefix, err)
		}
		if strings.HasPrefix(p, prefix) {
			return p, nil
		}
	}
}

func (s *stream) Close() { s.close() }

// newQUICBystander is one over WebTransport.
func newQUICBystander(a *arena) (*bystander, error) {
	s := a.opened("0")
	if s == nil {
		return nil, errors.New("no WebTransport to be had")
	}
	return stand(s)
}

// worksQUIC reports whether a new client is served over WebTransport, by ours.
func (a *arena) worksQUIC() error {
	if !a.s.asks {
		return nil
	}
	s := a.joinedQUIC()
	if s == nil {
		return errors.New("no WebTransport to be had")
	}
	defer s.close()
	s.text(`427["echo","alive"]`)
	if p, err := s.packet(); err != nil || p != `437["alive"]` {
		return fmt.Errorf("WebTransport: echo = %q, %v", p, err)
	}
	return nil
}

// varints are numbers as QUIC writes them, each as short as can be.
func varints(all ...uint64) []byte {
	var b bytes.Buffer
	for _, n := range all {
		switch {
		case n < 1<<6:
			b.WriteByte(byte(n))
		case n < 1<<14:
			b.Write(binary.BigEndian.AppendUint16(nil, uint16(n)|1<<14))
		case n < 1<<30:
			b.Write(binary.BigEndian.AppendUint32(nil, uint32(n)|1<<31))
		default:
			b.Write(binary.BigEndian.AppendUint64(nil, n|3<<62))
		}
	}
	return b.Bytes()
}
