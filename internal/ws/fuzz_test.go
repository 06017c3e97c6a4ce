package ws_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/sockeye-go/socketio/internal/ws"
)

// cutter cuts a stream by the bytes of cuts, over and over.
func cutter(cuts []byte) func() int {
	i := 0
	return func() int {
		if len(cuts) == 0 {
			return 1
		}
		i++
		return int(cuts[(i-1)%len(cuts)])
	}
}

// The same bytes give the same messages and the same error however they are cut.
func FuzzParser(f *testing.F) {
	f.Add(frame(fin|text, "hello"), []byte{1}, false)
	f.Add(stream(frame(text, "a"), frame(fin|ping, "p"), frame(fin|cont, "b")), []byte{3, 1}, false)
	f.Add(stream(frame(bin, ""), frame(cont, ""), claim(fin|cont, 1<<63-1)), []byte{5}, false)
	f.Add(claim(fin|bin, 1<<64-1), []byte{2}, false)
	f.Add(frame(fin|close, "\x03\xe8bye"), []byte{7}, false)
	f.Add(frame(fin|0x40|text, "a"), []byte{1}, false)
	f.Add(frame(fin|text, "\xce"), []byte{1}, false)
	f.Add(ws.AppendFrame(nil, ws.Text, []byte("a")), []byte{1}, true)
	f.Fuzz(func(t *testing.T, in, cuts []byte, client bool) {
		role := ws.Server
		if client {
			role = ws.Client
		}
		want := parse(role, in, whole)
		for how, cut := range map[string]func() int{"cut": cutter(cuts), "by bytes": bytewise} {
			if got := parse(role, in, cut); !slices.Equal(got, want) {
				t.Errorf("%s: %q; at once: %q", how, got, want)
			}
		}
	})
}

// What one side writes, the other reads.
func FuzzRoundTrip(f *testing.F) {
	f.Add(byte(ws.Text), []byte("hello"), uint32(1), []byte{1})
	f.Add(byte(ws.Binary), bytes.Repeat([]byte("x"), 200), uint32(0xffffffff), []byte{3, 40})
	f.Add(byte(ws.Ping), []byte("p"), uint32(0), []byte{2})
	f.Fuzz(func(t *testing.T, op byte, data []byte, k uint32, cuts []byte) {
		o := ws.Opcode(op)
		switch o {
		case ws.Ping, ws.Pong:
			data = data[:min(len(data), 125)]
		case ws.Text:
			data = []byte(strings.ToValidUTF8(string(data), "?"))
		case ws.Binary:
		default:
			return
		}
		data = data[:min(len(data), maxMessage)]
		if o == ws.Text {
			data = []byte(strings.ToValidUTF8(string(data), ""))
		}
		mask := [4]byte{byte(k), byte(k >> 8), byte(k >> 16), byte(k >> 24)}
		want := []string{line(o, 0, data), line(o, 0, data)}
		for role, b := range map[ws.Role][]byte{
			ws.Client: ws.AppendFrame(ws.AppendFrame(nil, o, data), o, data),
			ws.Server: ws.AppendMasked(ws.AppendMasked(nil, o, data, mask), o, data, mask),
		} {
			for how, cut := range map[string]func() int{"at once": whole, "cut": cutter(cuts), "by bytes": bytewise} {
				if got := parse(role, b, cut); !slices.Equal(got, want) {
					t.Errorf("role %d, %s: %q; want %q", role, how, got, want)
				}
			}
		}
	})
}
