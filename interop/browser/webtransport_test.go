package browser

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/engineio/webtransport"
)

// selfSigned is a certificate as serverCertificateHashes wants it: ECDSA, and valid
// for two weeks at most.
func selfSigned(t *testing.T) (config *tls.Config, hash []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(10 * 24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, sum[:]
}

// serveTransports serves all transports, and the official client, on one port: that
// of TCP and of UDP are the same, as the client expects.
func serveTransports(t *testing.T) (url string, hash []byte) {
	t.Helper()
	srv := socketio.NewServer(&socketio.Options{
		Transports:        []string{"polling", "websocket", "webtransport"},
		PerMessageDeflate: &socketio.PerMessageDeflate{},
	})
	srv.OnConnection(func(ctx context.Context, s *socketio.Socket) error {
		s.On("echo", func(_ context.Context, m *socketio.Message) error {
			args, err := m.Args()
			if err != nil {
				return err
			}
			return m.Ack(args...)
		})
		s.On("where", func(_ context.Context, m *socketio.Message) error {
			return m.Ack(s.Transport())
		})
		s.On("leave", func(context.Context, *socketio.Message) error {
			if err := s.Emit("last", strings.Repeat("word ", 10_000)); err != nil {
				return err
			}
			s.Disconnect(true)
			return nil
		})
		return nil
	})
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	mux.Handle("/official/", http.StripPrefix("/official/", http.FileServer(http.Dir("../node/node_modules/socket.io-client/dist"))))
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><link rel="icon" href="data:,"><script src="/official/socket.io.js"></script>`))
	})
	hs := httptest.NewServer(mux)
	config, sum := selfSigned(t)
	h3 := webtransport.NewServer(mux, &webtransport.Options{TLSConfig: config})
	pc, err := net.ListenPacket("udp", hs.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- h3.Serve(pc) }()
	t.Cleanup(func() {
		srv.Close()
		_ = h3.Close()
		<-served
		pc.Close()
		hs.Close()
	})
	return hs.URL + "/", sum
}

// scenario is run in the page, over the transports given.
const scenario = `
(async (transports, hash) => {
  const options = { transports, forceNew: true, reconnectionDelay: 50, transportOptions: { webtransport: {
    serverCertificateHashes: [{ algorithm: "sha-256", value: new Uint8Array(hash) }] } } };
  const socket = io(options);
  const once = (emitter, event) => new Promise((resolve, reject) => {
    emitter.once(event, resolve);
    socket.once("connect_error", (e) => reject(new Error("connect_error: " + e.message + " " + (e.description?.message ?? e.description ?? ""))));
    setTimeout(() => reject(new Error("no " + event)), 10000);
  });
  const seen = {};
  await once(socket, "connect");
  seen.first = socket.io.engine.transport.name;
  const last = transports.at(-1);
  if (socket.io.engine.transport.name !== last) await once(socket.io.engine, "upgrade");
  seen.transport = socket.io.engine.transport.name;
  seen.where = await socket.emitWithAck("where");
  const bytes = Uint8Array.from({ length: 70000 }, (_, i) => i % 251);
  const args = ["text \u{1F642}", { deep: [1, null, { b: bytes.buffer }] }, bytes.slice(0, 3).buffer, "x".repeat(300000), ""];
  for (let i = 0; i < 3; i++) {
    const back = await new Promise((resolve) => socket.emit("echo", ...args, (...a) => resolve(a)));
    const same = (a, b) => {
      if (a instanceof ArrayBuffer) return b instanceof ArrayBuffer && a.byteLength === b.byteLength && new Uint8Array(a).every((x, i) => x === new Uint8Array(b)[i]);
      if (a && typeof a === "object") return Object.keys(a).length === Object.keys(b).length && Object.keys(a).every((k) => same(a[k], b[k]));
      return a === b;
    };
    if (!same(args, back)) throw new Error("echo " + i);
  }
  const many = await Promise.all(Array.from({ length: 200 }, (_, i) => socket.emitWithAck("echo", i)));
  if (!many.every((x, i) => x === i)) throw new Error("order");
  seen.extensions = socket.io.engine.transport.ws?.extensions ?? "";
  // A cut, and a new connection.
  const again = new Promise((resolve) => socket.once("connect", resolve));
  socket.io.engine.close();
  await again;
  seen.again = await socket.emitWithAck("echo", "again");
  // What is sent before the end arrives.
  const word = once(socket, "last");
  const gone = once(socket, "disconnect");
  socket.emit("leave");
  seen.last = (await word).length;
  seen.reason = await gone;
  socket.close();
  return JSON.stringify(seen);
})`

// TestEveryTransport: the official client, in a browser, over every way that it has.
func TestEveryTransport(t *testing.T) {
	browser := chromium(t)
	url, hash := serveTransports(t)
	list, err := json.Marshal(bytesAsNumbers(hash))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, transports, first, last string
	}{
		{"webtransport", `["webtransport"]`, "webtransport", "webtransport"},
		{"all", `["polling","websocket","webtransport"]`, "polling", "webtransport"},
		{"polling and webtransport", `["polling","webtransport"]`, "polling", "webtransport"},
		{"websocket, compressed", `["websocket"]`, "websocket", "websocket"},
		{"polling, compressed", `["polling"]`, "polling", "polling"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := openTab(t, browser, url)
			p.run(c.name, chromedp.Evaluate(scenario+"("+c.transports+", "+string(list)+`)
				.then((s) => window.seen = s, (e) => window.seen = JSON.stringify({ error: e.message }))
				.then(() => undefined)`, nil))
			p.until("the scenario to end", `!!window.seen`)
			var seen struct {
				First, Transport, Where, Extensions, Again, Reason, Error string
				Last                                                      int
			}
			if err := json.Unmarshal([]byte(p.value(`window.seen`)), &seen); err != nil {
				t.Fatal(err)
			}
			if seen.Error != "" || seen.First != c.first || seen.Transport != c.last || seen.Where != c.last ||
				seen.Again != "again" || seen.Last != 50_000 || seen.Reason != "io server disconnect" {
				t.Errorf("%+v; the console: %q", seen, p.said())
			}
			if c.last == "websocket" && !strings.Contains(seen.Extensions, "permessage-deflate") {
				t.Errorf("extensions %q", seen.Extensions)
			}
		})
	}
}

func bytesAsNumbers(b []byte) []int {
	out := make([]int, len(b))
	for i := range b {
		out[i] = int(b[i])
	}
	return out
}
