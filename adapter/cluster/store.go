package cluster

import (
	"context"
	"errors"
	"time"

	"github.com/sockeye-go/socketio/adapter"
)

// A Store keeps, for all nodes of a cluster, what was emitted, in one order, and
// the sessions of clients. [NewOrderedFactory] makes of a [Bus] and a Store
// adapters from which clients can catch up on any node; package adaptertest
// holds a Store to what is said here, and [NewShelf] is one in memory.
type Store interface {
	// Open begins to hand over what is appended to the log of a namespace from
	// now on. recovery is nil if no client will ask for what was missed. A node
	// is known by its uid.
	Open(nsp, uid string, recovery *adapter.Recovery, r LogReader) (Log, error)
}

// A LogReader takes what a [Log] hands over. Its methods are called by one
// goroutine at a time, and by none before Open has returned.
type LogReader interface {
	// Read takes the next messages, those of this node too, in their order, with
	// their positions. It keeps them.
	Read(ms []*Message)
	// Lost says that the store cannot be reached; nil that it can again, and that
	// reading goes on. The log calls it at each change.
	Lost(err error)
	// Gap says that messages behind the last may have been lost: the log has been
	// trimmed before they were read, or is another one. Reading goes on behind
	// position. If sessions are lost, too, they are to be written again.
	Gap(position Position, sessions bool)
}

// A Log is the log of one namespace, and its sessions, on one node. Its methods
// are safe for concurrent use. Errors say that the store could not be reached or
// that ctx has ended.
type Log interface {
	// Start is where the log was when it was opened: what is behind it is handed
	// over.
	Start() Position

	// Append adds messages behind all there are, in order, and returns when the
	// store has them. It is called by one goroutine at a time. After an error it
	// is called again with the same messages, until it returns nil: each is added
	// once all the same, which can be told by uid and Seq, which goes up by one.
	// What does not encode is left out, and is an [*EncodeError].
	Append(ctx context.Context, ms []*Message) error
	// After returns messages behind a position, in order, from the first, some
	// thousand or less. None says that there are no more.
	After(ctx context.Context, p Position) ([]*Message, error)
	// Reaches reports whether everything behind a position is still there. When
	// in doubt it is not.
	Reaches(ctx context.Context, p Position) (bool, error)
	// Head returns the position of the newest message, which is not before any
	// that was appended before the call.
	Head(ctx context.Context) (Position, error)

	// Save writes records, each if it still is of the version that it says, or is
	// not there if that is empty, and lets them live for TTL from now on. It sets
	// Version or Conflict. A record that has the value already is as good as
	// written: after an error Save is called again.
	Save(ctx context.Context, rs []*Record) error
	// Load returns a record and its version, nil if there is none, or none of ours: that
	// may be written over by its version.
	Load(ctx context.Context, key string) (value []byte, version string, err error)

	// Close stops reading. Nothing is handed over when it has returned.
	Close() error
}

// A Record is what is to be written under a key.
type Record struct {
	Key   string
	Value []byte        // nil deletes
	TTL   time.Duration // after which it is gone
	// Version is what the record has to be, and then what it is; Always writes
	// whatever is there. Of those who write over one version one succeeds.
	Version string
	Always  bool
	// Conflict says that it was not written: somebody else has changed or taken
	// it.
	Conflict bool
}

// ErrNoLog reports that something was asked of a store that is closed.
var ErrNoLog = errors.New("cluster: the log is closed")
