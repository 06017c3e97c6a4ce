package parser

import (
	"bytes"
	"strconv"
)

// A Type is the kind of a packet; its number is the first character on the
// wire.
type Type uint8

// The packet types of protocol 5. BinaryEvent and BinaryAck exist on the wire
// only: Decode reports Event and Ack for them, and Encode chooses them itself.
const (
	Connect Type = iota
	Disconnect
	Event
	Ack
	ConnectError
	BinaryEvent
	BinaryAck
)

var typeNames = [...]string{"CONNECT", "DISCONNECT", "EVENT", "ACK", "CONNECT_ERROR", "BINARY_EVENT", "BINARY_ACK"}

// String returns the name that the protocol document uses.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "Type(" + strconv.Itoa(int(t)) + ")"
}

// NoID is the ID of a packet that has none.
const NoID int64 = -1

// MaxID is the largest packet ID that is accepted: the largest integer that
// every JavaScript peer holds exactly. The original takes longer ones and
// rounds them, so that the answer goes to another packet or to none.
const MaxID int64 = 1<<53 - 1

// A Header is what precedes the values of an outgoing packet.
type Header struct {
	Type      Type
	Namespace string // "" and "/" are the main namespace
	ID        int64  // NoID for none; the zero Header has ID 0
}

// Encoded is a packet ready to be sent: Head as one message, then every
// attachment as one binary message, with nothing between them.
//
// Attachments are the caller's own []byte, not copies.
type Encoded struct {
	Head        []byte
	HeadBinary  bool // Head is a binary message; never so with JSON
	Attachments [][]byte
}

// A Packet is a decoded packet. All its slices point into the message that was
// decoded, unless [Packet.Clone] made it; those that a [Reassembler] returns
// with attachments are independent copies.
type Packet struct {
	// Type is never BinaryEvent or BinaryAck.
	Type Type
	// Namespace is "/" if the message names none. A query string in it is
	// kept as it came.
	Namespace []byte
	// ID is NoID if the packet has none.
	ID int64
	// Event is the name, without JSON escapes; nil unless Type is Event. It
	// is nil too for an Event without any payload ("2"), which the original
	// lets pass.
	Event []byte
	// Args are the encoded arguments: those after the name of an Event, all
	// of an Ack, and the payload, if any, of a Connect or ConnectError.
	Args [][]byte
	// Attachments are what the placeholders in Args refer to.
	Attachments [][]byte
	// Pending is the number of binary messages that have yet to follow.
	Pending int
}

var rootNamespace = []byte("/")

// Clone returns a copy that shares nothing with the message p was decoded
// from, apart from the attachments. It costs two allocations at most.
func (p *Packet) Clone() Packet {
	c := *p
	size := len(p.Event)
	if !isRoot(p.Namespace) {
		size += len(p.Namespace)
	}
	for _, a := range p.Args {
		size += len(a)
	}
	buf := make([]byte, 0, size)
	copied := func(b []byte) []byte {
		n := len(buf)
		buf = append(buf, b...)
		return buf[n:len(buf):len(buf)]
	}
	if isRoot(p.Namespace) {
		c.Namespace = rootNamespace
	} else {
		c.Namespace = copied(p.Namespace)
	}
	if p.Event != nil {
		c.Event = copied(p.Event)
	}
	if p.Args != nil {
		c.Args = make([][]byte, len(p.Args))
		for i, a := range p.Args {
			c.Args[i] = copied(a)
		}
	}
	return c
}

func isRoot(namespace []byte) bool { return bytes.Equal(namespace, rootNamespace) }

// A Parser is a codec: both peers must use the same, the protocol does not
// negotiate it. Implementations are safe for concurrent use.
type Parser interface {
	// Encode builds the messages of one packet. For an Event values[0] is the
	// name; Connect and ConnectError have one value at most, Disconnect none.
	// A []byte anywhere in a value becomes an attachment. The error is that
	// of the value that cannot be encoded.
	Encode(h Header, values ...any) (Encoded, error)

	// Decode reads one message that begins a packet. lim may be nil. Errors
	// are of type [*Error]: the connection should be closed.
	Decode(data []byte, binary bool, lim *Limits) (Packet, error)

	// Unmarshal decodes one argument of a packet into *v. What points at an
	// attachment becomes a []byte: that attachment itself, not a copy.
	Unmarshal(raw []byte, attachments [][]byte, v any) error
}
