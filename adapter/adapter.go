package adapter

import (
	"context"
	"encoding/json"
	"iter"

	"github.com/sockeye-go/socketio/engineio"
)

// An Adapter knows the sockets of one namespace and their rooms, and reaches
// those of all nodes. Methods are safe for concurrent use. Those without a
// context touch this node's memory, or queue for the others; they never block.
type Adapter interface {
	// Add makes m known: broadcasts reach it from now on.
	Add(m Member)
	// Remove takes m out of its rooms and forgets it, for good: a later Join
	// does nothing. It returns the rooms m was in.
	Remove(m Member) []string

	// Join puts m into rooms, before or after Add. A socket is always in the
	// room of its own id, which costs nothing.
	Join(m Member, rooms ...string)
	// Leave takes m out of rooms.
	Leave(m Member, rooms ...string)

	// Member returns the socket of this node with this id.
	Member(id string) (Member, bool)
	// Local yields the sockets of this node that t selects, each once.
	Local(t Target) iter.Seq[Member]
	// RoomSize returns how many sockets of this node are in room.
	RoomSize(room string) int
	// Rooms yields the rooms that have members on this node, and their sizes.
	// Rooms of sockets' own ids are not among them.
	Rooms() iter.Seq2[string, int]

	// Broadcast delivers p to the sockets that t selects on all nodes, or on
	// this one if p is Local. Local sockets are served when it returns; the
	// error concerns the others.
	Broadcast(t Target, p *Packet) error
	// BroadcastWithAck is Broadcast for a packet with an id. It delivers when
	// the sequence is ranged over, and yields the answers as they come. The
	// last pair is a [*MissingError] if sockets left, or ctx ended, before all
	// had answered.
	BroadcastWithAck(ctx context.Context, t Target, p *Packet) iter.Seq2[Answer, error]

	// Fetch returns what is known of the sockets that t selects on all nodes.
	Fetch(ctx context.Context, t Target) ([]SocketInfo, error)
	// SocketsJoin puts the sockets that t selects on all nodes into rooms.
	SocketsJoin(t Target, rooms ...string) error
	// SocketsLeave takes them out.
	SocketsLeave(t Target, rooms ...string) error
	// DisconnectSockets disconnects them from the namespace, or closes their
	// connections.
	DisconnectSockets(t Target, closeConnection bool) error

	// Close leaves the cluster. It is idempotent.
	Close() error
}

// A Factory makes the adapter of one namespace.
type Factory func(Host) (Adapter, error)

// A Host is the namespace that an adapter works for.
type Host interface {
	// Name returns the name of the namespace.
	Name() string
	// Prepare encodes p.Event and p.Args into p.Prepared. It is for packets
	// that came from another node.
	Prepare(p *Packet) error
}

// A Target selects sockets: those that are in any of Rooms, or all if there is
// none, and in none of Except.
type Target struct {
	Rooms, Except []string
	// Local restricts the selection to this node.
	Local bool
}

// A Packet is one event on its way to many sockets, encoded once. It is shared
// and must not be changed.
type Packet struct {
	Event string
	Args  []any // as they were emitted

	// ID is what answers carry, or parser.NoID.
	ID    int64
	Flags engineio.Flags

	Prepared *engineio.Prepared
}

// A Member is a socket of this node, as an adapter sees it.
type Member interface {
	ID() string
	// Membership is where the adapter keeps the rooms of this socket.
	Membership() *Membership
	// Deliver sends p to the client. It does not block. A socket that is not
	// connected yet, or no longer, gets nothing.
	Deliver(p *Packet)
	// DeliverWithAck does so, and calls answer once: with the client's answer,
	// or with an error when none can come. It reports whether it will; CancelAck
	// takes that back.
	DeliverWithAck(p *Packet, answer func(Answer)) bool
	CancelAck(id int64)
	// Disconnect is what DisconnectSockets does to a socket of this node.
	Disconnect(closeConnection bool)
}

// An Answer is what one client answered to a broadcast.
type Answer struct {
	// Args are the arguments as JSON, with placeholders for Attachments.
	Args        [][]byte
	Attachments [][]byte
	// Err says that this client will never answer.
	Err error
}

// A SocketInfo describes a socket of any node, as it was when asked.
type SocketInfo struct {
	ID    string
	Rooms []string // its own id is not among them

	// Member is the socket itself if it is on this node; otherwise the other
	// node sent Handshake and Data.
	Member          Member
	Handshake, Data json.RawMessage
}
