package metrics

import "github.com/prometheus/client_golang/prometheus"

// Options say what is counted beside the server's own counts. The zero value
// counts nothing more.
type Options struct {
	// Labels are put on every metric. Two servers in one registry need different
	// ones.
	Labels prometheus.Labels
	// Namespaces that have values of their own. Others, such as those that
	// clients have made, are summed up as "other". Default "/".
	Namespaces []string
	// Events that are counted and timed, by name; others are summed up as
	// "other". Nil counts no events at all, and costs nothing per event.
	Events []string
	// Buckets of the time that handlers take, in seconds. Default
	// prometheus.DefBuckets.
	Buckets []float64
}

func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	if c.Namespaces == nil {
		c.Namespaces = []string{"/"}
	}
	if c.Buckets == nil {
		c.Buckets = prometheus.DefBuckets
	}
	return c
}

// other is the label of what has no name of its own.
const other = "other"

// names is a bounded set of labels.
type names map[string]bool

func newNames(list []string) names {
	n := make(names, len(list))
	for _, name := range list {
		n[name] = true
	}
	return n
}

func (n names) label(name string) string {
	if n[name] {
		return name
	}
	return other
}
