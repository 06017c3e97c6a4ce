package forward

import (
	"strings"
	"testing"
)

func TestSeal(t *testing.T) {
	s, other := newSeal([]byte("a key that all nodes have")), newSeal([]byte("a key that others have"))
	for _, c := range []struct{ id, address string }{
		{"AAAAAAAAAAAAAAAAAAAA", "10.0.0.1:3000"},
		{"an~id", "[2001:db8::1]:443"},
		{"x", "https://node-1.chat.internal:3000"},
		{"x", strings.Repeat("a", maxAddress)},
	} {
		sid := s.sid(c.id, c.address)
		if got, ok := s.open(sid); got != c.address || !ok {
			t.Errorf("open(sid(%q, %q)) = %q, %v", c.id, c.address, got, ok)
		}
		if _, ok := other.open(sid); ok {
			t.Errorf("%q opens with another key", sid)
		}
		if strings.Contains(sid, c.address) || !strings.HasPrefix(sid, c.id+separator) {
			t.Errorf("sid(%q, %q) = %q", c.id, c.address, sid)
		}
		for i := range sid {
			b := []byte(sid)
			b[i] ^= 1
			if got, ok := s.open(string(b)); ok {
				t.Errorf("%q, changed at %d, is of %q", sid, i, got)
			}
		}
	}
	for _, sid := range []string{"", "~", "AAAAAAAAAAAAAAAAAAAA", "a~", "a~AAAA", "a~!", "a~" + strings.Repeat("A", 4000)} {
		if got, ok := s.open(sid); ok {
			t.Errorf("open(%q) = %q", sid, got)
		}
	}
}

func FuzzOpen(f *testing.F) {
	s := newSeal([]byte("a key that all nodes have"))
	f.Add("AAAAAAAAAAAAAAAAAAAA", "10.0.0.1:3000", s.sid("AAAA", "10.0.0.1:3000"))
	f.Fuzz(func(t *testing.T, id, address, sid string) {
		if got, ok := s.open(sid); ok && s.sid(sid[:strings.LastIndex(sid, separator)], got) != sid {
			t.Errorf("%q is of %q, which would have another", sid, got)
		}
		if id == "" || len(address) > maxAddress {
			return
		}
		if got, ok := s.open(s.sid(id, address)); got != address || !ok {
			t.Errorf("open(sid(%q, %q)) = %q, %v", id, address, got, ok)
		}
	})
}

func TestNode(t *testing.T) {
	for address, want := range map[string]string{
		"10.0.0.1:3000": "10.0.0.1:3000", "http://a:80": "a:80", "http://a:80/": "a:80", "https://a:443": "https://a:443", "[::1]:1": "[::1]:1",
		"": "", "a": "", "a:": "", ":80": "", "a:0": "", "a:80/path": "", "ftp://a:1": "", "http://u@a:1": "", "a:80?q": "",
		strings.Repeat("a", maxAddress) + ":80": "",
	} {
		if got, err := node(address); got != want || (err == nil) != (want != "") {
			t.Errorf("node(%q) = %q, %v; want %q", address, got, err, want)
		}
	}
}
