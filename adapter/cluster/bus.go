package cluster

import (
	"context"

	"github.com/sockeye-go/socketio/adapter"
)

// A Bus carries messages between the nodes of a cluster.
type Bus interface {
	// Open begins to carry the messages of one namespace. A node is known by
	// its uid, of which each namespace has another. What it returns must receive
	// already.
	Open(nsp, uid string, r Receiver) (Channel, error)
}

// A Channel is the bus of one namespace on one node. Its methods are called by
// one goroutine at a time, apart from Close.
type Channel interface {
	// Publish sends messages to all other nodes, in order. It waits until the
	// broker has taken them, or ctx ends: Options.PublishTimeout. On an error
	// those that were not sent are lost; what does not encode is left out, and
	// is an [*EncodeError]. Whether this node gets them too does not matter.
	Publish(ctx context.Context, ms []*Message) error
	// Respond sends a response to the node that made the request. A broker
	// without an address per node publishes it.
	Respond(ctx context.Context, to string, m *Message) error
	// Close stops receiving.
	Close() error
}

// A Counter is a [Channel] that knows by itself how many nodes there are, from
// its broker, as where there are Node nodes that send no heartbeats. Requests
// then wait for so many answers, and cannot tell who is missing.
type Counter interface {
	ServerCount(ctx context.Context) (int, error)
}

// A Batcher is a [Channel] that sends all that has gathered in one go, where each
// call of Publish and Respond costs as much as many messages do.
type Batcher interface {
	// Send sends messages in order. That at i is for the node to[i], or for all
	// others if that is "".
	Send(ctx context.Context, ms []*Message, to []string) error
}

// A Presence is a [Channel] whose broker sees which nodes are connected, so that
// a quiet cluster stays quiet: heartbeats are sent only while there are nodes
// that need them, which are those that do not number their messages, as Node's.
// It wants Options.Sequence.
type Presence interface {
	// Present returns what tells whether a node that was heard of is connected.
	Present(ctx context.Context) (func(uid string) bool, error)
}

// A Checker is a [Channel] in whose format not everything can be said. It is asked
// before a message is queued, so that the caller gets the error.
type Checker interface {
	Check(m *Message) error
}

// A Reacher is a [Channel] whose broker knows whether a node is connected to it.
// Otherwise that is known from heartbeats.
type Reacher interface {
	Reaches(ctx context.Context, uid string) (bool, error)
}

// A Receiver takes what a [Channel] receives. Its methods do not block for long;
// messages of one node are handed over in the order in which it sent them.
type Receiver interface {
	// Receive takes a message or a response.
	Receive(m *Message)
	// Lost says that the broker cannot be reached; nil that it can again, and
	// that everything is subscribed again. The channel calls it at each change.
	Lost(err error)
	// Rooms tells of rooms that appear and vanish on this node, for a broker
	// with interest by room. It must be called before messages are received.
	Rooms(f func(room string, exists bool))
	// Sockets tells of sockets that come and go on this node, for a broker with
	// interest by socket; likewise.
	Sockets(f func(id string))
	// Local is what is on this node, for a broker that skips what concerns nobody
	// here.
	Local() *adapter.Memory
}
