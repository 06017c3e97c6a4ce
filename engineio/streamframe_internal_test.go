package engineio

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/sockeye-go/socketio/internal/ws"
)

// cut feeds a parser in pieces and returns what came out, and the error.
func cut(max int64, in []byte, piece int) (out []string, err error) {
	p := streamParser{max: max}
	for len(in) > 0 {
		part := bytes.Clone(in[:min(piece, len(in))])
		in = in[len(part):]
		for len(part) > 0 {
			m, n, ok, err := p.next(part)
			if err != nil {
				return out, err
			}
			part = part[n:]
			if ok {
				out = append(out, fmt.Sprintf("%d %x", m.Op, m.Data))
			} else if len(part) > 0 {
				return out, errors.New("it has not taken all")
			}
		}
	}
	return out, nil
}

func TestStreamFrames(t *testing.T) {
	for _, n := range []int{1, 2, 124, 125, 126, 65534, 65535, 65536, 100_000} {
		for _, m := range []Message{{Data: bytes.Repeat([]byte("x"), n)}, {Binary: true, Data: bytes.Repeat([]byte{0xff}, n)}} {
			in := appendStreamFrame(nil, packetMessage, m)
			in = appendStreamFrame(in, packetMessage, m)
			want := fmt.Sprintf("%d %x", ws.Binary, m.Data)
			if !m.Binary {
				want = fmt.Sprintf("%d %x", ws.Text, "4"+string(m.Data))
			}
			for _, piece := range []int{1, 7, 1000, 1 << 20} {
				got, err := cut(1<<20, in, piece)
				if err != nil || len(got) != 2 || got[0] != want || got[1] != want {
					t.Fatalf("%d bytes, binary %v, by %d: %d packets, %v", n, m.Binary, piece, len(got), err)
				}
			}
		}
	}
}

func TestStreamRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		in  []byte
		err error
	}{
		"no length":                {[]byte{0}, errStreamLength},
		"no length in eight bytes": {append([]byte{127}, make([]byte, 8)...), errStreamLength},
		"too big":                  {[]byte{126, 0x03, 0xe9}, errStreamTooBig},
		"far too big":              {bytes.Repeat([]byte{0xff}, 9), errStreamTooBig},
	} {
		for _, piece := range []int{1, 100} {
			if _, err := cut(1000, c.in, piece); !errors.Is(err, c.err) {
				t.Errorf("%s: %v; want %v", name, err, c.err)
			}
		}
	}
	if got, err := cut(1000, []byte{126, 0, 1, 'x'}, 100); err != nil || len(got) != 1 {
		t.Errorf("a length in more bytes than it needs: %q, %v", got, err) // as the original
	}
	if got, _ := cut(1000, []byte{2, '4', 0xff}, 100); len(got) != 1 || got[0] != fmt.Sprintf("%d %x", ws.Text, "4\uFFFD") {
		t.Errorf("not UTF-8: %q", got)
	}
}

// TestStreamDeclared: what is merely declared costs nothing.
func TestStreamDeclared(t *testing.T) {
	const n = 1000
	parsers := make([]streamParser, n)
	head := appendStreamHead(nil, true, 1<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range parsers {
		parsers[i].max = 1 << 20
		if _, _, ok, err := parsers[i].next(append(head, 'x')); ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	runtime.ReadMemStats(&after)
	if got := (after.TotalAlloc - before.TotalAlloc) / n; got > 200 {
		t.Errorf("%d bytes for one that has arrived", got)
	}
}

// FuzzStream: the same bytes give the same packets and the same error however they
// are cut, and what comes out goes back in.
func FuzzStream(f *testing.F) {
	f.Add(appendStreamFrame(appendStreamFrame(nil, packetMessage, Message{Data: []byte("a")}), packetMessage, Message{Binary: true, Data: make([]byte, 200)}), 3)
	f.Add([]byte{0xff, 0xff, 0xff}, 1)
	f.Add([]byte{126, 0, 1, 'x', 0}, 2)
	f.Fuzz(func(t *testing.T, in []byte, piece int) {
		piece = max(1, piece%100)
		want, err1 := cut(500, in, len(in)+1)
		got, err2 := cut(500, in, piece)
		if fmt.Sprint(got) != fmt.Sprint(want) || !errors.Is(err2, err1) {
			t.Fatalf("by %d: %q, %v; at once: %q, %v", piece, got, err2, want, err1)
		}
		if len(in) > 0 && len(in) < 500 {
			m := Message{Binary: true, Data: in}
			if back, err := cut(500, appendStreamFrame(nil, packetMessage, m), piece); err != nil || len(back) != 1 || back[0] != fmt.Sprintf("%d %x", ws.Binary, in) {
				t.Fatalf("%x: %q, %v", in, back, err)
			}
		}
	})
}
