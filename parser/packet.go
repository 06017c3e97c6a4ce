package parser

import (
	"bytes"
	"fmt"
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

// Check says why no parser can make a packet of h and values, if that is so: it is
// for implementations of [Parser].
func (h Header) Check(values []any) error {
	if h.Namespace != "" && h.Namespace[0] != '/' {
		return &EncodeError{"namespace " + strconv.Quote(h.Namespace) + " does not begin with a slash"}
	}
	most := len(values)
	switch h.Type {
	case Connect, ConnectError:
		most = 1
	case Disconnect:
		most = 0
	case Event, BinaryEvent:
		if most == 0 {
			return &EncodeError{"an EVENT without a name"}
		}
	case Ack, BinaryAck:
	default:
		return &EncodeError{"unknown packet type " + strconv.Itoa(int(h.Type))}
	}
	if len(values) > most {
		return &EncodeError{fmt.Sprintf("%v with %d values", h.Type, len(values))}
	}
	return nil
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
// negotiate it. [JSON] is the default, package parser/msgpack has another, and a
// program may bring its own: the example shows how little that needs.
//
// Implementations are safe for concurrent use and keep no state between calls. What
// they are given comes from the network: they must not panic, nor allocate more than
// in proportion to what has arrived. [Header.Check], [IsReserved] and
// [Limits.OrDefault] are there for them.
type Parser interface {
	// Encode builds the messages of one packet. For an Event values[0] is the
	// name; Connect and ConnectError have one value at most, Disconnect none.
	// A []byte anywhere in a value is binary data: an attachment, or a part of
	// Head in a format that has room for it. Head must not be used again; what
	// is sent to many is encoded once. The error is that of the value that
	// cannot be encoded.
	Encode(h Header, values ...any) (Encoded, error)

	// Decode reads one message that begins a packet. lim may be nil. It checks
	// all of the message, so that Unmarshal need not be afraid of it, and
	// leaves the arguments encoded, each on its own; those of an event that
	// nobody handles are never looked at again. Its slices may point into
	// data, which the caller leaves alone as long as the packet lives. If
	// Pending is set, that many binary messages follow and become Attachments.
	// Errors are of type [*Error]: the connection is closed.
	Decode(data []byte, binary bool, lim *Limits) (Packet, error)

	// Unmarshal decodes one argument of a packet into *v. It may be called
	// several times for the same argument, and concurrently. Binary data
	// becomes []byte: the attachment, or the part of raw, itself and no copy.
	// Errors are told to the handler's side, not to the connection.
	Unmarshal(raw []byte, attachments [][]byte, v any) error
}
