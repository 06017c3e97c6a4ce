package doctor

import (
	"fmt"
	"net/http"
	"strings"
)

// proxyOf names the proxy by what it says of itself; "" if it says nothing.
func proxyOf(h http.Header) string {
	all := strings.ToLower(strings.Join(h.Values("Server"), " ") + " " + strings.Join(h.Values("Via"), " "))
	for _, name := range []string{"nginx", "openresty", "caddy", "traefik", "haproxy", "envoy", "cloudflare", "varnish", "apache"} {
		if strings.Contains(all, name) {
			if name == "openresty" {
				return "nginx"
			}
			return name
		}
	}
	return ""
}

// mends are the lines for each proxy. Those of the proxy that is known come alone.
func mends(proxy string, lines map[string]string) []mend {
	if l, ok := lines[proxy]; ok && proxy != "" {
		return append([]mend{{proxy, l}}, application(lines)...)
	}
	var list []mend
	for _, name := range []string{"nginx", "haproxy", "caddy", "traefik"} {
		if l, ok := lines[name]; ok {
			list = append(list, mend{name, l})
		}
	}
	return append(list, application(lines)...)
}

func application(lines map[string]string) []mend {
	var list []mend
	for _, name := range []string{"Node server", "Go server", "client"} {
		if l, ok := lines[name]; ok {
			list = append(list, mend{name, l})
		}
	}
	return list
}

func mendUpgrade(proxy, path string) []mend {
	return mends(proxy, map[string]string{
		"nginx":   "location " + path + " {\n  proxy_http_version 1.1;\n  proxy_set_header Upgrade $http_upgrade;\n  proxy_set_header Connection \"upgrade\";\n}",
		"apache":  "ProxyPass \"" + path + "\" \"http://127.0.0.1:3000" + path + "\" upgrade=websocket",
		"haproxy": "mode http   # passes the upgrade on by itself; look for \"http-request del-header Upgrade\"",
		"caddy":   "reverse_proxy " + path + "* 127.0.0.1:3000   # passes the upgrade on by itself",
	})
}

func mendSticky(proxy string) []mend {
	return mends(proxy, map[string]string{
		"nginx":   "upstream socketio {\n  hash $remote_addr consistent;   # or ip_hash;\n  server 127.0.0.1:3000;\n  server 127.0.0.1:3001;\n}",
		"haproxy": "cookie node insert indirect nocache httponly\nserver a 127.0.0.1:3000 check cookie a\nserver b 127.0.0.1:3001 check cookie b",
		"caddy":   "lb_policy cookie",
		"traefik": "loadBalancer:\n  sticky:\n    cookie: { name: node, httpOnly: true }",
		"client":  "io({ transports: [\"websocket\"] })   // one connection, so that nothing has to stick",
	})
}

func mendIdle(proxy string, seconds int) []mend {
	return mends(proxy, map[string]string{
		"nginx":       fmt.Sprintf("proxy_read_timeout %ds;\nproxy_send_timeout %ds;", seconds, seconds),
		"haproxy":     fmt.Sprintf("timeout server %ds\ntimeout client %ds\ntimeout tunnel 1h", seconds, seconds),
		"traefik":     fmt.Sprintf("entryPoints:\n  web:\n    transport:\n      respondingTimeouts: { readTimeout: 0, idleTimeout: %ds }", seconds),
		"Node server": "new Server({ pingInterval: 3000 })   // shorter than the proxy's patience",
		"Go server":   "socketio.Options{PingInterval: 3 * time.Second}   // shorter than the proxy's patience",
	})
}

func mendPayload(proxy string, bytes int64) []mend {
	return mends(proxy, map[string]string{
		"nginx":       fmt.Sprintf("client_max_body_size %d;   # bytes, as the server's limit", bytes),
		"caddy":       fmt.Sprintf("request_body {\n  max_size %d\n}", bytes),
		"traefik":     fmt.Sprintf("middlewares:\n  limit:\n    buffering: { maxRequestBodyBytes: %d }", bytes),
		"Node server": "new Server({ maxHttpBufferSize: 1e3 })   // or lower the server's, so that clients know it",
	})
}

func mendCORS(origin string) []mend {
	return []mend{
		{"Node server", fmt.Sprintf("new Server({ cors: { origin: %q } })", origin)},
		{"Go server", fmt.Sprintf("socketio.Options{CORS: &engineio.CORS{Origins: []string{%q}}}", origin)},
	}
}
