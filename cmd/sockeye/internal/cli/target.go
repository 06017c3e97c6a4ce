package cli

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sockeye-go/socketio/client"
	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/parser"
	"github.com/sockeye-go/socketio/parser/msgpack"
)

// A Target is a server as the command line names it.
type Target struct {
	URL       *url.URL // scheme and host, perhaps a query
	Namespace string

	Path      string
	Auth      string
	Transport string
	Parser    string
	Headers   []string
	Query     []string
	Origin    string
	EIO3      bool
	Insecure  bool
	Timeout   time.Duration

	namespace string // the flag
}

// Flags adds the flags that say how to reach a server.
func (t *Target) Flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&t.namespace, "namespace", "n", "", "namespace to join; also the path of the URL (default \"/\")")
	f.StringVar(&t.Path, "path", "/socket.io/", "path of the engine on the server")
	f.StringVar(&t.Auth, "auth", "", "credentials as a JSON object, or @file that holds it")
	f.StringVar(&t.Transport, "transport", "auto", "auto: websocket, else polling; websocket; polling; upgrade: as browsers do")
	f.StringVar(&t.Parser, "parser", "json", "json or msgpack, as the server has it")
	f.StringArrayVarP(&t.Headers, "header", "H", nil, "a header for each request, \"Name: value\"; may be repeated")
	f.StringArrayVar(&t.Query, "query", nil, "name=value for the query; may be repeated")
	f.StringVar(&t.Origin, "origin", "", "the Origin header, as a page of this address would send it")
	f.BoolVar(&t.EIO3, "eio3", false, "revision 3 of Engine.IO, for servers of Socket.IO 2")
	f.BoolVarP(&t.Insecure, "insecure", "k", false, "do not verify the certificate of the server")
	f.DurationVar(&t.Timeout, "timeout", 10*time.Second, "give an attempt to connect up after this")
	for flag, values := range map[string][]string{"transport": {"auto", "websocket", "polling", "upgrade"}, "parser": {"json", "msgpack"}} {
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
}

// Parse takes the URL of the command line. Nothing else is asked of people than
// what they would type into a browser: the scheme may be missing, and the host of
// a port.
func (t *Target) Parse(raw string) error {
	u, err := ParseURL(raw)
	if err != nil {
		return err
	}
	t.Namespace = t.namespace
	switch path := strings.TrimSuffix(u.Path, "/"); {
	case path == strings.TrimSuffix(t.Path, "/"):
		// The address of the engine is no namespace.
	case path != "" && t.Namespace == "":
		t.Namespace = path
	case path != "" && path != t.Namespace:
		return Usagef("drop one of them; if the server is mounted at "+path+", say --path "+path+"/socket.io/",
			"the path of the URL is the namespace %q, and --namespace says %q", path, t.Namespace)
	}
	if !strings.HasPrefix(t.Namespace, "/") {
		t.Namespace = "/" + t.Namespace
	}
	u.Path, u.RawPath, u.Fragment = "", "", ""
	t.URL = u
	return nil
}

// ParseURL reads an address that lacks a scheme or a host.
func ParseURL(raw string) (*url.URL, error) {
	full := raw
	if strings.HasPrefix(full, ":") {
		full = "localhost" + full
	}
	if !strings.Contains(full, "://") {
		full = "http://" + full
	}
	u, err := url.Parse(full)
	if err != nil {
		return nil, Usagef("an address looks like http://localhost:3000 or wss://example.com/namespace", "%q is no URL", raw)
	}
	switch u.Scheme {
	case "ws":
		u.Scheme = "http"
	case "wss":
		u.Scheme = "https"
	case "http", "https":
	default:
		return nil, Usagef("use http, https, ws or wss", "scheme %q of %q", u.Scheme, raw)
	}
	if u.Hostname() == "" {
		return nil, Usagef("an address looks like http://localhost:3000", "%q has no host", raw)
	}
	return u, nil
}

// Header returns the headers of the flags.
func (t *Target) Header() (http.Header, error) {
	h := http.Header{}
	for _, line := range t.Headers {
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.TrimSpace(name) == "" {
			return nil, Usagef(`write it as --header "Authorization: Bearer …"`, "header %q has no colon", line)
		}
		h.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	if t.Origin != "" {
		h.Set("Origin", t.Origin)
	}
	return h, nil
}

// TLS returns the configuration for https; nil for the default.
func (t *Target) TLS() *tls.Config {
	if !t.Insecure {
		return nil
	}
	return &tls.Config{InsecureSkipVerify: true} // asked for
}

// Transports translates --transport.
func (t *Target) Transports() (list []string, noUpgrade bool, err error) {
	switch t.Transport {
	case "", "auto":
		return []string{engineio.WebSocket, engineio.Polling}, true, nil
	case "websocket":
		return []string{engineio.WebSocket}, false, nil
	case "polling":
		return []string{engineio.Polling}, true, nil
	case "upgrade":
		return []string{engineio.Polling, engineio.WebSocket}, false, nil
	}
	return nil, false, Usagef("it is auto, websocket, polling or upgrade", "--transport %q", t.Transport)
}

func (t *Target) codec() (parser.Parser, error) {
	switch t.Parser {
	case "", "json":
		return parser.JSON, nil
	case "msgpack":
		return msgpack.Parser, nil
	}
	return nil, Usagef("it is json or msgpack", "--parser %q", t.Parser)
}

// auth reads --auth, which is an object as in the protocol.
func (t *Target) auth() (any, error) {
	if t.Auth == "" {
		return nil, nil
	}
	text := []byte(t.Auth)
	if file, ok := strings.CutPrefix(t.Auth, "@"); ok {
		var err error
		if text, err = os.ReadFile(file); err != nil {
			return nil, Usagef("", "--auth: %v", err)
		}
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil || m == nil {
		return nil, Usagef(`quote it for the shell: --auth '{"token":"abc"}'`, "--auth is not a JSON object")
	}
	return m, nil
}

// Options are those of a client for the server.
func (t *Target) Options() (*client.Options, error) {
	o := &client.Options{Path: t.Path, Timeout: t.Timeout, TLSConfig: t.TLS(), Query: url.Values{}}
	var err error
	if o.Transports, o.DisableUpgrades, err = t.Transports(); err != nil {
		return nil, err
	}
	if o.Header, err = t.Header(); err != nil {
		return nil, err
	}
	if o.Parser, err = t.codec(); err != nil {
		return nil, err
	}
	if o.Auth, err = t.auth(); err != nil {
		return nil, err
	}
	for _, pair := range t.Query {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, Usagef("write it as --query name=value", "--query %q", pair)
		}
		o.Query.Add(name, value)
	}
	if t.EIO3 {
		o.Protocol = 3
	}
	if !strings.HasPrefix(t.Path, "/") {
		return nil, Usagef("write --path /"+t.Path, "--path %q does not begin with a slash", t.Path)
	}
	if t.Timeout <= 0 {
		return nil, Usagef("it is a time such as 10s", "--timeout %v", t.Timeout)
	}
	// Load balancers tell clients by a cookie where they belong.
	o.Jar, _ = cookiejar.New(nil)
	o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	return o, nil
}

// Dial makes a manager for the server.
func (t *Target) Dial(change func(*client.Options)) (*client.Manager, error) {
	o, err := t.Options()
	if err != nil {
		return nil, err
	}
	if change != nil {
		change(o)
	}
	m, err := client.New(t.URL.String(), o)
	if err != nil {
		return nil, Usagef("", "%v", err)
	}
	return m, nil
}
