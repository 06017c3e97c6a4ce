package ws_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sockeye-go/socketio/internal/ws"
)

func TestAppendHeader(t *testing.T) {
	for _, tt := range []struct {
		n    int
		want string
	}{
		{0, "\x81\x00"},
		{125, "\x81\x7d"},
		{126, "\x81\x7e\x00\x7e"},
		{65535, "\x81\x7e\xff\xff"},
		{65536, "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"},
	} {
		if got := ws.AppendHeader(nil, ws.Text, tt.n); string(got) != tt.want {
			t.Errorf("AppendHeader of %d bytes = %x; want %x", tt.n, got, tt.want)
		}
	}
}

// The example of "5.7 Examples".
func TestAppendMasked(t *testing.T) {
	const want = "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"
	if got := ws.AppendMasked(nil, ws.Text, []byte("Hello"), key); string(got) != want {
		t.Errorf("AppendMasked = %x; want %x", got, want)
	}
}

func TestAppendClose(t *testing.T) {
	for _, tt := range []struct {
		name   string
		code   ws.CloseCode
		reason string
		want   string
	}{
		{"no status", ws.CloseNoStatus, "ignored", "\x88\x00"},
		{"status", ws.CloseNormal, "", "\x88\x02\x03\xe8"},
		{"reason", ws.CloseTooBig, "big", "\x88\x05\x03\xf1big"},
		{"long reason", ws.CloseNormal, strings.Repeat("x", 200), "\x88\x7d\x03\xe8" + strings.Repeat("x", 123)},
		{"reason cut before a character", ws.CloseNormal, strings.Repeat("x", 122) + "é", "\x88\x7c\x03\xe8" + strings.Repeat("x", 122)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ws.AppendClose(nil, tt.code, tt.reason)
			if string(got) != tt.want {
				t.Errorf("AppendClose = %q; want %q", got, tt.want)
			}
			if len(got) > 4 && !utf8.Valid(got[4:]) {
				t.Errorf("reason %q is not UTF-8", got[4:])
			}
		})
	}
}
