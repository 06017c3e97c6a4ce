package engineio

// A Receiver gets what one session receives. Receive and Closed are called one
// at a time and in order, never concurrently; they must not block.
type Receiver interface {
	// Receive gets one message. m.Data is valid, and may be changed, until
	// Receive returns: copy what must live longer.
	Receive(m Message)

	// Flush ends a batch of Receive calls: what one read or one POST brought.
	// With mayBlock the receiver may run user code right here for as long as
	// it likes; reading goes on elsewhere, so that other goroutines may call
	// Receive and Flush meanwhile. Without it, the receiver starts a goroutine
	// of its own if there is work. Flush may follow Closed.
	Flush(mayBlock bool)

	// Closed is called once, and no Receive follows it. err says more where
	// there is more to say; it may be nil.
	Closed(reason Reason, err error)
}

// A Holder is a [Receiver] that says how many bytes it keeps of what it has
// received, for Options.MaxMemory. Held may be called at any time.
type Holder interface{ Held() int }

// A Reason says why a session ended, in the words of the original.
type Reason string

// The reasons of a server ("Server API", disconnect).
const (
	PingTimeout    Reason = "ping timeout"    // no pong within Options.PingTimeout
	TransportError Reason = "transport error" // the connection failed or the client broke the rules
	TransportClose Reason = "transport close" // the client went away
	ParseError     Reason = "parse error"     // a packet that is none
	ForcedClose    Reason = "forced close"    // this side closed
)

// Flags modify one Send.
type Flags uint8

const (
	// Volatile messages are dropped instead of queued when the client is not
	// ready for them.
	Volatile Flags = 1 << iota
	// NoCompress asks transports that compress not to.
	NoCompress
	// Lossy messages are queued like others. When the client's queue is full,
	// the oldest of them are dropped to make room, before the client is cut.
	Lossy
)
