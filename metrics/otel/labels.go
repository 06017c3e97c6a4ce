package otel

import (
	"context"
	"errors"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/sockeye-go/socketio"
)

// other is the name of what has none of its own.
const other = "other"

// labels give each event its series: a bounded number of them, made once each, so
// that an event costs a look-up and no attributes.
type labels struct {
	max    int
	listed map[string]bool // nil: the first max names

	found sync.Map // of eventName to *series

	mu                 sync.Mutex
	events, namespaces map[string]bool
}

type eventName struct{ namespace, event string }

// A series is what does not change from one event to the next.
type series struct {
	receive, send string // names of spans
	process, ask  []attribute.KeyValue
	// Options of metrics, for what went well.
	processed, sent    []metric.AddOption
	recorded, answered []metric.RecordOption
}

func newLabels(o *Options) *labels {
	l := &labels{max: o.MaxNames, events: make(map[string]bool), namespaces: make(map[string]bool)}
	if o.Events != nil {
		l.listed = make(map[string]bool, len(o.Events))
		for _, name := range o.Events {
			l.listed[name] = true
		}
	}
	return l
}

func (l *labels) of(namespace, event string) *series {
	if s, ok := l.found.Load(eventName{namespace, event}); ok {
		return s.(*series)
	}
	named := eventName{l.name(l.namespaces, namespace), other}
	if l.listed == nil {
		named.event = l.name(l.events, event)
	} else if l.listed[event] {
		named.event = event
	}
	// Under its label: one that is made up has no entry of its own.
	s, ok := l.found.Load(named)
	if !ok {
		s, _ = l.found.LoadOrStore(named, newSeries(named))
	}
	return s.(*series)
}

// name returns the label of a name, its own if there is still room.
func (l *labels) name(known map[string]bool, name string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known[name] {
		return name
	}
	if len(known) >= l.max {
		return other
	}
	known[name] = true
	return name
}

func newSeries(n eventName) *series {
	common := []attribute.KeyValue{
		keySystem.String(system), keyDestination.String(n.namespace), keyEvent.String(n.event), keyNamespace.String(n.namespace),
	}
	with := func(operation, kind string) []attribute.KeyValue {
		return append(common[:len(common):len(common)], keyOperation.String(operation), keyOperationType.String(kind))
	}
	s := &series{
		receive: n.event + " receive", send: n.event + " send",
		process: with("receive", "process"), ask: with("send", "send"),
	}
	process := metric.WithAttributeSet(attribute.NewSet(s.process...))
	ask := metric.WithAttributeSet(attribute.NewSet(s.ask...))
	s.recorded, s.answered = []metric.RecordOption{process}, []metric.RecordOption{ask}
	s.processed, s.sent = []metric.AddOption{process}, []metric.AddOption{ask}
	return s
}

// failed are the attributes of what failed, which is rare.
func failed(of []attribute.KeyValue, err error) metric.MeasurementOption {
	return metric.WithAttributes(append(of[:len(of):len(of)], keyErrorType.String(errorType(err)))...)
}

// errorType returns one of few words: error.type is to be of low cardinality.
func errorType(err error) string {
	var code *socketio.AckError
	var reason socketio.DisconnectReason
	var argument *socketio.ArgumentError
	switch {
	case errors.As(err, &argument):
		return "bad_arguments"
	case errors.As(err, &code):
		return "ack_error" // its code is the program's, and may be anything
	case errors.As(err, &reason), errors.Is(err, socketio.ErrDisconnected):
		return "disconnected"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	}
	return "_OTHER"
}
