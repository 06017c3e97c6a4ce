package nats

import "github.com/sockeye-go/socketio/adapter/cluster"

// seal appends what proves that b comes from a node and is meant for subject.
func (o *Options) seal(subject string, b []byte) []byte { return cluster.Key(o.Key).Seal(subject, b) }

// open returns what was sealed, and whether it was with our key.
func (o *Options) open(subject string, b []byte) ([]byte, bool) {
	return cluster.Key(o.Key).Open(subject, b)
}
