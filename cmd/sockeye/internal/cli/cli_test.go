package cli

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/cobra"

	"github.com/sockeye-go/socketio/client"
	"github.com/sockeye-go/socketio/engineio"
)

func target(t *testing.T, args ...string) (*Target, error) {
	t.Helper()
	tg := new(Target)
	cmd := &cobra.Command{Use: "x", SilenceErrors: true, SilenceUsage: true, Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return tg.Parse(args[0]) }}
	tg.Flags(cmd)
	cmd.SetArgs(args)
	return tg, cmd.Execute()
}

func TestTarget(t *testing.T) {
	for _, c := range []struct {
		args      string
		url, nsp  string
		says, tip string
	}{
		{"localhost:3000", "http://localhost:3000", "/", "", ""},
		{":3000", "http://localhost:3000", "/", "", ""},
		{"example.com", "http://example.com", "/", "", ""},
		{"wss://example.com/chat?a=1", "https://example.com?a=1", "/chat", "", ""},
		{"ws://[::1]:80/", "http://[::1]:80", "/", "", ""},
		{"http://h/socket.io/", "http://h", "/", "", ""},
		{"http://h -n chat", "http://h", "/chat", "", ""},
		{"http://h/chat -n /chat", "http://h", "/chat", "", ""},
		{"http://h/a -n /b", "", "", "namespace", "--path /a/socket.io/"},
		{"ftp://h", "", "", "scheme", "https"},
		{"http://", "", "", "no host", "localhost"},
		{"http://h:port", "", "", "no URL", "localhost"},
	} {
		tg, err := target(t, strings.Fields(c.args)...)
		if c.says != "" {
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Code != Usage || !strings.Contains(e.Error(), c.says) || !strings.Contains(e.Hint, c.tip) {
				t.Errorf("%s: %v, %+v; want %q with a hint of %q", c.args, err, e, c.says, c.tip)
			}
			continue
		}
		if err != nil || tg.URL.String() != c.url || tg.Namespace != c.nsp {
			t.Errorf("%s: %v %q, %v; want %q %q", c.args, tg.URL, tg.Namespace, err, c.url, c.nsp)
		}
	}
}

func TestOptionsRefuse(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--transport", "carrier-pigeon"}, "--transport"},
		{[]string{"--parser", "xml"}, "--parser"},
		{[]string{"--auth", "token"}, "JSON object"},
		{[]string{"--auth", "null"}, "JSON object"},
		{[]string{"--auth", "@/nowhere"}, "no such file"},
		{[]string{"-H", "nothing"}, "no colon"},
		{[]string{"--query", "nothing"}, "--query"},
		{[]string{"--path", "x"}, "slash"},
		{[]string{"--timeout", "-1s"}, "--timeout"},
	} {
		tg, err := target(t, append(c.args, "http://h")...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tg.Options(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: %v; want %q", c.args, err, c.says)
		}
	}
}

func TestHints(t *testing.T) {
	tg, err := target(t, "localhost:3000/chat")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		err  error
		says string
	}{
		{&client.ConnectError{Message: "Invalid namespace"}, "--namespace"},
		{&client.ConnectError{Message: "not you"}, "--auth"},
		{client.ErrConnectTimeout, "--eio3"},
		{fmt.Errorf("x: %w", syscall.ECONNREFUSED), "nothing listens"},
		{&net.DNSError{Name: "nowhere"}, "does not resolve"},
		{&engineio.HandshakeError{Code: 5, Status: 400, Err: errors.New("x")}, "--eio3"},
		{&engineio.HandshakeError{Code: engineio.NoCode, Status: 404, Err: errors.New("x")}, "--path"},
		{&engineio.HandshakeError{Code: engineio.NoCode, Status: 502, Err: errors.New("x")}, "proxy"},
		{&engineio.HandshakeError{Code: engineio.NoCode, Status: 403, Err: errors.New("x")}, "--origin"},
	} {
		e, _ := errors.AsType[*Error](tg.Connecting(c.err))
		if e.Code != Unreachable || !strings.Contains(e.Hint, c.says) {
			t.Errorf("%v: hint %q; want %q", c.err, e.Hint, c.says)
		}
	}
}

func TestReport(t *testing.T) {
	var b bytes.Buffer
	if code := Report(&b, "sockeye x", Usagef("do that", "not this")); code != Usage || b.String() != "sockeye x: not this\n→ do that\n" {
		t.Errorf("code %d, %q", code, &b)
	}
	b.Reset()
	if code := Report(&b, "sockeye x", Silent(No)); code != No || b.Len() != 0 {
		t.Errorf("silent: code %d, %q", code, &b)
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{"grüße 😀": "grüße 😀", "a\x1b[2Jb": `a\u001b[2Jb`, "x\u202ey": `x\u202ey`, "\n": `\u000a`} {
		if got := Printable(in); got != want {
			t.Errorf("%q: %q; want %q", in, got, want)
		}
	}
}
