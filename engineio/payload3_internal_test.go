package engineio

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCutText(t *testing.T) {
	tests := []struct {
		name, in, packet, rest string
		bad                    bool
	}{
		{name: "one", in: "2:40", packet: "40"},
		{name: "more", in: "2:401:2", packet: "40", rest: "1:2"},
		{name: "empty packet", in: "0:", packet: ""},
		{name: "two bytes, one unit", in: "2:4é1:2", packet: "4é", rest: "1:2"},
		{name: "three bytes, one unit", in: "2:4日", packet: "4日"},
		{name: "four bytes, two units", in: "3:4😀1:2", packet: "4😀", rest: "1:2"},
		{name: "colons inside", in: "4:4:::", packet: "4:::"},
		{name: "leading zeros", in: "002:40", packet: "40"},
		{name: "half a character", in: "2:4😀", bad: true},
		{name: "too short", in: "3:40", bad: true},
		{name: "no length", in: ":40", bad: true},
		{name: "no colon", in: "240", bad: true},
		{name: "nothing", in: "", bad: true},
		{name: "a sign", in: "+2:40", bad: true},
		{name: "a space", in: " 2:40", bad: true},
		{name: "an exponent", in: "1e0:4", bad: true},
		{name: "beyond any length", in: "99999999999999999999:4", bad: true},
		{name: "many digits", in: strings.Repeat("0", 500) + "1:4", bad: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			packet, rest, err := cutText([]byte(tt.in))
			if (err != nil) != tt.bad || string(packet) != tt.packet || string(rest) != tt.rest {
				t.Errorf("cutText(%.40q) = %q, %q, %v", tt.in, packet, rest, err)
			}
		})
	}
}

func TestCutBinary(t *testing.T) {
	tests := []struct {
		name   string
		in     string
		packet string
		text   bool
		rest   string
		bad    bool
	}{
		{name: "text", in: "\x00\x02\xff40", packet: "40", text: true},
		{name: "bytes", in: "\x01\x04\xff\x04\x01\x02\x03", packet: "\x04\x01\x02\x03"},
		{name: "more", in: "\x00\x01\xff2\x00\x02\xff40", packet: "2", text: true, rest: "\x00\x02\xff40"},
		{name: "two digits", in: "\x00\x01\x00\xff4123456789", packet: "4123456789", text: true},
		{name: "a third kind", in: "\x02\x01\xff2", bad: true},
		{name: "no length", in: "\x00\xff2", bad: true},
		{name: "a length of characters", in: "\x0010\xff2", bad: true},
		{name: "too short", in: "\x00\x03\xff40", bad: true},
		{name: "no end", in: "\x00\x01", bad: true},
		{name: "nothing", in: "", bad: true},
		{name: "beyond any length", in: "\x00" + strings.Repeat("\x09", 310) + "\xff4", bad: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			packet, text, rest, err := cutBinary([]byte(tt.in))
			if (err != nil) != tt.bad || string(packet) != tt.packet || text != tt.text || string(rest) != tt.rest {
				t.Errorf("cutBinary(%.40q) = %q, %v, %q, %v", tt.in, packet, text, rest, err)
			}
		})
	}
}

// FuzzPayload3: what is encoded decodes to the same, in each framing, and what
// a client makes up neither panics nor decodes to more than it has.
func FuzzPayload3(f *testing.F) {
	f.Add([]byte("2:406:b4AQID"), "hello 😀", []byte{1, 2, 3})
	f.Add([]byte("\x00\x02\xff40\x01\x02\xff\x04\x01"), "", []byte{})
	f.Add([]byte("99999999999:4"), "\u2028", []byte{255, 0})
	f.Add([]byte("3:4😀"), "é", []byte(nil))
	f.Fuzz(func(t *testing.T, raw []byte, text string, data []byte) {
		for rest := raw; len(rest) > 0; {
			packet, more, err := cutText(rest)
			if err != nil {
				break
			}
			again := appendText(nil, packet)
			if p, r, err := cutText(again); err != nil || len(r) != 0 || !bytes.Equal(p, packet) {
				t.Fatalf("%q became %q, %v", packet, p, err)
			}
			rest = more
		}
		for rest := raw; len(rest) > 0; {
			packet, isText, more, err := cutBinary(rest)
			if err != nil {
				break
			}
			again := append(appendBinaryHeader(nil, isText, len(packet)), packet...)
			if p, tx, r, err := cutBinary(again); err != nil || len(r) != 0 || tx != isText || !bytes.Equal(p, packet) {
				t.Fatalf("%q became %q, %v", packet, p, err)
			}
			rest = more
		}
		if !utf8.ValidString(text) {
			return
		}
		queue := []*Prepared{Prepare(Message{Data: []byte(text)}), Prepare(Message{Binary: true, Data: data}), pong}
		for _, form := range []form{revision3, revision3 | textOnly} {
			payload, binary := encodePayload3(queue, form)
			if binary == (form&textOnly != 0) {
				t.Fatalf("form %d is binary: %v", form, binary)
			}
			var got []string
			for len(payload) > 0 {
				var packet []byte
				isText, err := true, error(nil)
				if binary {
					packet, isText, payload, err = cutBinary(payload)
				} else {
					packet, payload, err = cutText(payload)
				}
				if err != nil {
					t.Fatal(err)
				}
				switch {
				case !isText:
					packet = append([]byte("bytes "), packet...)
				case packet[0] == 'b':
					b, err := decodeBase64(packet[2:])
					if err != nil {
						t.Fatal(err)
					}
					packet = append([]byte("bytes \x04"), b...)
				}
				got = append(got, string(packet))
			}
			want := []string{"4" + text, "bytes \x04" + string(data), "3"}
			if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
				t.Fatalf("got %q; want %q", got, want)
			}
		}
	})
}

func TestUnescapeNewlines(t *testing.T) {
	for in, want := range map[string]string{
		`a\nb`: "a\nb", `a\\nb`: `a\nb`, `a\\\nb`: `a\\nb`, `\`: `\`, `\\`: `\\`, `n\n`: "n\n", `\n\\n\n`: "\n\\n\n", ``: ``,
	} {
		if got := string(unescapeNewlines(in)); got != want {
			t.Errorf("%q became %q; want %q", in, got, want)
		}
	}
}
