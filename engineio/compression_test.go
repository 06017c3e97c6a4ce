package engineio_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/internal/ws"
)

// dialDeflate opens a WebSocket that offers compression, and counts what comes.
func (h *harness) dialDeflate(query, offer string) *wsClient {
	h.t.Helper()
	c, res, err := h.tryDial(query, "Sec-WebSocket-Extensions", offer)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { c.nc.Close() })
	if res.Header.Get("Sec-WebSocket-Extensions") != "" {
		c.parser.AllowDeflate(ws.Deflate{})
	}
	return c
}

var long = strings.Repeat("the same again ", 1000)

// wireSize sends a message and returns how many bytes it took.
func wireSize(t *testing.T, c *wsClient, rec *recorder, f engineio.Flags, m engineio.Message) int {
	t.Helper()
	if err := rec.session.Send(engineio.Prepare(m), f); err != nil {
		t.Fatal(err)
	}
	size := 0
	for {
		n, err := c.nc.Read(c.buf[:])
		if err != nil {
			t.Fatal(err)
		}
		size += n
		got, k, ok, err := c.parser.Next(bytes.Clone(c.buf[:n]))
		if err != nil || k != n {
			t.Fatalf("%d of %d bytes, %v", k, n, err)
		}
		if ok {
			want := string(m.Data)
			if !m.Binary {
				want = "4" + want
			}
			if string(got.Data) != want {
				t.Fatalf("%d bytes arrive; want %d", len(got.Data), len(want))
			}
			return size
		}
	}
}

func TestPerMessageDeflate(t *testing.T) {
	const offer = "permessage-deflate; client_max_window_bits"
	on := &engineio.PerMessageDeflate{}
	for _, c := range []struct {
		name       string
		options    *engineio.PerMessageDeflate
		offer      string
		flags      engineio.Flags
		message    engineio.Message
		compressed bool
	}{
		{"text", on, offer, 0, text(long), true},
		{"binary", on, offer, 0, binary([]byte(long)...), true},
		{"longer than the window", on, offer, 0, text(long + long + long), true},
		{"not agreed upon", nil, offer, 0, text(long), false},
		{"not offered", on, "", 0, text(long), false},
		{"small", on, offer, 0, text(long[:1022]), false},
		{"just large enough", on, offer, 0, text(long[:1023]), true},
		{"threshold of its own", &engineio.PerMessageDeflate{Threshold: 100}, offer, 0, text(long[:200]), true},
		{"NoCompress", on, offer, engineio.NoCompress, text(long), false},
		{"within the client's window", on, "permessage-deflate; server_max_window_bits=12", 0, text(long[:4095]), true},
		{"beyond the client's window", on, "permessage-deflate; server_max_window_bits=12", 0, text(long[:4096]), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t, &engineio.Options{PerMessageDeflate: c.options}, nil)
			client := h.dialDeflate("EIO=4&transport=websocket", c.offer)
			openSID(t, client.read())
			rec := <-h.sessions
			for range 2 { // no state is left by the first
				size := wireSize(t, client, rec, c.flags, c.message)
				if compressed := size < len(c.message.Data); compressed != c.compressed {
					t.Errorf("%d bytes on the wire for %d", size, len(c.message.Data))
				}
			}
			if err := rec.session.SendMessage(c.message, c.flags); err != nil {
				t.Fatal(err)
			}
			if m, err := client.next(); err != nil || !strings.HasSuffix(string(m.Data), string(c.message.Data)) {
				t.Errorf("SendMessage: %d bytes, %v", len(m.Data), err)
			}
		})
	}
}

// TestDeflateOneCompression: those who get a broadcast get the same bytes, which
// were compressed once, and those who have not agreed get it plain.
// TestDeflateRevision3: a client of revision 3 gets its own form, compressed.
func TestDeflateRevision3(t *testing.T) {
	h := newHarness(t, &engineio.Options{AllowEIO3: true, PerMessageDeflate: &engineio.PerMessageDeflate{}}, nil)
	p := engineio.Prepare(text(long), binary([]byte(long)...))
	for range 2 {
		for query, want := range map[string]string{
			"EIO=4&transport=websocket":       fmt.Sprintf("b%x", long),
			"EIO=3&transport=websocket":       fmt.Sprintf("b%x", "\x04"+long),
			"EIO=3&transport=websocket&b64=1": "b4" + base64.StdEncoding.EncodeToString([]byte(long)),
		} {
			c := h.dialDeflate(query, "permessage-deflate")
			openSID(t, c.read())
			if err := (<-h.sessions).session.Send(p, 0); err != nil {
				t.Fatal(err)
			}
			c.want("4"+long, want)
		}
	}
}

func TestDeflateOneCompression(t *testing.T) {
	writers := 0
	h := newHarness(t, &engineio.Options{PerMessageDeflate: &engineio.PerMessageDeflate{
		NewWriter: func() engineio.DeflateWriter {
			w, _ := flate.NewWriter(io.Discard, 1)
			return &countingWriter{w, &writers}
		},
	}}, nil)
	var clients []*wsClient
	var sessions []*recorder
	for i := range 12 {
		offer := "permessage-deflate"
		switch {
		case i%3 == 1:
			offer = ""
		case i%3 == 2:
			offer = "permessage-deflate; server_max_window_bits=9"
		}
		c := h.dialDeflate("EIO=4&transport=websocket", offer)
		openSID(t, c.read())
		clients, sessions = append(clients, c), append(sessions, <-h.sessions)
	}
	p := engineio.Prepare(text(long), binary(1, 2, 3), text("short"))
	for _, rec := range sessions {
		if err := rec.session.Send(p, 0); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range clients {
		c.want("4"+long, "b010203", "4short")
	}
	if writers != 1 {
		t.Errorf("%d messages were compressed; want 1", writers)
	}
}

type countingWriter struct {
	*flate.Writer
	messages *int
}

func (w *countingWriter) Flush() error {
	*w.messages++
	return w.Writer.Flush()
}

// TestDeflateReceive: what clients compress is received, and a bomb is not.
func TestDeflateReceive(t *testing.T) {
	h := newHarness(t, &engineio.Options{PerMessageDeflate: &engineio.PerMessageDeflate{}, MaxPayload: 20_000}, nil)
	pack := func(s string) []byte {
		var b bytes.Buffer
		w, _ := flate.NewWriter(&b, 9)
		io.WriteString(w, s)
		w.Flush()
		f := ws.AppendMasked(nil, ws.Text, bytes.TrimSuffix(b.Bytes(), []byte("\x00\x00\xff\xff")), [4]byte{5, 6, 7, 8})
		f[0] |= 0x40
		return f
	}
	c := h.dialDeflate("EIO=4&transport=websocket", "permessage-deflate")
	openSID(t, c.read())
	rec := <-h.sessions
	c.raw(pack("4" + long))
	c.text("4plain")
	if got := rec.waitMessages(t, 2); got[0] != long || got[1] != "plain" {
		t.Errorf("%.100q", got)
	}
	c.raw(pack("4" + strings.Repeat("0", 20_000)))
	c.want("close 1009")
	if reason := rec.waitClosed(t); reason != engineio.TransportError {
		t.Errorf("reason %q", reason)
	}
}

// TestDeflateUpgrade: what waits during an upgrade is compressed behind it.
func TestDeflateUpgrade(t *testing.T) {
	h := newHarness(t, &engineio.Options{PerMessageDeflate: &engineio.PerMessageDeflate{}}, nil)
	query, rec := h.openPoll()
	c := h.dialDeflate(strings.Replace(query, "polling", "websocket", 1), "permessage-deflate")
	c.text("2probe")
	c.want("3probe")
	send(t, rec.session, text(long))
	c.text("5")
	m, err := c.next()
	if err != nil || string(m.Data) != "4"+long {
		t.Errorf("%d bytes, %v", len(m.Data), err)
	}
}

func TestHTTPCompression(t *testing.T) {
	custom := engineio.Encoding{Name: "rot0", Append: func(dst, src []byte) ([]byte, error) { return append(dst, src[:10]...), nil }}
	for _, c := range []struct {
		name     string
		options  *engineio.HTTPCompression
		accept   string
		flags    engineio.Flags
		size     int
		encoding string
	}{
		{"gzip", nil, "gzip, deflate, br", 0, 2000, "gzip"},
		{"deflate", nil, "deflate", 0, 2000, "deflate"},
		{"any", nil, "*", 0, 2000, "gzip"},
		{"the client's wish", nil, "gzip;q=0.5, deflate;q=0.9", 0, 2000, "deflate"},
		{"refused", nil, "gzip;q=0, deflate;q=0", 0, 2000, ""},
		{"star without gzip", nil, "*;q=0.5, gzip;q=0", 0, 2000, "deflate"},
		{"nothing that we have", nil, "br", 0, 2000, ""},
		{"identity", nil, "identity", 0, 2000, ""},
		{"small", nil, "gzip", 0, 1000, ""},
		{"NoCompress", nil, "gzip", engineio.NoCompress, 2000, ""},
		{"disabled", &engineio.HTTPCompression{Disabled: true}, "gzip", 0, 2000, ""},
		{"threshold", &engineio.HTTPCompression{Threshold: 100}, "gzip", 0, 200, "gzip"},
		{"encoding of its own", &engineio.HTTPCompression{Encodings: []engineio.Encoding{custom}}, "gzip, rot0", 0, 2000, "rot0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t, &engineio.Options{HTTPCompression: c.options}, nil)
			query, rec := h.openPoll()
			if err := rec.session.Send(engineio.Prepare(text(long[:c.size])), c.flags); err != nil {
				t.Fatal(err)
			}
			res := h.do("GET", query, "", "Accept-Encoding", c.accept)
			if got := res.header.Get("Content-Encoding"); got != c.encoding {
				t.Fatalf("Content-Encoding %q; want %q", got, c.encoding)
			}
			body := res.body
			switch c.encoding {
			case "gzip":
				body = unpack(t, func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }, body)
			case "deflate":
				body = unpack(t, func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) }, body)
			case "rot0":
				body = "4" + long[:c.size]
			}
			if body != "4"+long[:c.size] {
				t.Errorf("body %.100q", body)
			}
		})
	}
}

func unpack(t *testing.T, reader func(io.Reader) (io.Reader, error), body string) string {
	t.Helper()
	r, err := reader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func gzipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, s)
	w.Close()
	return b.String()
}

func TestPostContentEncoding(t *testing.T) {
	for _, c := range []struct {
		name, encoding, body string
		status               int
		alive                bool
	}{
		{"gzip", "gzip", gzipped("4" + long), 200, true},
		{"identity", "identity", "4" + long, 200, true},
		{"unknown", "br", "4x", 415, true},
		{"not what it says", "gzip", "4" + long, 400, false},
		{"cut short", "gzip", gzipped("4" + long)[:50], 400, false},
		{"a bomb", "gzip", gzipped("4" + strings.Repeat("0", 1<<20)), 413, true},
		{"nothing, at length", "gzip", strings.Repeat(gzipped(""), 1000), 413, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t, &engineio.Options{MaxPayload: 20_000}, nil)
			query, rec := h.openPoll()
			res := h.do("POST", query, c.body, "Content-Encoding", c.encoding)
			if res.status != c.status {
				t.Errorf("status %d %q; want %d", res.status, res.body, c.status)
			}
			if c.status == 200 {
				if got := rec.waitMessages(t, 1); got[0] != long {
					t.Errorf("%.100q", got)
				}
			}
			if alive := h.srv.Session(rec.session.ID()) != nil; alive != c.alive {
				t.Errorf("session lives: %v; want %v", alive, c.alive)
			}
		})
	}
}

func TestCompressionOptions(t *testing.T) {
	for name, o := range map[string]engineio.Options{
		"PerMessageDeflate.Level":     {PerMessageDeflate: &engineio.PerMessageDeflate{Level: 10}},
		"PerMessageDeflate.Threshold": {PerMessageDeflate: &engineio.PerMessageDeflate{Threshold: -1}},
		"HTTPCompression.Threshold":   {HTTPCompression: &engineio.HTTPCompression{Threshold: -1}},
		"HTTPCompression.Encodings":   {HTTPCompression: &engineio.HTTPCompression{Encodings: []engineio.Encoding{{Name: "x"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if v, _ := recover().(string); !strings.Contains(v, name) {
					t.Errorf("panic %q does not name %s", v, name)
				}
			}()
			h := &harness{t: t}
			engineio.NewServer(h.options(&o, nil))
		})
	}
}

// BenchmarkDeflateIdle is what connections that have agreed to compress hold, both
// ends together, beside those that have not, after one message each.
func BenchmarkDeflateIdle(b *testing.B) {
	for name, options := range map[string]*engineio.PerMessageDeflate{"off": nil, "on": {}} {
		b.Run(name, func(b *testing.B) {
			const n = 1000
			sessions := make(chan *engineio.Session, 1)
			srv := engineio.NewServer(&engineio.Options{PerMessageDeflate: options, OnSession: func(s *engineio.Session, _ *http.Request) engineio.Receiver {
				sessions <- s
				return &recorder{more: make(chan struct{}, 1), closed: make(chan struct{})}
			}})
			ts := httptest.NewServer(srv)
			defer ts.Close()
			defer srv.Close()
			heap := func() uint64 {
				var m runtime.MemStats
				for range 3 { // the pools let go after two
					runtime.GC()
				}
				runtime.ReadMemStats(&m)
				return m.HeapAlloc + m.StackInuse
			}
			for b.Loop() {
				before := heap()
				clients := make([]net.Conn, n)
				for i := range clients {
					nc, _, _, err := ws.Dial(b.Context(), ts.URL+"?EIO=4&transport=websocket", &ws.DialOptions{Header: http.Header{"Sec-Websocket-Extensions": {"permessage-deflate"}}})
					if err != nil {
						b.Fatal(err)
					}
					if err := (<-sessions).Send(engineio.Prepare(text(long)), 0); err != nil {
						b.Fatal(err)
					}
					clients[i] = nc
				}
				b.ReportMetric(float64(heap()-before)/n, "B/conn")
				for _, nc := range clients {
					nc.Close()
				}
			}
		})
	}
}
