package ws_test

import (
	"bytes"
	"compress/flate"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sockeye-go/socketio/internal/ws"
)

func TestAcceptDeflate(t *testing.T) {
	const both = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	for _, c := range []struct {
		name   string
		offers []string
		answer string
		bits   uint8
	}{
		{"none", nil, "", 0},
		{"another", []string{"permessage-bzip2"}, "", 0},
		{"plain", []string{"permessage-deflate"}, both, 15},
		{"as browsers offer it", []string{"permessage-deflate; client_max_window_bits"}, both, 15},
		{"client's window", []string{"permessage-deflate; client_max_window_bits=10"}, both, 15},
		{"no takeover", []string{"permessage-deflate; server_no_context_takeover; client_no_context_takeover"}, both, 15},
		{"our window", []string{"permessage-deflate; server_max_window_bits=10"}, both + "; server_max_window_bits=10", 10},
		{"quoted", []string{`permessage-deflate; server_max_window_bits="9"`}, both + "; server_max_window_bits=9", 9},
		{"upper case", []string{"PerMessage-Deflate; Server_Max_Window_Bits=15"}, both + "; server_max_window_bits=15", 15},
		{"second offer", []string{"permessage-deflate; x=1, permessage-deflate"}, both, 15},
		{"second header", []string{"foo", "permessage-deflate"}, both, 15},
		{"window too small", []string{"permessage-deflate; server_max_window_bits=7"}, "", 0},
		{"window too large", []string{"permessage-deflate; server_max_window_bits=16"}, "", 0},
		{"window without a number", []string{"permessage-deflate; server_max_window_bits"}, "", 0},
		{"window with a zero before it", []string{"permessage-deflate; server_max_window_bits=09"}, "", 0},
		{"client's window is none", []string{"permessage-deflate; client_max_window_bits=abc"}, "", 0},
		{"client's window is empty", []string{"permessage-deflate; client_max_window_bits="}, "", 0},
		{"value where there is none", []string{"permessage-deflate; server_no_context_takeover=1"}, "", 0},
		{"twice", []string{"permessage-deflate; client_no_context_takeover; client_no_context_takeover"}, "", 0},
		{"unknown", []string{"permessage-deflate; mystery"}, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, answer := ws.DeflateConfig{}.Accept(c.offers)
			if answer != c.answer || d.WindowBits != c.bits {
				t.Errorf("AcceptDeflate(%q) = %d, %q; want %d, %q", c.offers, d.WindowBits, answer, c.bits, c.answer)
			}
		})
	}
}

// packed makes the masked frame of a compressed message, as a client sends it.
func packed(t testing.TB, op ws.Opcode, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, 9)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(data)
	w.Flush()
	return rsv1Frame(op, bytes.TrimSuffix(b.Bytes(), []byte("\x00\x00\xff\xff")))
}

func rsv1Frame(op ws.Opcode, payload []byte) []byte {
	f := ws.AppendMasked(nil, op, payload, [4]byte{1, 2, 3, 4})
	f[0] |= 0x40
	return f
}

func deflating(max int64) *ws.Parser {
	p := new(ws.Parser)
	p.Init(ws.Server, max)
	p.AllowDeflate(ws.Deflate{})
	return p
}

// next feeds a parser in pieces and returns the first message.
func next(p *ws.Parser, in []byte, piece int) (ws.Message, error) {
	for len(in) > 0 {
		m, n, ok, err := p.Next(bytes.Clone(in[:min(piece, len(in))]))
		if ok || err != nil {
			return m, err
		}
		in = in[n:]
	}
	return ws.Message{}, errors.New("incomplete")
}

func TestInflate(t *testing.T) {
	text := []byte(strings.Repeat("hello, hello, ", 500))
	noise := make([]byte, 5000)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	for name, data := range map[string][]byte{"text": text, "noise": noise, "empty": {}, "one": {7}} {
		t.Run(name, func(t *testing.T) {
			for _, piece := range []int{1, 100, 1 << 20} {
				m, err := next(deflating(1<<20), packed(t, ws.Binary, data), piece)
				if err != nil || m.Op != ws.Binary || !bytes.Equal(m.Data, data) {
					t.Fatalf("pieces of %d: %d bytes, %v; want %d", piece, len(m.Data), err, len(data))
				}
			}
		})
	}
	// "7.2.3 Examples" of RFC 7692.
	for name, payload := range map[string]string{
		"one block":      "f248cdc9c90700",
		"no compression": "000500faff48656c6c6f00",
		"final block":    "f348cdc9c9070000",
		"two blocks":     "f248050000 00ffff cac9c90700",
	} {
		t.Run(name, func(t *testing.T) {
			raw, err := hex.DecodeString(strings.ReplaceAll(payload, " ", ""))
			if err != nil {
				t.Fatal(err)
			}
			m, err := next(deflating(100), rsv1Frame(ws.Text, raw), 100)
			if err != nil || string(m.Data) != "Hello" {
				t.Errorf("%q, %v; want Hello", m.Data, err)
			}
		})
	}
}

// TestInflateFragments: RSV1 is on the first frame only, and control frames pass
// between.
func TestInflateFragments(t *testing.T) {
	raw, _ := hex.DecodeString("f248cdc9c90700")
	first := ws.AppendMasked(nil, ws.Text, raw[:3], [4]byte{})
	first[0] = 0x41
	ping := ws.AppendMasked(nil, ws.Ping, []byte("p"), [4]byte{})
	last := ws.AppendMasked(nil, ws.Continuation, raw[3:], [4]byte{})
	p := deflating(100)
	in := bytes.Join([][]byte{first, ping, last}, nil)
	var got []ws.Message
	for len(in) > 0 {
		m, n, ok, err := p.Next(in)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			m.Data = bytes.Clone(m.Data)
			got = append(got, m)
		}
		in = in[n:]
	}
	if len(got) != 2 || got[0].Op != ws.Ping || string(got[1].Data) != "Hello" {
		t.Errorf("%v", got)
	}
}

func TestDeflateRefuses(t *testing.T) {
	raw, _ := hex.DecodeString("f248cdc9c90700")
	zeros := packed(t, ws.Binary, make([]byte, 100_000)) // some 100 bytes
	rsv := func(bits byte, op ws.Opcode) []byte {
		f := ws.AppendMasked(nil, op, raw, [4]byte{})
		f[0] |= bits
		return f
	}
	continued := ws.AppendMasked(nil, ws.Text, raw[:3], [4]byte{})
	continued[0] = 0x41
	continued = append(continued, rsv(0x40, ws.Continuation)...)
	for _, c := range []struct {
		name string
		in   []byte
		code ws.CloseCode
	}{
		{"a bomb", zeros, ws.CloseTooBig},
		{"not deflate", rsv1Frame(ws.Binary, []byte{0xff, 0xff}), ws.CloseInvalidData},
		{"cut short", rsv1Frame(ws.Binary, raw[:3]), ws.CloseInvalidData},
		{"not UTF-8", packed(t, ws.Text, []byte{0xff}), ws.CloseInvalidData},
		{"RSV2", rsv(0x20, ws.Text), ws.CloseProtocolError},
		{"RSV1 and RSV3", rsv(0x50, ws.Text), ws.CloseProtocolError},
		{"RSV1 on a ping", rsv(0x40, ws.Ping), ws.CloseProtocolError},
		{"RSV1 on a continuation", continued, ws.CloseProtocolError},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := next(deflating(10_000), c.in, 1<<20)
			if e, ok := errors.AsType[*ws.Error](err); !ok || e.Code != c.code {
				t.Errorf("error %v; want code %d", err, c.code)
			}
		})
	}
	var p ws.Parser
	p.Init(ws.Server, 1000)
	if _, err := next(&p, packed(t, ws.Text, raw), 1<<20); err == nil {
		t.Error("RSV1 without an agreement is accepted")
	}
}

// TestBombCostsNoMemory: a message that stands for much more than the limit costs
// the limit at most.
func TestBombCostsNoMemory(t *testing.T) {
	bomb := packed(t, ws.Binary, make([]byte, 64<<20))
	limit := int64(len(bomb) + 1000) // it is within the limit itself
	r := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := next(deflating(limit), bomb, len(bomb)); err == nil {
				b.Fatal("accepted")
			}
		}
	})
	if got := r.AllocedBytesPerOp(); got > 8*limit {
		t.Errorf("%d bytes for a limit of %d", got, limit)
	}
}

func compressor() *ws.Compressor {
	return ws.NewCompressor(func() ws.DeflateWriter {
		w, err := flate.NewWriter(nil, flate.BestSpeed)
		if err != nil {
			panic(err)
		}
		return w
	})
}

func TestCompressor(t *testing.T) {
	c := compressor()
	text := strings.Repeat("all work and no play ", 100)
	f, ok := c.AppendFrame([]byte("x"), ws.Text, []byte("4"), []byte(text))
	if !ok || f[0] != 'x' || f[1] != 0xc1 || len(f) > len(text)/4 {
		t.Fatalf("%v, %d bytes", ok, len(f))
	}
	var p ws.Parser
	p.Init(ws.Client, 1<<20)
	p.AllowDeflate(ws.Deflate{})
	if m, err := next(&p, f[1:], 1<<20); err != nil || string(m.Data) != "4"+text {
		t.Errorf("%d bytes, %v", len(m.Data), err)
	}
	if f, ok := c.AppendFrame([]byte("x"), ws.Text, []byte("ab")); ok || string(f) != "x" {
		t.Errorf("what gets no smaller: %v, %q", ok, f)
	}
}

// FuzzInflate: whatever is inflated stays within the limit, and what we compress
// comes back, however it is cut.
func FuzzInflate(f *testing.F) {
	raw, _ := hex.DecodeString("f248cdc9c90700")
	f.Add(raw, 3)
	f.Add([]byte(strings.Repeat("ab", 600)), 40)
	c := compressor()
	f.Fuzz(func(t *testing.T, data []byte, piece int) {
		piece = max(1, piece%1000)
		if m, err := next(deflating(1000), rsv1Frame(ws.Binary, data), piece); err == nil && len(m.Data) > 1000 {
			t.Fatalf("%d bytes", len(m.Data))
		}
		frame, ok := c.AppendFrame(nil, ws.Binary, data)
		if !ok {
			return
		}
		var p ws.Parser
		p.Init(ws.Client, int64(len(data)))
		p.AllowDeflate(ws.Deflate{})
		if m, err := next(&p, frame, piece); err != nil || !bytes.Equal(m.Data, data) {
			t.Fatalf("%x: %x, %v", data, m.Data, err)
		}
	})
}
