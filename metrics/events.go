package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sockeye-go/socketio"
)

// events counts what goes in and out, and how long handlers take.
type events struct {
	received, sent *prometheus.CounterVec
	seconds        *prometheus.HistogramVec
}

func newEvents(srv *socketio.Server, o Options, namespaces names) *events {
	e := &events{
		received: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "socketio_events_received_total", Help: "Events that came from clients.", ConstLabels: o.Labels,
		}, []string{"namespace", "event", "result"}),
		sent: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "socketio_events_sent_total", Help: "Events that were sent, one per recipient.", ConstLabels: o.Labels,
		}, []string{"namespace", "event"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "socketio_event_seconds", Help: "Time from the middleware to the end of the handlers.",
			ConstLabels: o.Labels, Buckets: o.Buckets,
		}, []string{"namespace", "event"}),
	}
	known := newNames(o.Events)
	srv.EachNamespace(func(n *socketio.Namespace) {
		namespace := namespaces.label(n.Name())
		n.UseEvents(func(_ context.Context, _ *socketio.Socket, m *socketio.Message) error {
			event := known.label(m.Event())
			start := time.Now()
			m.OnHandled(func(err error) {
				e.seconds.WithLabelValues(namespace, event).Observe(time.Since(start).Seconds())
				result := "ok"
				if err != nil {
					result = "error"
				}
				e.received.WithLabelValues(namespace, event, result).Inc()
			})
			return nil
		})
		n.OnAnyOutgoing(func(_ *socketio.Socket, event string, _ []any) {
			e.sent.WithLabelValues(namespace, known.label(event)).Inc()
		})
	})
	return e
}

func (e *events) describe(ch chan<- *prometheus.Desc) {
	e.received.Describe(ch)
	e.sent.Describe(ch)
	e.seconds.Describe(ch)
}

func (e *events) collect(ch chan<- prometheus.Metric) {
	e.received.Collect(ch)
	e.sent.Collect(ch)
	e.seconds.Collect(ch)
}
