package doctor

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestPackets(t *testing.T) {
	for _, c := range []struct {
		rev  int
		body string
		want []string
	}{
		{4, "", nil},
		{4, "0{}\x1e40", []string{"0{}", "40"}},
		{3, "2:404:4hié", []string{"40", "4hié"}},
		{3, "3:4😀", []string{"4😀"}}, // two units in UTF-16
		{3, "5:40", nil},
		{3, "x", nil},
		{3, "-1:4", nil},
		{3, "<html>", nil},
	} {
		if got := packets(c.rev, c.body); !slices.Equal(got, c.want) {
			t.Errorf("revision %d, %q: %q; want %q", c.rev, c.body, got, c.want)
		}
	}
}

// FuzzPackets: a payload that was made is read again as what it was made of.
func FuzzPackets(f *testing.F) {
	f.Add(3, "40", "4é😀")
	f.Add(4, "0{}", "40")
	f.Add(3, "2:40", "")
	f.Fuzz(func(t *testing.T, rev int, a, b string) {
		_ = packets(rev, a)
		_, _ = readHandshake(a)
		_ = wrap(a, 40)
		if a == "" || b == "" || strings.ToValidUTF8(a+b, "") != a+b || rev >= 4 && strings.Contains(a+b, separator) {
			return
		}
		if got := packets(rev, payload(rev, a, b)); !slices.Equal(got, []string{a, b}) {
			t.Fatalf("%q %q became %q", a, b, got)
		}
	})
}

func TestJudgeCORS(t *testing.T) {
	for _, c := range []struct {
		header []string
		want   state
	}{
		{nil, bad},
		{[]string{"Access-Control-Allow-Origin", "*"}, good},
		{[]string{"Access-Control-Allow-Origin", "https://a.example"}, good},
		{[]string{"Access-Control-Allow-Origin", "https://a.example/"}, bad},
		{[]string{"Access-Control-Allow-Origin", "*", "Access-Control-Allow-Credentials", "true"}, bad},
		{[]string{"Access-Control-Allow-Origin", "https://a.example", "Access-Control-Allow-Origin", "https://a.example"}, bad},
	} {
		h := http.Header{}
		for i := 0; i < len(c.header); i += 2 {
			h.Add(c.header[i], c.header[i+1])
		}
		if v := judgeCORS(h, "https://a.example"); v.State != c.want {
			t.Errorf("%v: %+v; want %s", c.header, v, c.want)
		}
	}
}

func TestProxyOf(t *testing.T) {
	for name, h := range map[string]http.Header{
		"nginx": {"Server": {"nginx/1.22.1"}}, "caddy": {"Via": {"1.1 Caddy"}}, "": {"Server": {"x"}},
	} {
		if got := proxyOf(h); got != name {
			t.Errorf("%v: %q", h, got)
		}
	}
	if m := mendSticky("nginx"); len(m) != 2 || m[0].Where != "nginx" {
		t.Errorf("of a known proxy: %+v", m)
	}
	if m := mendSticky(""); len(m) != 5 {
		t.Errorf("of an unknown proxy: %+v", m)
	}
}
