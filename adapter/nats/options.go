package nats

import (
	"github.com/sockeye-go/socketio/adapter/cluster"
)

// Options configure an adapter. The zero value of each field stands for its
// default.
type Options struct {
	// Prefix begins every subject. Clusters that share a NATS need different
	// ones. Default "socketio".
	Prefix string
	// OneSubject has every node receive every message, instead of those for its
	// rooms.
	OneSubject bool
	// Key, if set, authenticates the messages between nodes, by HMAC-SHA256: who
	// can reach NATS cannot speak for a node without it. All nodes need the same.
	// What does not fit is dropped.
	Key []byte
	// JetStream, if set, keeps what was emitted and the sessions of clients, so that
	// they can recover on any node ([adapter.Recoverer]). Emits then go through the
	// log, in one order for all nodes, and OneSubject has no meaning.
	JetStream *JetStream
	// Cluster has the times and limits of the cluster.
	Cluster *cluster.Options
}

func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	if c.Prefix == "" {
		c.Prefix = "socketio"
	}
	c.JetStream = c.JetStream.withDefaults()
	return c
}
