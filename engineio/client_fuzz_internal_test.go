package engineio

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/internal/ws"
)

// A fuzzReceiver keeps what a client receives, and how that ends.
type fuzzReceiver struct {
	t      *testing.T
	got    []string
	reason Reason
	err    error
}

func (r *fuzzReceiver) Receive(m Message) {
	if r.reason != "" {
		r.t.Error("Receive after Closed")
	}
	r.got = append(r.got, fmt.Sprintf("%t %q", m.Binary, m.Data))
}

func (r *fuzzReceiver) Flush(bool) {}

func (r *fuzzReceiver) Closed(reason Reason, err error) {
	if r.reason != "" {
		r.t.Error("Closed twice")
	}
	if err != nil && strings.Contains(err.Error(), "panic") {
		r.t.Error(err)
	}
	r.reason, r.err = reason, err
}

// nowhere is a server that takes everything and says nothing.
type nowhere struct{ net.Conn }

func (nowhere) Read([]byte) (int, error)         { return 0, io.EOF }
func (nowhere) Write(b []byte) (int, error)      { return len(b), nil }
func (nowhere) Close() error                     { return nil }
func (nowhere) SetWriteDeadline(time.Time) error { return nil }

func (nowhere) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r}, nil
}

const fuzzLimit = 4096

func fuzzSession(t *testing.T, protocol int) (*ClientSession, *fuzzReceiver) {
	t.Helper()
	opts, err := (&DialOptions{Protocol: protocol, MaxPayload: fuzzLimit, MaxPayloadPackets: 64, RoundTripper: nowhere{}}).withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	r := &fuzzReceiver{t: t}
	d := &dialer{opts: opts, url: &url.URL{Scheme: "http", Host: "nowhere"}}
	s := d.newClient(&opened{SID: "s", PingInterval: 25_000, PingTimeout: 20_000}, Polling, func(*ClientSession) Receiver { return r })
	return s, r
}

// finish ends a session that goes on.
func finish(s *ClientSession) {
	s.end("over", nil)
	s.running.Wait()
}

func polled(t *testing.T, protocol int, payload []byte) *fuzzReceiver {
	t.Helper()
	s, r := fuzzSession(t, protocol)
	p := &clientPolling{changed: make(chan struct{})}
	p.http, p.closeIdle = s.d.httpClient()
	p.ctx, p.cancel = context.WithCancel(context.Background())
	s.polling = p
	s.beat.begin(s)
	func() {
		defer s.survive()
		s.deliver(payload)
		s.flush(false)
	}()
	finish(s)
	return r
}

// FuzzClientPayload gives a client what a poll may be answered with. In revision 4
// it makes of it what the protocol says; in both, what it understood is what its own
// encoding of that would have been understood as.
func FuzzClientPayload(f *testing.F) {
	for _, s := range []string{
		"", "4", "4hello\x1e4world", "4a\x1ebAQID\x1e2\x1e6", "bAQ\x1e4x", "3", "1\x1e4x", "9", "4\xff", "b!!\x1e4x", "\x1e", "0{}\x1e5",
		"6:4hello2:4é10:b4AQIDBAUG", "1:2", "999999999999:4", "-1:4", "2:4😀", strings.Repeat("6\x1e", 70),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		if len(payload) > fuzzLimit {
			return
		}
		got := polled(t, 4, bytes.Clone(payload))
		messages, reason := clientExpects(string(payload))
		if !slices.Equal(got.got, messages) || got.reason != reason {
			t.Errorf("%q: %q, %q (%v); want %q, %q", payload, got.got, got.reason, got.err, messages, reason)
		}
		for _, protocol := range []int{3, 4} {
			first := polled(t, protocol, bytes.Clone(payload))
			again := polled(t, protocol, reencode(t, protocol, first.got))
			if !slices.Equal(first.got, again.got) {
				t.Errorf("revision %d: %q is understood as %q and that as %q (%v)", protocol, payload, first.got, again.got, again.err)
			}
		}
	})
}

// clientExpects is what the protocol says about a payload of revision 4.
func clientExpects(payload string) (messages []string, reason Reason) {
	if payload == "" {
		return nil, "over"
	}
	payload = strings.ToValidUTF8(payload, "\uFFFD")
	packets := strings.Split(payload, "\x1e")
	if packets[len(packets)-1] == "" { // nothing behind the last separator
		packets = packets[:len(packets)-1]
	}
	for i, packet := range packets {
		if i == 64 || packet == "" {
			return messages, TransportError
		}
		switch packet[0] {
		case '4':
			messages = append(messages, fmt.Sprintf("%t %q", false, packet[1:]))
		case 'b':
			data, err := decodeBase64([]byte(packet[1:]))
			if err != nil {
				return messages, TransportError
			}
			messages = append(messages, fmt.Sprintf("%t %q", true, data))
		case '0', '2', '5', '6':
		case '1':
			return messages, TransportClose
		default:
			return messages, TransportError
		}
	}
	return messages, "over"
}

// reencode makes a payload of what was received.
func reencode(t *testing.T, protocol int, got []string) []byte {
	t.Helper()
	d := &dialer{opts: &DialOptions{Protocol: protocol}}
	var payload []byte
	for _, g := range got {
		var bin bool
		var data string
		if _, err := fmt.Sscanf(g, "%t %q", &bin, &data); err != nil {
			t.Fatal(g, err)
		}
		m := Message{Binary: bin, Data: []byte(data)}
		before := len(payload)
		payload = d.appendPacket(payload, clientPacket{packetMessage, m})
		if n := len(payload) - before; protocol == 3 || before == 0 {
			if n != d.sizeInPayload(m) {
				t.Errorf("%s: %d bytes, said to be %d", g, n, d.sizeInPayload(m))
			}
		}
	}
	return payload
}

// FuzzClientOpen: no open packet is taken that the heartbeat could not live with.
func FuzzClientOpen(f *testing.F) {
	f.Add([]byte(`{"sid":"abc","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`))
	f.Add([]byte(`{"sid":"abc","pingInterval":1e3,"pingTimeout":1}`))
	f.Add([]byte(`{"sid":"","pingInterval":-1}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := parseOpen(data)
		if err != nil {
			return
		}
		day := (24 * time.Hour).Milliseconds()
		if o.SID == "" || o.PingInterval < 1 || o.PingInterval > day || o.PingTimeout < 1 || o.PingTimeout > day || o.MaxPayload < 0 {
			t.Errorf("%q is taken: %+v", data, o)
		}
		b, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseOpen(b)
		if err != nil || fmt.Sprint(again) != fmt.Sprint(o) {
			t.Errorf("%+v becomes %+v, %v", o, again, err)
		}
	})
}

// FuzzClientFrames gives a client bytes behind the handshake of a WebSocket or a
// stream, whole and in two parts: that makes no difference.
func FuzzClientFrames(f *testing.F) {
	f.Add(ws.AppendFrame(ws.AppendFrame(nil, ws.Text, []byte("4hello")), ws.Binary, []byte{1, 2}), uint16(3), false)
	f.Add(ws.AppendFrame(ws.AppendFrame(nil, ws.Ping, []byte("x")), ws.Close, nil), uint16(1), false)
	f.Add([]byte{0x01, 2, '4', 'a', 0x80, 1, 'b'}, uint16(4), false)
	f.Add([]byte{0x81, 127, 0x40, 0, 0, 0, 0, 0, 0, 0}, uint16(4), false)
	f.Add(ws.AppendFrame(nil, ws.Text, []byte("bAQID")), uint16(2), false)
	f.Add(appendStreamFrame(appendStreamFrame(nil, packetMessage, Message{Data: []byte("hi")}), packetMessage, Message{Binary: true, Data: []byte{1}}), uint16(2), true)
	f.Add([]byte{0x7f, 0, 0, 0, 0, 0, 0, 0x10, 1}, uint16(2), true)
	f.Fuzz(func(t *testing.T, data []byte, cut uint16, stream bool) {
		whole := framed(t, stream, data)
		n := int(cut) % (len(data) + 1)
		parts := framed(t, stream, data[:n], data[n:])
		if !slices.Equal(whole.got, parts.got) || whole.reason != parts.reason {
			t.Errorf("whole: %q, %q; in parts: %q, %q", whole.got, whole.reason, parts.got, parts.reason)
		}
		for _, g := range whole.got {
			if len(g) > 4*fuzzLimit+16 {
				t.Errorf("a message above the limit: %d", len(g))
			}
		}
	})
}

func framed(t *testing.T, stream bool, parts ...[]byte) *fuzzReceiver {
	t.Helper()
	s, r := fuzzSession(t, 4)
	l := &clientLink{s: s, name: WebSocket}
	if stream {
		l.name, l.stream = WebTransport, &clientStream{streamParser: streamParser{max: fuzzLimit}, nc: nowhere{}}
	} else {
		l.parser.Init(ws.Client, fuzzLimit)
	}
	l.takes(nowhere{})
	s.link.Store(l)
	s.running.Add(1) // until Ended
	s.beat.begin(s)
	for _, p := range parts {
		l.Data(bytes.Clone(p))
		l.Batch(false)
	}
	s.end("over", nil)
	l.conn.Close()
	s.running.Wait()
	return r
}
