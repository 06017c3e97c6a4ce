package adapter

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"log/slog"

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

	// Join puts m into rooms, before or after Add; into none if it would be in
	// more than its [Membership] allows. A socket is always in the room of its
	// own id, which costs nothing.
	Join(m Member, rooms ...string)
	// Leave takes m out of rooms.
	Leave(m Member, rooms ...string)

	// Member returns the socket of this node with this id.
	Member(id string) (Member, bool)
	// Local yields the sockets of this node that t selects, each once.
	Local(t Target) iter.Seq[Member]
	// Size returns how many sockets of this node there are.
	Size() int
	// RoomSize returns how many sockets of this node are in room.
	RoomSize(room string) int
	// Rooms yields the rooms that have members on this node, and their sizes.
	// Rooms of sockets' own ids are not among them.
	Rooms() iter.Seq2[string, int]

	// Observe has f told when rooms come and go on this node, instead of who
	// was told before; nil ends it. Events of a room arrive in their order and
	// one at a time, with no lock held, perhaps after the call that caused them
	// has returned.
	Observe(f func(RoomEvent))

	// Broadcast delivers p to the sockets that t selects on all nodes, or on
	// this one if t is Local. Local sockets are served when it returns, unless
	// a store that orders packets comes first; the error concerns the others.
	Broadcast(t Target, p *Packet) error
	// BroadcastWithAck is Broadcast for a packet with an id. It delivers when
	// the sequence is ranged over, and yields the answers as they come. The
	// last pair is a [*MissingError] if sockets left, or ctx ended, before all
	// had answered, or if a node did not say how many it asked.
	BroadcastWithAck(ctx context.Context, t Target, p *Packet) iter.Seq2[Answer, error]

	// Fetch returns what is known of the sockets that t selects on all nodes.
	// With a [*PartialError] it returns those of the nodes that answered.
	Fetch(ctx context.Context, t Target) ([]SocketInfo, error)
	// SocketsJoin puts the sockets that t selects on all nodes into rooms. It
	// returns [ErrTooManyRooms] if it left out one of this node.
	SocketsJoin(t Target, rooms ...string) error
	// SocketsLeave takes them out.
	SocketsLeave(t Target, rooms ...string) error
	// DisconnectSockets disconnects them from the namespace, or closes their
	// connections.
	DisconnectSockets(t Target, closeConnection bool) error

	// ServerCount returns how many nodes serve the namespace, with this one.
	ServerCount(ctx context.Context) (int, error)
	// ServerSideEmit sends an event to the other nodes, and never to this one.
	ServerSideEmit(event string, args []any) error
	// ServerSideEmitWithAck sends an event to the other nodes when the sequence
	// is ranged over, and yields their answers as they come, one per node. The
	// last pair is a [*PartialError] if nodes did not answer before ctx ended.
	ServerSideEmitWithAck(ctx context.Context, event string, args []any) iter.Seq2[Answer, error]

	// Health returns nil while the other nodes can be reached. Local delivery
	// goes on when they cannot.
	Health() error
	// Close leaves the cluster. It is idempotent.
	Close() error
}

// A Flusher is an [Adapter] that can say when its broker or store has confirmed
// what was emitted before.
type Flusher interface {
	Flush(ctx context.Context) error
}

// A Namer is an [Adapter] that names sockets, so that it can be seen from an id on
// which node the socket is. "" leaves it to the server. Ids have 20 characters.
type Namer interface {
	NewID() string
}

// ErrTooManyRooms reports that a socket may not be in so many rooms.
var ErrTooManyRooms = errors.New("adapter: a socket is in too many rooms")

// A RoomEvent says that a room appeared or vanished on this node, or that a
// socket joined or left it. Rooms of sockets' own ids have none.
type RoomEvent struct {
	Kind RoomEventKind
	Room string
	ID   string // of the socket, for Joined and Left
}

// A RoomEventKind is what happened to a room.
type RoomEventKind uint8

// Created precedes the first Joined, Deleted follows the last Left.
const (
	RoomCreated RoomEventKind = iota
	RoomJoined
	RoomLeft
	RoomDeleted
)

// A Factory makes the adapter of one namespace.
type Factory func(Host) (Adapter, error)

// A Host is the namespace that an adapter works for.
type Host interface {
	// Name returns the name of the namespace.
	Name() string
	// Prepare encodes p.Event and p.Args, and p.Offset behind them if there is
	// one, into p.Prepared. It is for packets that came from another node.
	Prepare(p *Packet) error
	// AckID returns an id for a packet that wants acks and came from another
	// node: ids are this node's own.
	AckID() int64
	// ServerSide handles an event that another node sent with ServerSideEmit.
	// It does not block. If reply is not nil it is called at most once, with
	// the first argument of the answer as JSON.
	ServerSide(m ServerMessage, reply func(answer json.RawMessage))
	// Logger gets what an operator should know.
	Logger() *slog.Logger
	// Recovery says what a [Recoverer] should keep; nil if nobody wants it.
	Recovery() *Recovery
}

// A ServerMessage is an event that one node sent to the others.
type ServerMessage struct {
	Event string
	Args  [][]byte // as JSON, with placeholders for Attachments
	// Attachments are what the placeholders refer to.
	Attachments [][]byte
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

	// Offset is where the packet stands in a log from which clients can catch
	// up, or "". Clients are sent it as a last argument and give it back.
	Offset string
	// Quiet: Deliver leaves out what Announce does.
	Quiet bool

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
	// Announce tells the program's catch-all listeners of p. Deliver does it
	// itself, unless p is Quiet: that is for callers who hold locks.
	Announce(p *Packet)
	// DeliverWithAck does so, and calls answer once: with the client's answer,
	// or with an error when none can come. It reports whether it will; CancelAck
	// takes that back.
	DeliverWithAck(p *Packet, answer func(Answer)) bool
	CancelAck(id int64)
	// Disconnect is what DisconnectSockets does to a socket of this node.
	Disconnect(closeConnection bool)
	// Supersede ends the connection of a socket whose client has made another, as
	// if it had broken, and waits until the handlers of the socket are done. It
	// returns an error if they still run when that has taken too long.
	Supersede(ctx context.Context) error
	// Describe returns what other nodes are told of the socket, as JSON:
	// handshake and data, in the form of the JavaScript API.
	Describe() (handshake, data json.RawMessage)
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
	// node sent Handshake and Data (socket.handshake and socket.data in
	// JavaScript).
	Member          Member
	Handshake, Data json.RawMessage
}
