package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sockeye-go/socketio"
)

// events counts what goes in and out, how long handlers take, and how long
// clients take to answer.
type events struct {
	received, sent, unanswered *prometheus.CounterVec
	seconds, answers           *prometheus.HistogramVec

	namespaces, known names
	found             sync.Map // of labels to *series: the labels are few
}

// labels are those of one series.
type labels struct{ namespace, event string }

// A series is what is counted of one event, looked up once.
type series struct {
	ok, failed, sent, unanswered prometheus.Counter
	seconds, answers             prometheus.Observer
}

func newEvents(srv *socketio.Server, o Options, namespaces names) *events {
	by := []string{"namespace", "event"}
	counter := func(name, help string, by ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: o.Labels}, by)
	}
	histogram := func(name, help string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, ConstLabels: o.Labels, Buckets: o.Buckets}, by)
	}
	e := &events{
		received:   counter("socketio_events_received_total", "Events that came from clients.", "namespace", "event", "result"),
		sent:       counter("socketio_events_sent_total", "Events that were sent, one per recipient.", by...),
		unanswered: counter("socketio_acks_missing_total", "Events that wanted an answer of clients and did not get all of it.", by...),
		seconds:    histogram("socketio_event_seconds", "Time from the middleware to the end of the handlers."),
		answers:    histogram("socketio_ack_seconds", "Time from an event that wants an answer to the answer of the client, or of the last one."),
		namespaces: namespaces, known: newNames(o.Events),
	}
	srv.Observe(socketio.Observer{
		Handled: func(_ context.Context, m *socketio.Message, took time.Duration, err error) {
			s := e.of(m.Socket().Namespace(), m.Event())
			s.seconds.Observe(took.Seconds())
			if err != nil {
				s.failed.Inc()
			} else {
				s.ok.Inc()
			}
		},
		Sent: func(s *socketio.Socket, event string, _ []any) { e.of(s.Namespace(), event).sent.Inc() },
		Answered: func(_ context.Context, q socketio.Question, a socketio.Outcome) {
			s := e.of(q.Namespace, q.Event)
			if a.Err != nil {
				s.unanswered.Inc()
			} else {
				s.answers.Observe(a.Took.Seconds())
			}
		},
	})
	return e
}

// of returns the series of an event.
func (e *events) of(n *socketio.Namespace, event string) *series {
	l := labels{e.namespaces.label(n.Name()), e.known.label(event)}
	if s, ok := e.found.Load(l); ok {
		return s.(*series)
	}
	s, _ := e.found.LoadOrStore(l, &series{
		ok:         e.received.WithLabelValues(l.namespace, l.event, "ok"),
		failed:     e.received.WithLabelValues(l.namespace, l.event, "error"),
		sent:       e.sent.WithLabelValues(l.namespace, l.event),
		unanswered: e.unanswered.WithLabelValues(l.namespace, l.event),
		seconds:    e.seconds.WithLabelValues(l.namespace, l.event),
		answers:    e.answers.WithLabelValues(l.namespace, l.event),
	})
	return s.(*series)
}

func (e *events) all() []prometheus.Collector {
	return []prometheus.Collector{e.received, e.sent, e.unanswered, e.seconds, e.answers}
}

func (e *events) describe(ch chan<- *prometheus.Desc) {
	for _, c := range e.all() {
		c.Describe(ch)
	}
}

func (e *events) collect(ch chan<- prometheus.Metric) {
	for _, c := range e.all() {
		c.Collect(ch)
	}
}
