package otel

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/sockeye-go/socketio"
)

// Options say what is told, and to whom. The zero value tells the global
// providers of everything.
type Options struct {
	// TracerProvider and MeterProvider get spans and metrics. Default: the global
	// ones, otel.GetTracerProvider and otel.GetMeterProvider.
	TracerProvider trace.TracerProvider
	MeterProvider  metric.MeterProvider
	// Propagator reads where a trace comes from. Default: that of W3C.
	Propagator propagation.TextMapPropagator

	// NoSpans and NoMetrics leave out the one or the other.
	NoSpans, NoMetrics bool
	// Skip leaves out the spans of an event, such as one that comes sixty times a
	// second. Metrics count it.
	Skip func(namespace, event string) bool
	// Carrier returns where a program has put the trace of an event, for one in its
	// last argument; nil for nowhere. Then the span of the handler is its child.
	Carrier func(*socketio.Message) propagation.TextMapCarrier

	// Events are told apart by name, others are "other". Default: the first
	// MaxNames that occur.
	Events []string
	// MaxNames is how many names there are at the most of events, and of namespaces.
	// Default 100.
	MaxNames int
}

// scope names this package to providers.
const scope = "github.com/sockeye-go/socketio/metrics/otel"

// Attributes, of the semantic conventions and of the instrumentation for Node.
const (
	keySystem        = attribute.Key("messaging.system")
	keyDestination   = attribute.Key("messaging.destination.name")
	keyOperation     = attribute.Key("messaging.operation.name")
	keyOperationType = attribute.Key("messaging.operation.type")
	keyClientID      = attribute.Key("messaging.client.id")
	keyBodySize      = attribute.Key("messaging.message.body.size")
	keyEvent         = attribute.Key("messaging.socket.io.event_name")
	keyNamespace     = attribute.Key("messaging.socket.io.namespace")
	keyAnswers       = attribute.Key("messaging.socket.io.answers")
	keyErrorType     = attribute.Key("error.type")
)

const system = "socket.io"

// An Instrumentation tells of one server. Its methods are safe for concurrent use.
type Instrumentation struct {
	opts   Options
	tracer trace.Tracer
	labels *labels
	m      *instruments // nil without metrics

	stop   func()
	unhook func() error
}

// Instrument begins to tell of srv. Call it before clients come: only of
// connections that it has seen coming it knows the trace. The error is that of a
// meter that takes no such instrument.
func Instrument(srv *socketio.Server, o *Options) (*Instrumentation, error) {
	i := &Instrumentation{}
	if o != nil {
		i.opts = *o
	}
	if i.opts.MaxNames < 0 {
		panic(fmt.Sprintf("otel: Options.MaxNames: %d is negative", i.opts.MaxNames))
	}
	if i.opts.MaxNames == 0 {
		i.opts.MaxNames = 100
	}
	if i.opts.Propagator == nil {
		i.opts.Propagator = propagation.TraceContext{}
	}
	if i.opts.TracerProvider == nil {
		i.opts.TracerProvider = otel.GetTracerProvider()
	}
	if i.opts.MeterProvider == nil {
		i.opts.MeterProvider = otel.GetMeterProvider()
	}
	i.labels = newLabels(&i.opts)
	var watch socketio.Observer
	if !i.opts.NoMetrics {
		if err := i.newInstruments(srv); err != nil {
			return nil, err
		}
		watch.Sent = i.sent
	}
	if !i.opts.NoSpans {
		i.tracer = i.opts.TracerProvider.Tracer(scope)
		srv.EachNamespace(func(n *socketio.Namespace) { n.Use(i.remember) })
		watch.Received, watch.Asked = i.received, i.asked
	}
	watch.Handled, watch.Answered = i.handled, i.answered
	i.stop = srv.Observe(watch)
	return i, nil
}

// Close ends it. Spans that have begun end when they would.
func (i *Instrumentation) Close() error {
	i.stop()
	if i.unhook == nil {
		return nil
	}
	return i.unhook()
}

// origin is the trace that a connection came with.
var origin = socketio.NewLocalKey[trace.SpanContext]()

// remember keeps where a connection comes from, if it says so: while middleware
// runs its request is still there.
func (i *Instrumentation) remember(ctx context.Context, s *socketio.Socket) error {
	if r := s.Request(); r != nil {
		from := trace.SpanContextFromContext(r.Context()) // a server span, of otelhttp for one
		if !from.IsValid() {
			from = trace.SpanContextFromContext(i.opts.Propagator.Extract(ctx, propagation.HeaderCarrier(r.Header)))
		}
		if from.IsValid() {
			origin.Set(s, from)
			return nil
		}
	}
	var auth map[string]any
	if s.DecodeAuth(&auth) != nil {
		return nil
	}
	carrier := propagation.MapCarrier{}
	for _, field := range i.opts.Propagator.Fields() {
		if text, ok := auth[field].(string); ok {
			carrier[field] = text
		}
	}
	if len(carrier) > 0 {
		if from := trace.SpanContextFromContext(i.opts.Propagator.Extract(ctx, carrier)); from.IsValid() {
			origin.Set(s, from)
		}
	}
	return nil
}

// traced reports whether an event has spans, and the series that its name is in.
func (i *Instrumentation) traced(n *socketio.Namespace, event string) (*series, bool) {
	s := i.labels.of(n.Name(), event)
	return s, i.opts.Skip == nil || !i.opts.Skip(n.Name(), event)
}

func (i *Instrumentation) received(ctx context.Context, m *socketio.Message) context.Context {
	s := m.Socket()
	of, yes := i.traced(s.Namespace(), m.Event())
	if !yes {
		return ctx
	}
	options := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindConsumer)}
	if i.opts.Carrier != nil {
		if c := i.opts.Carrier(m); c != nil {
			ctx = i.opts.Propagator.Extract(ctx, c)
		}
	}
	if from, ok := origin.Get(s); ok {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: from}))
	}
	ctx, span := i.tracer.Start(ctx, of.receive, options...)
	if span.IsRecording() { // what is sampled out needs no attributes
		span.SetAttributes(of.process...)
		span.SetAttributes(keyClientID.String(s.ID()), keyBodySize.Int(m.Size()))
	}
	return context.WithValue(ctx, spanKey{}, span)
}

// spanKey is where our own span is in a context: a handler may be called within
// another that is not ours to end.
type spanKey struct{}

func (i *Instrumentation) handled(ctx context.Context, m *socketio.Message, took time.Duration, err error) {
	if span, ok := ctx.Value(spanKey{}).(trace.Span); ok {
		end(span, err)
	}
	if i.m != nil {
		of := i.labels.of(m.Socket().Namespace().Name(), m.Event())
		i.m.handled(ctx, of, took, err)
	}
}

func end(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
		span.SetAttributes(keyErrorType.String(errorType(err)))
	}
	span.End()
}

func (i *Instrumentation) sent(s *socketio.Socket, event string, _ []any) {
	i.m.sentTo(i.labels.of(s.Namespace().Name(), event))
}

func (i *Instrumentation) asked(ctx context.Context, q socketio.Question) context.Context {
	of, yes := i.traced(q.Namespace, q.Event)
	if !yes {
		return context.WithValue(ctx, spanKey{}, nil) // not that of the handler which asks
	}
	ctx, span := i.tracer.Start(ctx, of.send, trace.WithSpanKind(trace.SpanKindProducer))
	if span.IsRecording() {
		span.SetAttributes(of.ask...)
		if q.Socket != nil {
			span.SetAttributes(keyClientID.String(q.Socket.ID()))
		}
	}
	return context.WithValue(ctx, spanKey{}, span)
}

func (i *Instrumentation) answered(ctx context.Context, q socketio.Question, o socketio.Outcome) {
	if span, ok := ctx.Value(spanKey{}).(trace.Span); ok && !i.opts.NoSpans {
		span.SetAttributes(keyAnswers.Int(o.Answers))
		end(span, o.Err)
	}
	if i.m != nil {
		i.m.answered(ctx, i.labels.of(q.Namespace.Name(), q.Event), o)
	}
}
