// Package metrics shows the counts of a server to Prometheus, and to those who
// ask whether it is alive and ready.
//
//	prometheus.MustRegister(metrics.NewCollector(srv, nil))
//	http.Handle("/metrics", promhttp.Handler())
//	http.Handle("/healthz", metrics.Healthz())
//	http.Handle("/readyz", metrics.Readyz(srv))
//
// The collector reads what the server counts anyway, when it is asked: between
// two scrapes it costs nothing. Counting and timing events, and the answers of
// clients, is an option, since it costs some 100 ns each ([Options.Events]).
//
// Labels are bounded: reasons, codes and limits are fixed lists, namespaces and
// events are those that the program names, and "other".
package metrics
