package metrics_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/internal/rawclient"
	"github.com/sockeye-go/socketio/metrics"
)

func quiet() *socketio.Options {
	return &socketio.Options{Logger: slog.New(slog.DiscardHandler), Recovery: &socketio.Recovery{}}
}

// serve runs srv with what is asked of it, and returns its address.
func serve(t *testing.T, srv *socketio.Server, c *metrics.Collector) string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c)
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.Handle("/healthz", metrics.Healthz())
	mux.Handle("/readyz", metrics.Readyz(srv))
	hs := httptest.NewServer(mux)
	t.Cleanup(func() {
		srv.Close()
		hs.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return hs.URL
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// TestScrape has every metric change by what a client does, and look at it as
// Prometheus does.
func TestScrape(t *testing.T) {
	srv := socketio.NewServer(quiet())
	srv.Of("/private")
	c := metrics.NewCollector(srv, &metrics.Options{Events: []string{"say", "fail", "ask", "end"}, Labels: prometheus.Labels{"node": "a"}})
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) error { return s.Join("lobby") })
	socketio.NewEventWithAck[string, string]("say").Handle(srv, func(_ context.Context, s *socketio.Socket, in string) (string, error) {
		return in, s.Emit("heard")
	})
	socketio.NewEventWithAck[string, string]("fail").Handle(srv, func(context.Context, *socketio.Socket, string) (string, error) {
		return "", errors.New("no")
	})
	socketio.NewEventWithAck[string, string]("ask").Handle(srv, func(ctx context.Context, s *socketio.Socket, in string) (string, error) {
		_, err := s.EmitWithAck(ctx, "ask")
		return in, err
	})
	// Handlers of a socket run one after the other: with its answer, all before it
	// have been counted.
	socketio.NewEventWithAck[socketio.None, string]("end").Handle(srv, func(context.Context, *socketio.Socket, socketio.None) (string, error) {
		return "", nil
	})
	url := serve(t, srv, c)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	ws, err := rawclient.DialWebSocket(ctx, url+"/socket.io/")
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	polling, err := rawclient.OpenPolling(ctx, url+"/socket.io/")
	if err != nil {
		t.Fatal(err)
	}
	for _, exchange := range [][2]string{
		{"40", "40{"}, {"40/private,", "40/private,"},
		{`421["say","x"]`, "431["}, {`422["fail","x"]`, "432["}, {`42["junk-1"]`, ""}, {`42["junk-2"]`, ""}, {`423["say","y"]`, "433["},
		{`424["ask","z"]`, `420["ask"]`}, {`430[]`, "434["}, {`425["end"]`, "435["},
	} {
		if err := ws.Send(ctx, exchange[0]); err != nil {
			t.Fatal(err)
		}
		if exchange[1] == "" {
			continue
		}
		if _, err := ws.Expect(ctx, exchange[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := polling.Send(ctx, "1"); err != nil {
		t.Fatal(err)
	}
	for srv.Connections() != 1 && ctx.Err() == nil {
		runtime.Gosched() // the answer to its last request comes before its end is counted
	}
	get(t, url+"/socket.io/?EIO=4&transport=polling&sid=nobody")

	_, page := get(t, url+"/metrics")
	for _, want := range []string{
		`socketio_connections{node="a",transport="websocket"} 1`,
		`socketio_connections{node="a",transport="polling"} 0`,
		`socketio_connections_opened_total{node="a"} 2`,
		`socketio_connections_closed_total{node="a",reason="transport close"} 1`,
		`socketio_requests_refused_total{code="1",node="a"} 1`,
		`socketio_sockets{namespace="/",node="a"} 1`,
		`socketio_sockets{namespace="other",node="a"} 1`,
		`socketio_rooms{namespace="/",node="a"} 1`,
		`socketio_adapter_up{namespace="/",node="a"} 1`,
		`socketio_recovery_sessions{namespace="/",node="a"} 0`,
		`socketio_recoveries_total{namespace="/",node="a",result="recovered"} 0`,
		`socketio_events_received_total{event="say",namespace="/",node="a",result="ok"} 2`,
		`socketio_events_received_total{event="fail",namespace="/",node="a",result="error"} 1`,
		`socketio_events_received_total{event="other",namespace="/",node="a",result="ok"} 2`,
		`socketio_events_sent_total{event="other",namespace="/",node="a"} 2`,
		`socketio_ack_seconds_count{event="ask",namespace="/",node="a"} 1`,
		`socketio_acks_missing_total{event="ask",namespace="/",node="a"} 0`,
		`socketio_packets_total{direction="in",node="a"} 10`,
		`socketio_clients_behind{node="a"} 0`,
		`socketio_draining{node="a"} 0`,
		`socketio_connections{node="a",transport="webtransport"} 0`,
		`socketio_event_seconds_count{event="say",namespace="/",node="a"} 2`,
	} {
		if !strings.Contains(page, want+"\n") {
			t.Errorf("the page lacks %s", want)
		}
	}
	if t.Failed() {
		t.Log(page)
	}
	if problems, err := testutil.CollectAndLint(c); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
}

// TestNothingPerEvent: without Events there is no middleware that would cost
// anything.
func TestNothingPerEvent(t *testing.T) {
	srv := socketio.NewServer(quiet())
	defer srv.Close()
	c := metrics.NewCollector(srv, nil)
	ch := make(chan *prometheus.Desc, 100)
	c.Describe(ch)
	close(ch)
	for d := range ch {
		if strings.Contains(d.String(), "socketio_event") {
			t.Errorf("there is %s", d)
		}
	}
}

func TestHealth(t *testing.T) {
	srv := socketio.NewServer(quiet())
	url := serve(t, srv, metrics.NewCollector(srv, nil))
	check := func(path string, wantStatus int, want string) {
		t.Helper()
		if status, body := get(t, url+path); status != wantStatus || body != want {
			t.Errorf("%s = %d %q; want %d %q", path, status, body, wantStatus, want)
		}
	}
	check("/healthz", 200, "alive\n")
	check("/readyz", 200, "ready\n")
	srv.Shutdown(t.Context())
	check("/healthz", 200, "alive\n")
	check("/readyz", 503, "draining\n")
}

// TestBoard: the board for Grafana asks for metrics that there are.
func TestBoard(t *testing.T) {
	board, err := os.ReadFile("../docs/grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	srv := socketio.NewServer(quiet())
	defer srv.Close()
	ch := make(chan *prometheus.Desc, 100)
	metrics.NewCollector(srv, &metrics.Options{Events: []string{}}).Describe(ch)
	close(ch)
	there := map[string]bool{}
	for d := range ch {
		name := regexp.MustCompile(`fqName: "([^"]*)"`).FindStringSubmatch(d.String())[1]
		there[name] = true
	}
	asked := regexp.MustCompile(`socketio_[a-z_]+`).FindAllString(string(board), -1)
	if len(asked) < 15 {
		t.Fatalf("the board asks for %d metrics", len(asked))
	}
	for _, name := range asked {
		if !there[strings.TrimSuffix(name, "_bucket")] {
			t.Errorf("there is no %s", name)
		}
	}
}

// BenchmarkEvent is one event of a client with its ack, over a WebSocket on
// loopback. "off" has a collector that counts no events: it is what a server
// without one costs.
func BenchmarkEvent(b *testing.B) {
	for name, o := range map[string]*metrics.Options{"off": nil, "on": {Events: []string{"end"}}} {
		b.Run(name, func(b *testing.B) {
			srv := socketio.NewServer(quiet())
			metrics.NewCollector(srv, o)
			socketio.NewEventWithAck[socketio.None, string]("end").Handle(srv, func(context.Context, *socketio.Socket, socketio.None) (string, error) {
				return "", nil
			})
			hs := httptest.NewServer(srv)
			defer hs.Close()
			defer srv.Close()
			ws, err := rawclient.DialWebSocket(b.Context(), hs.URL+"/socket.io/")
			if err != nil {
				b.Fatal(err)
			}
			defer ws.Close()
			if err := rawclient.Join(b.Context(), ws); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := ws.Send(b.Context(), `421["end"]`); err != nil {
					b.Fatal(err)
				}
				if _, err := ws.Expect(b.Context(), "431"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
