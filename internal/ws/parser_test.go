package ws_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sockeye-go/socketio/internal/ws"
)

const maxMessage = 1000

var key = [4]byte{0x37, 0xfa, 0x21, 0x3d}

// frame builds any frame, right or wrong: first is FIN, the reserved bits and
// the opcode. It is masked, as a client's.
func frame(first byte, payload string) []byte {
	b := ws.AppendMasked(nil, 0, []byte(payload), key)
	b[0] = first
	return b
}

// claim is the header of a masked frame that says its payload has n bytes, in
// the long form.
func claim(first byte, n uint64) []byte {
	b := binary.BigEndian.AppendUint64([]byte{first, 0x80 | 127}, n)
	return append(b, key[:]...)
}

func stream(frames ...[]byte) []byte { return bytes.Join(frames, nil) }

const (
	fin   = 0x80
	cont  = 0
	text  = 1
	bin   = 2
	close = 8
	ping  = 9
	pong  = 10
)

// parse feeds in to a parser, at most cut bytes at a time, and returns what
// comes out, one line a message, the error last.
func parse(role ws.Role, in []byte, cut func() int) (lines []string) {
	var p ws.Parser
	p.Init(role, maxMessage)
	for len(in) > 0 {
		n := min(max(cut(), 1), len(in))
		piece := bytes.Clone(in[:n]) // Next may change it
		in = in[n:]
		for len(piece) > 0 {
			m, n, ok, err := p.Next(piece)
			if err != nil {
				if _, _, _, again := p.Next(piece); again != err {
					return append(lines, fmt.Sprintf("error did not stay: %v", again))
				}
				return append(lines, describe(err))
			}
			if !ok {
				if n != len(piece) {
					return append(lines, fmt.Sprintf("consumed %d of %d bytes", n, len(piece)))
				}
				break
			}
			piece = piece[n:]
			lines = append(lines, line(m.Op, m.Code, m.Data))
		}
	}
	return lines
}

func line(op ws.Opcode, code ws.CloseCode, data []byte) string {
	if op == ws.Close {
		return fmt.Sprintf("close %d %q", code, data)
	}
	return fmt.Sprintf("%d %q", op, data)
}

func describe(err error) string {
	var e *ws.Error
	if !errors.As(err, &e) {
		return fmt.Sprintf("no *ws.Error: %v", err)
	}
	return fmt.Sprintf("error %d: %s", e.Code, e.Reason)
}

func whole() int    { return 1 << 30 }
func bytewise() int { return 1 }

func TestParser(t *testing.T) {
	big := strings.Repeat("x", maxMessage)
	for _, tt := range []struct {
		name string
		in   []byte
		want []string
	}{
		{"text", frame(fin|text, "hello"), []string{`1 "hello"`}},
		{"empty text", frame(fin|text, ""), []string{`1 ""`}},
		{"binary is not checked for UTF-8", frame(fin|bin, "\xff\x00"), []string{`2 "\xff\x00"`}},
		{"two in one read", stream(frame(fin|text, "a"), frame(fin|text, "b")), []string{`1 "a"`, `1 "b"`}},
		{"125 bytes", frame(fin|text, big[:125]), []string{fmt.Sprintf("1 %q", big[:125])}},
		{"126 bytes", frame(fin|text, big[:126]), []string{fmt.Sprintf("1 %q", big[:126])}},

		{"RSV1", frame(fin|0x40|text, "a"), []string{"error 1002: reserved bits are set"}},
		{"RSV2", frame(fin|0x20|text, "a"), []string{"error 1002: reserved bits are set"}},
		{"RSV3", frame(fin|0x10|text, "a"), []string{"error 1002: reserved bits are set"}},
		{"RSV1 on a ping", frame(fin|0x40|ping, ""), []string{"error 1002: reserved bits are set"}},
		{"opcode 3", frame(fin|3, ""), []string{"error 1002: reserved opcode"}},
		{"opcode 7", frame(fin|7, ""), []string{"error 1002: reserved opcode"}},
		{"opcode 11", frame(fin|11, ""), []string{"error 1002: reserved opcode"}},
		{"opcode 15", frame(fin|15, ""), []string{"error 1002: reserved opcode"}},
		{"what came before an error arrives", stream(frame(fin|text, "a"), frame(fin|3, "")), []string{`1 "a"`, "error 1002: reserved opcode"}},
		{"not masked", ws.AppendFrame(nil, ws.Text, []byte("a")), []string{"error 1002: frame is not masked"}},

		{"fragments", stream(frame(text, "a"), frame(cont, "b"), frame(fin|cont, "c")), []string{`1 "abc"`}},
		{"empty fragments", stream(frame(text, ""), frame(cont, ""), frame(fin|cont, "")), []string{`1 ""`}},
		{"ping between fragments", stream(frame(text, "a"), frame(fin|ping, "p"), frame(fin|cont, "b")), []string{`9 "p"`, `1 "ab"`}},
		{"close between fragments", stream(frame(text, "a"), frame(fin|close, "\x03\xe8")), []string{`close 1000 ""`}},
		{"continuation of nothing", frame(fin|cont, "a"), []string{"error 1002: continuation of nothing"}},
		{"continuation after the end", stream(frame(text, "a"), frame(fin|cont, "b"), frame(cont, "c")), []string{`1 "ab"`, "error 1002: continuation of nothing"}},
		{"text within text", stream(frame(text, "a"), frame(fin|text, "b")), []string{"error 1002: message within a message"}},
		{"binary within text", stream(frame(text, "a"), frame(bin, "b")), []string{"error 1002: message within a message"}},

		{"ping", frame(fin|ping, "p"), []string{`9 "p"`}},
		{"pong nobody asked for", frame(fin|pong, "p"), []string{`10 "p"`}},
		{"ping of 125 bytes", frame(fin|ping, big[:125]), []string{fmt.Sprintf("9 %q", big[:125])}},
		{"ping of 126 bytes", frame(fin|ping, big[:126]), []string{"error 1002: control frame is too long"}},
		{"fragmented ping", frame(ping, "p"), []string{"error 1002: fragmented control frame"}},
		{"fragmented close", frame(close, ""), []string{"error 1002: fragmented control frame"}},

		{"UTF-8", frame(fin|text, "κόσμε"), []string{`1 "κόσμε"`}},
		{"UTF-8 cut by a fragment", stream(frame(text, "\xce"), frame(fin|cont, "\xba")), []string{`1 "κ"`}},
		{"UTF-8 that ends early", frame(fin|text, "\xce"), []string{"error 1007: text is not UTF-8"}},
		{"UTF-8 that ends early, in fragments", stream(frame(text, "a"), frame(fin|cont, "\xce")), []string{"error 1007: text is not UTF-8"}},
		{"surrogate", frame(fin|text, "\xed\xa0\x80"), []string{"error 1007: text is not UTF-8"}},
		{"overlong", frame(fin|text, "\xc0\xaf"), []string{"error 1007: text is not UTF-8"}},
		{"beyond U+10FFFF", frame(fin|text, "\xf4\x90\x80\x80"), []string{"error 1007: text is not UTF-8"}},

		{"close", frame(fin|close, ""), []string{`close 1005 ""`}},
		{"close with a reason", frame(fin|close, "\x03\xe8bye"), []string{`close 1000 "bye"`}},
		{"close with half a status", frame(fin|close, "\x03"), []string{"error 1002: close frame with half a status"}},
		{"close with a reason that is no UTF-8", frame(fin|close, "\x03\xe8\xff"), []string{"error 1007: text is not UTF-8"}},

		{"at the limit", frame(fin|bin, big), []string{fmt.Sprintf("2 %q", big)}},
		{"one more", frame(fin|bin, big+"x"), []string{"error 1009: message is too big"}},
		{"at the limit, in fragments", stream(frame(bin, big[:1]), frame(fin|cont, big[1:])), []string{fmt.Sprintf("2 %q", big)}},
		{"one more, in fragments", stream(frame(bin, "x"), frame(fin|cont, big)), []string{"error 1009: message is too big"}},
		{"limit, by the header alone", claim(fin|bin, 1<<62), []string{"error 1009: message is too big"}},
		{"limit, by the header of a fragment", stream(frame(bin, "x"), claim(fin|cont, 1<<63-1)), []string{"error 1009: message is too big"}},
		{"length with the highest bit", claim(fin|bin, 1<<63), []string{"error 1002: length is not minimal, or negative"}},
		{"length of all ones", claim(fin|bin, 1<<64-1), []string{"error 1002: length is not minimal, or negative"}},
		{"length of 8 bytes for 65535", claim(fin|bin, 1<<16-1), []string{"error 1002: length is not minimal, or negative"}},
		{"length of 2 bytes for 125", []byte{fin | bin, 0x80 | 126, 0, 125, 0, 0, 0, 0}, []string{"error 1002: length is not minimal"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for how, cut := range map[string]func() int{"at once": whole, "by bytes": bytewise} {
				if got := parse(ws.Server, tt.in, cut); strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
					t.Errorf("%s: got %q; want %q", how, got, tt.want)
				}
			}
		})
	}
}

func TestParserOfClient(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []byte
		want string
	}{
		{"server's frame", ws.AppendFrame(nil, ws.Text, []byte("a")), `1 "a"`},
		{"masked frame", frame(fin|text, "a"), "error 1002: masked frame from a server"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.Join(parse(ws.Client, tt.in, bytewise), "\n"); got != tt.want {
				t.Errorf("got %q; want %q", got, tt.want)
			}
		})
	}
}

func TestCloseCodes(t *testing.T) {
	valid := func(c int) bool { // "7.4.2 Reserved Status Code Ranges", and the registry
		switch {
		case c == 1004, c == 1005, c == 1006, c == 1015:
			return false
		}
		return c >= 1000 && c <= 1014 || c >= 3000 && c <= 4999
	}
	for c := range 1 << 16 {
		got := parse(ws.Server, frame(fin|close, string(binary.BigEndian.AppendUint16(nil, uint16(c)))), whole)
		want := "error 1002: close frame with an invalid status"
		if valid(c) {
			want = fmt.Sprintf(`close %d ""`, c)
		}
		if len(got) != 1 || got[0] != want {
			t.Errorf("code %d: got %q; want %q", c, got, want)
		}
	}
}

// A declared length costs nothing until its bytes come.
func TestParserAllocatesWhatCame(t *testing.T) {
	const announced = 1 << 40
	for name, start := range map[string][]byte{
		"one frame": claim(fin|bin, announced),
		"fragment":  stream(frame(bin, "x"), claim(fin|cont, announced)),
	} {
		t.Run(name, func(t *testing.T) {
			var p ws.Parser
			p.Init(ws.Server, 1<<50)
			in := append(start, "some bytes"...)
			for len(in) > 0 {
				m, n, ok, err := p.Next(in)
				if err != nil || ok || n != len(in) {
					t.Fatalf("Next = %v, %d, %v, %v; want it to wait for more", m, n, ok, err)
				}
				in = in[n:]
			}
		})
	}
}

// Many tiny fragments cost the receiver more than the sender.
func TestParserManyFragments(t *testing.T) {
	feed := func(size, n int) error {
		var p ws.Parser
		p.Init(ws.Server, 1<<30)
		piece := strings.Repeat("x", size)
		in := frame(bin, piece)
		for range n {
			if _, _, _, err := p.Next(in); err != nil {
				return err
			}
			in = frame(cont, piece)
		}
		m, _, ok, err := p.Next(frame(fin|cont, ""))
		if err == nil && (!ok || len(m.Data) != size*n) {
			t.Errorf("%d fragments of %d bytes: a message of %d bytes, %v", n, size, len(m.Data), ok)
		}
		return err
	}
	for _, tt := range []struct {
		size, n int
		ok      bool
	}{
		{0, 1000, true},
		{0, 1025, false},
		{1, 1000, true},
		{1, 1025, false},
		{63, 5000, false},
		{64, 5000, true},
		{128, 5000, true},
	} {
		var e *ws.Error
		err := feed(tt.size, tt.n)
		switch {
		case tt.ok && err != nil:
			t.Errorf("%d fragments of %d bytes: %v", tt.n, tt.size, err)
		case !tt.ok && (!errors.As(err, &e) || e.Code != ws.ClosePolicy):
			t.Errorf("%d fragments of %d bytes: error %v; want code %d", tt.n, tt.size, err, ws.ClosePolicy)
		}
	}
}
