package socketio

import (
	"fmt"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/parser"
)

// Recovery configures "Connection state recovery": a client whose connection
// broke, and that comes back soon enough, gets its id, rooms and data again, and
// what was emitted to it meanwhile, in order and once. Its socket is another
// [Socket] with the same id, for which OnConnection runs again and
// [Socket.Recovered] is true.
//
// It costs about 1 KB per socket, the packets of the last minutes, and the room
// of one more argument in each event: the position of the event, by which the
// client says what it has. Catch-all listeners of JavaScript clients see it.
// Each namespace keeps its own, within the limits.
type Recovery struct {
	// MaxDuration is how long a client may be away. Default 2 min
	// (maxDisconnectionDuration in JavaScript).
	MaxDuration time.Duration
	// RunMiddleware runs the middleware for clients that come back, too. Its
	// errors end the session. Default false, skipMiddlewares: true in
	// JavaScript.
	RunMiddleware bool

	// MaxPackets and MaxBytes limit what is kept of what was emitted. Beyond
	// them the oldest goes, and who would need it is refused. Default 200,000
	// and 64 MiB.
	MaxPackets int
	MaxBytes   int64
	// MaxSessions limits the clients that are away. Beyond it the one that is
	// away longest is forgotten. Default 10,000.
	MaxSessions int

	// OnAttempt is told of each client that asked for its session, and whether
	// it got it. It must not block. The log is told too, at level Info of what
	// was refused and at Debug of what was not.
	OnAttempt func(RecoveryAttempt)
}

// A RecoveryAttempt is a client that came back and asked for its session.
type RecoveryAttempt struct {
	Namespace string
	Recovered bool
	Reason    string        // of the refusal
	ID        string        // of the socket, if it was recovered
	Missed    int           // packets that were sent again
	Away      time.Duration // since the server noticed that the client had gone
}

// RecoveryStats say what a namespace keeps, and how clients fared.
type RecoveryStats struct {
	Sessions int   // of clients that are away
	Packets  int   // that are kept
	Bytes    int64 // of them, with what keeping them costs

	Recovered, Refused int64 // clients that came back, since the start
}

type recoveryCounts struct{ recovered, refused atomic.Int64 }

// RecoveryStats returns what the namespace keeps for clients that are away. All
// is zero without Options.Recovery.
func (n *Namespace) RecoveryStats() RecoveryStats {
	if n.recoverer == nil {
		return RecoveryStats{}
	}
	s := n.recoverer.Stats()
	return RecoveryStats{
		Sessions: s.Sessions, Packets: s.Packets, Bytes: s.Bytes,
		Recovered: n.recovery.recovered.Load(), Refused: n.recovery.refused.Load(),
	}
}

func (r *Recovery) withDefaults() *Recovery {
	c := *r
	set := func(ok bool, v any, name string) {
		if !ok {
			panic(fmt.Sprintf("socketio: Options.Recovery.%s: %v is negative", name, v))
		}
	}
	set(c.MaxDuration >= 0, c.MaxDuration, "MaxDuration")
	set(c.MaxPackets >= 0, c.MaxPackets, "MaxPackets")
	set(c.MaxBytes >= 0, c.MaxBytes, "MaxBytes")
	set(c.MaxSessions >= 0, c.MaxSessions, "MaxSessions")
	if c.MaxDuration == 0 {
		c.MaxDuration = 2 * time.Minute
	}
	if c.MaxPackets == 0 {
		c.MaxPackets = 200_000
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = 64 << 20
	}
	if c.MaxSessions == 0 {
		c.MaxSessions = 10_000
	}
	return &c
}

// kept is what the adapter is asked to keep. A packet that was sent into a
// broken connection is as old as the absence, and the time until the server
// noticed.
func (r *Recovery) kept(o *Options) *adapter.Recovery {
	unnoticed := o.PingInterval + o.PingTimeout
	if o.PingInterval == 0 {
		unnoticed += 25 * time.Second
	}
	if o.PingTimeout == 0 {
		unnoticed += 20 * time.Second
	}
	return &adapter.Recovery{
		MaxDuration: r.MaxDuration, MaxAge: r.MaxDuration + unnoticed,
		MaxPackets: r.MaxPackets, MaxBytes: r.MaxBytes, MaxSessions: r.MaxSessions,
	}
}

// checkOffsets panics if p does not write a string as it is: an offset could
// then not be put into a packet that is encoded already.
func checkOffsets(p parser.Parser) {
	e, err := p.Encode(parser.Header{Type: parser.Event, ID: parser.NoID}, "e", adapter.OffsetPlaceholder)
	if err != nil || !contains(e.Head, adapter.OffsetPlaceholder) {
		panic(fmt.Sprintf("socketio: Options.Recovery: %T does not write strings as they are", p))
	}
}

// offsetFor returns the offset that p asks the adapter for: none for an event
// with an ack, which is not kept. The client takes the last argument of any
// other event for its offset, if it is a string; so a volatile event, which is
// not kept either, has one where a text could be taken for it.
func offsetFor(p *adapter.Packet) string {
	if p.ID != parser.NoID || p.Flags&engineio.Volatile != 0 && !endsInString(p.Args) {
		return ""
	}
	return adapter.OffsetPlaceholder
}

func endsInString(args []any) bool {
	if len(args) == 0 {
		return true // the name of the event is the last
	}
	switch v := args[len(args)-1].(type) {
	case nil, bool, int, int64, int32, uint64, float64, []byte, []any, map[string]any, []string:
		return false
	case string:
		return true
	default:
		if _, ok := v.(interface{ MarshalJSON() ([]byte, error) }); ok {
			return true // perhaps
		}
		if _, ok := v.(interface{ MarshalText() ([]byte, error) }); ok {
			return true
		}
		switch reflect.TypeOf(v).Kind() {
		case reflect.Struct, reflect.Map, reflect.Bool, reflect.Int, reflect.Uint, reflect.Float64:
			return false
		}
		return true
	}
}

// emitKept emits to the session of s, which outlives s. It reports false if s
// has none: before it is connected, and when it has left for good.
func (s *Socket) emitKept(f engineio.Flags, event string, args []any) (bool, error) {
	if s.state.Load() == connecting {
		return false, nil
	}
	p := &adapter.Packet{Event: event, Args: args, ID: parser.NoID, Flags: f}
	p.Offset = offsetFor(p)
	if !s.nsp.late || p.Offset == "" { // otherwise it is encoded when its place is known
		if err := (host{s.nsp}).Prepare(p); err != nil {
			return true, err
		}
	}
	if s.state.Load() == connected {
		s.outgoing(event, args)
	}
	return s.nsp.recoverer.Emit(s, p, func(m adapter.Member) error {
		return sendError(m.(*Socket).conn.send(p.Prepared, f))
	})
}
