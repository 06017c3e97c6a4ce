package ws_test

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sockeye-go/socketio/internal/ws"
)

// TestAcceptTakeover: what a server agrees to that keeps windows of 12 bits.
func TestAcceptTakeover(t *testing.T) {
	const alone, clientAlone, serverAlone = "; server_no_context_takeover; client_no_context_takeover", "; client_no_context_takeover", "; server_no_context_takeover"
	for _, c := range []struct {
		name, offer, answer string
		d                   ws.Deflate
	}{
		{"as browsers offer it", "permessage-deflate; client_max_window_bits", "; client_max_window_bits=12", ws.Deflate{WindowBits: 15, Keep: 12, PeerKeep: 12}},
		{"a client that cannot shrink", "permessage-deflate", clientAlone, ws.Deflate{WindowBits: 15, Keep: 12}},
		{"smaller windows", "permessage-deflate; client_max_window_bits=10; server_max_window_bits=9", "; client_max_window_bits=10; server_max_window_bits=9", ws.Deflate{WindowBits: 9, Keep: 9, PeerKeep: 10}},
		{"larger windows", "permessage-deflate; client_max_window_bits=15; server_max_window_bits=15", "; client_max_window_bits=12; server_max_window_bits=15", ws.Deflate{WindowBits: 15, Keep: 12, PeerKeep: 12}},
		{"server alone", "permessage-deflate; server_no_context_takeover; client_max_window_bits", serverAlone + "; client_max_window_bits=12", ws.Deflate{WindowBits: 15, PeerKeep: 12}},
		{"client alone", "permessage-deflate; client_no_context_takeover; client_max_window_bits", clientAlone, ws.Deflate{WindowBits: 15, Keep: 12}},
		{"neither", "permessage-deflate; client_no_context_takeover; server_no_context_takeover", alone, ws.Deflate{WindowBits: 15}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, answer := ws.DeflateConfig{WindowBits: 12}.Accept([]string{c.offer})
			if want := "permessage-deflate" + c.answer; answer != want || d != c.d {
				t.Errorf("%+v, %q; want %+v, %q", d, answer, c.d, want)
			}
		})
	}
}

// TestAccepted: what a client makes of answers.
func TestAccepted(t *testing.T) {
	for _, c := range []struct {
		bits   uint8
		answer string
		d      ws.Deflate
		ok     bool
	}{
		{0, "", ws.Deflate{}, true},
		{12, "", ws.Deflate{}, true},
		{0, "permessage-deflate; server_no_context_takeover; client_no_context_takeover", ws.Deflate{WindowBits: 15}, true},
		{0, "permessage-deflate; server_no_context_takeover", ws.Deflate{WindowBits: 15}, true},
		{0, "permessage-deflate", ws.Deflate{}, false}, // wants to take over
		{0, "permessage-deflate; server_no_context_takeover; client_max_window_bits=9", ws.Deflate{}, false},
		{0, "permessage-deflate; server_no_context_takeover; client_max_window_bits", ws.Deflate{}, false},
		{12, "permessage-deflate; server_max_window_bits=12; client_max_window_bits=11", ws.Deflate{WindowBits: 11, Keep: 11, PeerKeep: 12}, true},
		{12, "permessage-deflate; server_max_window_bits=10", ws.Deflate{WindowBits: 15, Keep: 12, PeerKeep: 10}, true},
		{12, "permessage-deflate; server_no_context_takeover; client_no_context_takeover", ws.Deflate{WindowBits: 15}, true},
		{12, "permessage-deflate", ws.Deflate{}, false},
		{12, "permessage-deflate; server_max_window_bits=15", ws.Deflate{}, false},
		{12, "permessage-deflate, permessage-deflate", ws.Deflate{}, false},
		{12, "bzip2", ws.Deflate{}, false},
		{12, "permessage-deflate; mystery", ws.Deflate{}, false},
	} {
		d, err := ws.DeflateConfig{WindowBits: c.bits}.Accepted([]string{c.answer})
		if d != c.d || (err == nil) != c.ok {
			t.Errorf("%d bits, %q: %+v, %v; want %+v", c.bits, c.answer, d, err, c.d)
		}
	}
	for bits := range uint8(16) {
		if bits != 0 && bits < 9 {
			continue
		}
		for server := range uint8(16) {
			if server != 0 && server < 9 {
				continue
			}
			c := ws.DeflateConfig{WindowBits: bits}
			at, answer := ws.DeflateConfig{WindowBits: server}.Accept([]string{c.Offer()})
			d, err := c.Accepted([]string{answer})
			if err != nil || at.Keep > d.PeerKeep || d.Keep > at.PeerKeep {
				t.Errorf("%q, %q: %+v and %+v, %v", c.Offer(), answer, d, at, err)
			}
		}
	}
}

// inflatesWithin reports whether a server's frame says what it should with no more
// than window before it.
func inflatesWithin(frame []byte, window, want []byte) bool {
	raw := frame[2:]
	switch frame[1] {
	case 126:
		raw = frame[4:]
	case 127:
		raw = frame[10:]
	}
	r := flate.NewReaderDict(io.MultiReader(bytes.NewReader(raw), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff")), window)
	got, err := io.ReadAll(r)
	return err == nil && bytes.Equal(got, want)
}

// TestWindow: a message refers to what is in the window of those before it, no further
// back, and the other side understands it.
func TestWindow(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	words := make([]string, 3000)
	for i := range words {
		words[i] = fmt.Sprintf("%x ", random.Uint32())
	}
	for _, d := range []ws.Deflate{{WindowBits: 9, Keep: 9}, {WindowBits: 12, Keep: 10}, {WindowBits: 12, Keep: 12}, {WindowBits: 15, Keep: 10}, {WindowBits: 15, Keep: 15}} {
		c, bits := compressor(), d.WindowBits
		w := d.SendWindow()
		var p ws.Parser
		p.Init(ws.Client, 1<<20)
		p.AllowDeflate(ws.Deflate{PeerKeep: bits})
		var all []byte
		saved := 0
		for range 400 {
			var m []byte
			for range 1 + random.IntN(20) {
				m = append(m, words[random.IntN(len(words)/(1+random.IntN(100)))]...)
			}
			if len(m) > 1<<bits {
				continue
			}
			frame, ok := c.AppendFrameIn(w, ws.Server, nil, ws.Binary, m[:1], m[1:])
			if !ok {
				continue
			}
			saved += len(m) - len(frame)
			// From its end back, no more than the window.
			if before := max(0, len(all)+len(m)-1<<bits); bits < 15 && !inflatesWithin(frame, all[min(before, len(all)):], m) {
				t.Fatalf("%d bits: a message of %d bytes refers further back", bits, len(m))
			}
			w.Add(m[:1], m[1:])
			all = append(all, m...)
			got, n, done, err := p.Next(frame)
			if err != nil || !done || n != len(frame) || !bytes.Equal(got.Data, m) {
				t.Fatalf("%d bits: %q, %v; want %q", bits, got.Data, err, m)
			}
			if held := w.Held(); held > 1<<d.Keep || p.Held() > 1<<bits {
				t.Fatalf("%d bits: %d and %d bytes are held", bits, held, p.Held())
			}
		}
		if saved <= 0 {
			t.Errorf("%d bits: nothing saved", bits)
		}
	}
}

// TestForget: what was compressed and never sent is not referred to.
func TestForget(t *testing.T) {
	c := compressor()
	w := ws.Deflate{WindowBits: 15, Keep: 12}.SendWindow()
	var p ws.Parser
	p.Init(ws.Client, 1<<20)
	p.AllowDeflate(ws.Deflate{PeerKeep: 12})
	for i := range 20 {
		m := []byte(strings.Repeat(fmt.Sprintf("message %d of some length; ", i/3), 10))
		frame, ok := c.AppendFrameIn(w, ws.Server, nil, ws.Binary, m)
		if !ok {
			t.Fatal("not compressed")
		}
		w.Add(m)
		if i%4 == 1 {
			w.Forget() // in place of sending it
			continue
		}
		if got, _, done, err := p.Next(frame); err != nil || !done || !bytes.Equal(got.Data, m) {
			t.Fatalf("%d: %q, %v", i, got.Data, err)
		}
	}
}

// FuzzTakeover: any sequence of messages comes back, in whatever windows, masked or
// not.
func FuzzTakeover(f *testing.F) {
	f.Add([]byte("hello hello\x00hello again\x00hello"), uint8(9), uint8(0), false)
	f.Add(bytes.Repeat([]byte("abcdefgh\x00"), 200), uint8(12), uint8(2), true)
	c := compressor()
	f.Fuzz(func(t *testing.T, data []byte, bits, keep uint8, client bool) {
		bits = 9 + bits%7
		role, peer := ws.Server, ws.Client
		if client {
			role, peer = peer, role
		}
		w := ws.Deflate{WindowBits: bits, Keep: bits - keep%(bits-8)}.SendWindow()
		var p ws.Parser
		p.Init(peer, 1<<20)
		p.AllowDeflate(ws.Deflate{PeerKeep: bits})
		for m := range bytes.SplitSeq(data, []byte{0}) {
			if len(m) > 1<<bits && bits != 15 {
				continue
			}
			frame, ok := c.AppendFrameIn(w, role, nil, ws.Binary, m)
			if !ok {
				continue
			}
			w.Add(m)
			if got, _, done, err := p.Next(frame); err != nil || !done || !bytes.Equal(got.Data, m) {
				t.Fatalf("%q: %q, %v", m, got.Data, err)
			}
		}
	})
}

// BenchmarkTakeover is messages of 100 and 170 bytes that resemble those before them.
func BenchmarkTakeover(b *testing.B) {
	for size, form := range map[string]string{
		"100": `42["say",{"id":%[1]d,"from":"user%[2]d","text":"message number %[3]d","room":"general","edited":0}]`,
		"170": `42["chat message",{"id":%[1]d,"from":"user%[2]d","room":"general","text":"message number %[3]d","at":"2026-11-27T19:%02[2]d:00Z","reactions":[],"edited":false,"attachments":[]}]`,
	} {
		for _, level := range []int{1, 2, 4, 6} {
			c := ws.NewCompressor(func() ws.DeflateWriter {
				w, _ := flate.NewWriter(nil, level)
				return w
			})
			for _, bits := range []uint8{0, 10, 12, 15} {
				b.Run(fmt.Sprintf("size=%s/level=%d/bits=%d", size, level, bits), func(b *testing.B) {
					w := ws.Deflate{WindowBits: 15, Keep: bits}.SendWindow()
					var dst []byte
					in, out, n := 0, 0, 0
					for b.Loop() {
						n++
						m := fmt.Appendf(nil, form, n, n%50, n*7919)
						var ok bool
						dst, ok = c.AppendFrameIn(w, ws.Server, dst[:0], ws.Text, m)
						if in += len(m); ok {
							w.Add(m)
							out += len(dst)
						} else {
							out += len(m)
						}
					}
					b.ReportMetric(100*float64(out)/float64(in), "%size")
				})
			}
		}
	}
}
