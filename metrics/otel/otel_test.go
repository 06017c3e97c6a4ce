package otel_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/internal/leak"
	"github.com/sockeye-go/socketio/internal/rawclient"
	"github.com/sockeye-go/socketio/metrics/otel"
)

func TestMain(m *testing.M) { leak.Main(m) }

// A lab is a server that tells the real SDK, which keeps what it is told.
type lab struct {
	t      testing.TB
	srv    *socketio.Server
	o      *otel.Instrumentation
	url    string
	spans  *tracetest.InMemoryExporter
	reader *sdkmetric.ManualReader
	tracer trace.Tracer
}

func newLab(t testing.TB, o otel.Options) *lab {
	t.Helper()
	spans := tracetest.NewInMemoryExporter()
	tp := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	reader := sdkmetric.NewManualReader()
	mp := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	o.TracerProvider, o.MeterProvider = tp, mp
	srv := socketio.NewServer(&socketio.Options{Logger: slog.New(slog.DiscardHandler)})
	i, err := otel.Instrument(srv, &o)
	if err != nil {
		t.Fatal(err)
	}
	hs := httptest.NewServer(srv)
	t.Cleanup(func() {
		if err := i.Close(); err != nil {
			t.Error(err)
		}
		srv.Close()
		hs.Close()
		ctx := context.Background()
		if err := errors.Join(tp.Shutdown(ctx), mp.Shutdown(ctx)); err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return &lab{t, srv, i, hs.URL + "/socket.io/", spans, reader, tp.Tracer("of the program")}
}

func (l *lab) dial() *rawclient.WebSocket {
	l.t.Helper()
	c, err := rawclient.DialWebSocket(l.t.Context(), l.url)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(c.Close)
	return c
}

// talk sends what is to be sent and waits for what is to come; "" for nothing.
func (l *lab) talk(c rawclient.Client, exchanges ...[2]string) {
	l.t.Helper()
	for _, e := range exchanges {
		if e[0] != "" {
			if err := c.Send(l.t.Context(), e[0]); err != nil {
				l.t.Fatal(err)
			}
		}
		if e[1] != "" {
			if _, err := c.Expect(l.t.Context(), e[1]); err != nil {
				l.t.Fatal(err)
			}
		}
	}
}

// end is an event after whose answer everything before it on its socket has been
// told of: handlers of a socket run one after the other.
func (l *lab) end() {
	socketio.NewEventWithAck[socketio.None, string]("end").Handle(l.srv, func(context.Context, *socketio.Socket, socketio.None) (string, error) {
		return "", nil
	})
}

func (l *lab) span(name string) tracetest.SpanStub {
	l.t.Helper()
	var names []string
	for _, s := range l.spans.GetSpans() {
		if s.Name == name {
			return s
		}
		names = append(names, s.Name)
	}
	l.t.Fatalf("no span %q among %q", name, names)
	panic("not reached")
}

func attributes(list []attribute.KeyValue) string {
	var b strings.Builder
	for _, kv := range list {
		if kv.Key != "messaging.client.id" {
			fmt.Fprintf(&b, "%s=%s ", kv.Key, kv.Value.Emit())
		}
	}
	return b.String()
}

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// TestSpans: a handler that works, asks its client and is answered, is one trace,
// linked to where the connection came from.
func TestSpans(t *testing.T) {
	l := newLab(t, otel.Options{})
	l.srv.OnConnection(func(_ context.Context, s *socketio.Socket) error {
		s.On("work", func(ctx context.Context, m *socketio.Message) error {
			ctx, span := l.tracer.Start(ctx, "query")
			defer span.End()
			if _, err := s.EmitWithAck(ctx, "ask", 1); err != nil {
				return err
			}
			for _, err := range s.Namespace().EmitWithAcks(ctx, "ask all") {
				if err != nil {
					return err
				}
			}
			return m.Ack("done")
		})
		s.On("fail", func(context.Context, *socketio.Message) error {
			return &socketio.AckError{Code: "no", Message: "not today"}
		})
		s.On("late", func(ctx context.Context, _ *socketio.Message) error {
			ctx, cancel := context.WithTimeout(ctx, time.Millisecond)
			defer cancel()
			_, err := s.EmitWithAck(ctx, "never")
			return err
		})
		return nil
	})
	l.end()
	c := l.dial()
	l.talk(c, [2]string{`40{"traceparent":"` + traceparent + `"}`, "40{"},
		[2]string{`427["work","x"]`, `420["ask",1]`}, [2]string{`430["fine"]`, `421["ask all"]`}, [2]string{`431[]`, `437["done"]`},
		[2]string{`428["fail"]`, "438["}, [2]string{`42["late"]`, `422["never"]`}, [2]string{`429["end"]`, "439["})

	work, query, ask, askAll := l.span("work receive"), l.span("query"), l.span("ask send"), l.span("ask all send")
	if work.SpanKind != trace.SpanKindConsumer || ask.SpanKind != trace.SpanKindProducer || work.Status.Code != codes.Unset {
		t.Errorf("kinds %v, %v, status %v", work.SpanKind, ask.SpanKind, work.Status)
	}
	if query.Parent.SpanID() != work.SpanContext.SpanID() || ask.Parent.SpanID() != query.SpanContext.SpanID() || askAll.Parent.SpanID() != query.SpanContext.SpanID() {
		t.Error("the spans are not within each other")
	}
	if ask.EndTime.Before(ask.StartTime) || work.EndTime.Before(askAll.EndTime) {
		t.Error("the span of the handler ended before that of the answer")
	}
	if len(work.Links) != 1 || work.Links[0].SpanContext.TraceID().String() != "0af7651916cd43dd8448eb211c80319c" || work.Parent.IsValid() {
		t.Errorf("links = %v; want the trace of the handshake", work.Links)
	}
	want := "messaging.destination.name=/ messaging.operation.name=receive messaging.operation.type=process messaging.socket.io.event_name=work messaging.socket.io.namespace=/ messaging.system=socket.io messaging.message.body.size=7 "
	if got := attributes(work.Attributes); got != want {
		t.Errorf("attributes = %s; want %s", got, want)
	}
	if got := attributes(askAll.Attributes); !strings.Contains(got, "messaging.operation.type=send") || !strings.Contains(got, "answers=1") {
		t.Errorf("attributes = %s", got)
	}
	if fail := l.span("fail receive"); fail.Status.Code != codes.Error || !strings.Contains(attributes(fail.Attributes), "error.type=ack_error") {
		t.Errorf("fail = %v, %s", fail.Status, attributes(fail.Attributes))
	}
	if never := l.span("never send"); never.Status.Code != codes.Error || !strings.Contains(attributes(never.Attributes), "error.type=timeout") || !strings.Contains(attributes(never.Attributes), "answers=0") {
		t.Errorf("never = %v, %s", never.Status, attributes(never.Attributes))
	}
}

// TestHeader: the trace of the handshake's request.
func TestHeader(t *testing.T) {
	l := newLab(t, otel.Options{NoMetrics: true})
	l.end()
	do := func(method, query, body string) string {
		req, err := http.NewRequestWithContext(t.Context(), method, l.url+"?EIO=4&transport=polling"+query, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("traceparent", traceparent)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	_, rest, _ := strings.Cut(do("GET", "", ""), `"sid":"`)
	sid, _, _ := strings.Cut(rest, `"`)
	for _, e := range [][2]string{{"40", "40{"}, {`421["end"]`, "431"}, {`422["end"]`, "432"}} {
		do("POST", "&sid="+sid, e[0])
		if got := do("GET", "&sid="+sid, ""); !strings.HasPrefix(got, e[1]) {
			t.Fatalf("after %s: %s; want %s", e[0], got, e[1])
		}
	}
	if s := l.span("end receive"); len(s.Links) != 1 || s.Links[0].SpanContext.SpanID().String() != "b7ad6b7169203331" {
		t.Errorf("links = %v", s.Links)
	}
}

// TestCarrier: a program that puts the trace into its events gets one trace.
func TestCarrier(t *testing.T) {
	l := newLab(t, otel.Options{
		NoMetrics: true,
		Skip:      func(_, event string) bool { return event == "noisy" },
		Carrier: func(m *socketio.Message) propagation.TextMapCarrier {
			c := propagation.MapCarrier{}
			if m.Len() == 0 || m.Decode(&c) != nil {
				return nil
			}
			return c
		},
	})
	l.end()
	c := l.dial()
	l.talk(c, [2]string{"40", "40{"}, [2]string{`42["noisy"]`, ""}, [2]string{`42["step",{"traceparent":"` + traceparent + `"}]`, ""}, [2]string{`421["end"]`, "431"}, [2]string{`422["end"]`, "432"})
	s := l.span("step receive")
	if s.Parent.SpanID().String() != "b7ad6b7169203331" || !s.Parent.IsRemote() {
		t.Errorf("parent = %v", s.Parent)
	}
	for _, s := range l.spans.GetSpans() {
		if strings.HasPrefix(s.Name, "noisy") {
			t.Error("an event that is to be skipped has a span")
		}
	}
}

// TestMetrics: what is told, and that clients cannot make labels without end.
func TestMetrics(t *testing.T) {
	l := newLab(t, otel.Options{NoSpans: true, MaxNames: 6})
	l.srv.OnConnection(func(_ context.Context, s *socketio.Socket) error {
		s.On("say", func(ctx context.Context, m *socketio.Message) error {
			if err := s.Emit("heard"); err != nil {
				return err
			}
			_, err := s.EmitWithAck(ctx, "ask")
			return err
		})
		s.On("fail", func(context.Context, *socketio.Message) error { return errors.New("no") })
		return s.Join("lobby")
	})
	l.end()
	c := l.dial()
	l.talk(c, [2]string{"40", "40{"}, [2]string{`42["say"]`, `420["ask"]`}, [2]string{"430[]", ""}, [2]string{`42["fail"]`, ""}, [2]string{`421["end"]`, "431"})
	for i := range 50 {
		l.talk(c, [2]string{fmt.Sprintf(`42["junk-%d"]`, i), ""})
	}
	l.talk(c, [2]string{`422["end"]`, "432"}, [2]string{`423["end"]`, "433"})

	got := map[string]string{}
	var rm metricdata.ResourceMetrics
	if err := l.reader.Collect(t.Context(), &rm); err != nil {
		t.Fatal(err)
	}
	points := 0
	for _, scope := range rm.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					got[m.Name+" "+attributes(p.Attributes.ToSlice())] = fmt.Sprint(p.Value)
				}
			case metricdata.Histogram[float64]:
				points = max(points, len(data.DataPoints))
				for _, p := range data.DataPoints {
					got[m.Name+" "+attributes(p.Attributes.ToSlice())] = fmt.Sprint("n=", p.Count)
				}
			}
		}
	}
	event := func(metric, event, operation, kind string, more string) string {
		return metric + " " + more + "messaging.destination.name=/ messaging.operation.name=" + operation + " messaging.operation.type=" + kind + " messaging.socket.io.event_name=" + event + " messaging.socket.io.namespace=/ messaging.system=socket.io "
	}
	for name, want := range map[string]string{
		event("messaging.client.consumed.messages", "say", "receive", "process", ""):                    "1",
		event("messaging.client.consumed.messages", "fail", "receive", "process", "error.type=_OTHER "): "1",
		event("messaging.process.duration", "say", "receive", "process", ""):                            "n=1",
		event("messaging.client.operation.duration", "ask", "send", "send", ""):                         "n=1",
		event("messaging.client.sent.messages", "heard", "send", "send", ""):                            "1",
		event("messaging.client.consumed.messages", "other", "receive", "process", ""):                  "49",
		"socketio.connections transport=websocket ":                                                     "1",
		"socketio.sockets messaging.socket.io.namespace=/ ":                                             "1",
		"socketio.rooms messaging.socket.io.namespace=/ ":                                               "1",
		"socketio.connections.opened ":                                                                  "1",
		"socketio.recoveries messaging.socket.io.namespace=/ result=refused ":                           "0",
		"socketio.clients_behind ":                                                                      "0",
	} {
		if got[name] != want {
			t.Errorf("%s = %q; want %q", name, got[name], want)
		}
	}
	if got["socketio.packets direction=in "] == "" || points > 8 {
		t.Errorf("%d points of one metric", points)
	}
	if t.Failed() {
		for name, v := range got {
			t.Log(name, "=", v)
		}
	}
	if len(l.spans.GetSpans()) > 0 {
		t.Error("there are spans")
	}
}

func TestOptions(t *testing.T) {
	srv := socketio.NewServer(nil)
	defer srv.Close()
	defer func() {
		if v := recover(); !strings.Contains(fmt.Sprint(v), "MaxNames") {
			t.Errorf("panic %v", v)
		}
	}()
	otel.Instrument(srv, &otel.Options{MaxNames: -1})
}

// BenchmarkEvent is one event of a client with its ack, over a WebSocket on
// loopback: what each kind of telling adds. "off" is a server that nobody
// observes.
func BenchmarkEvent(b *testing.B) {
	for _, c := range []struct {
		name string
		o    *otel.Options
		some sdktrace.Sampler
	}{
		{"off", nil, nil},
		{"metrics", &otel.Options{NoSpans: true}, nil},
		{"spans-sampled-out", &otel.Options{NoMetrics: true}, sdktrace.NeverSample()},
		{"spans", &otel.Options{NoMetrics: true}, sdktrace.AlwaysSample()},
		{"both", &otel.Options{}, sdktrace.AlwaysSample()},
	} {
		b.Run(c.name, func(b *testing.B) {
			srv := socketio.NewServer(&socketio.Options{Logger: slog.New(slog.DiscardHandler)})
			if c.o != nil {
				if c.some == nil {
					c.some = sdktrace.NeverSample()
				}
				c.o.TracerProvider = sdktrace.NewTracerProvider(sdktrace.WithSampler(c.some))
				c.o.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
				i, err := otel.Instrument(srv, c.o)
				if err != nil {
					b.Fatal(err)
				}
				defer i.Close()
			}
			hs := httptest.NewServer(srv)
			defer hs.Close()
			defer srv.Close()
			l := &lab{t: b, srv: srv, url: hs.URL + "/socket.io/"}
			l.end()
			conn := l.dial()
			l.talk(conn, [2]string{"40", "40{"})
			exchange := [2]string{`421["end"]`, "431"}
			b.ReportAllocs()
			for b.Loop() {
				l.talk(conn, exchange)
			}
		})
	}
}
