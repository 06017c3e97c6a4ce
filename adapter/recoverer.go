package adapter

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sockeye-go/socketio/engineio"
)

// A Recoverer is an [Adapter] from which a client whose connection broke can
// catch up ("Connection state recovery"). It keeps sessions, of which each
// belongs to a socket of this node or to a client that is away, and a log of
// what was broadcast.
//
// What a session receives it receives in the order of the log: a client says by
// one offset what it has.
type Recoverer interface {
	Adapter

	// Open is Add for a socket that begins a session. It calls connect, which
	// sends the CONNECT, when broadcasts that begin from now on are sure to
	// reach m; if that returns false the client is gone and there is no session.
	Open(m Member, pid string, connect func() bool) bool
	// Suspend is Remove for a socket whose connection broke: its session, if it
	// has one, is kept.
	Suspend(m Member) []string
	// Claim takes a session for the client that knows pid. offset is what the
	// client received last, "" if it received nothing. The error is a
	// [*RefusedError]; it is a [*BusyError] while a socket of this node has the
	// session, which then must be closed first.
	Claim(ctx context.Context, pid, offset string, lim ReplayLimits) (*Claim, error)
	// Emit sends p to the client of m, whose session may have gone over to
	// another socket: send is called with the socket that has it now. While the
	// client is away p is kept. It reports false if m has no session.
	Emit(m Member, p *Packet, send func(Member) error) (bool, error)
	// Changed says that what m describes of itself has changed.
	Changed(m Member)
	// Stats returns what is kept.
	Stats() RecoveryStats
}

// Recovery says what a [Recoverer] keeps. All fields are set.
type Recovery struct {
	MaxDuration time.Duration // of an absence
	MaxAge      time.Duration // of a packet in the log: an absence, and how long a broken connection may go unnoticed
	MaxPackets  int           // in the log
	MaxBytes    int64         // of the log
	MaxSessions int           // of clients that are away
}

// ReplayLimits bound what one client can be sent at once.
type ReplayLimits struct{ Packets, Bytes int }

// RecoveryStats are what a Recoverer keeps at the moment.
type RecoveryStats struct {
	Sessions int // of clients that are away
	Packets  int // in the log
	Bytes    int64
}

// A Claim is a session in the hands of a client that came back. One of Resume,
// Release and Discard ends it.
type Claim struct {
	ID    string   // of the socket
	Rooms []string // that it was in
	// Previous is the socket that had the session, if it was on this node;
	// otherwise Data is what it had.
	Previous Member
	Data     json.RawMessage
	Away     time.Duration
	Missed   int // packets, so far

	// Resume is Open for the socket that has the session from now on: it puts
	// m into its rooms, calls connect, and delivers what was missed.
	Resume func(m Member, connect func() bool) bool
	// Release gives the session back: the client left again.
	Release func()
	// Discard ends the session.
	Discard func()
}

// A RefusedError says why a session could not be claimed.
type RefusedError struct {
	Reason string
	// Again: that says nothing of the session, and a client that asks again, of
	// this node or another, may well have it.
	Again bool
}

func (e *RefusedError) Error() string { return "recovery refused: " + e.Reason }

// Reasons of a [RefusedError].
const (
	UnknownSession = "no such session: it expired, was ended, or belongs to another server"
	LogTooShort    = "the log no longer reaches back to what the client has"
	UnknownOffset  = "the client claims to have what it was not sent"
	TooMuchMissed  = "too much was missed"
	SessionClaimed = "another connection is claiming the session"
)

// A BusyError says that a socket of this node has the session: the server has
// not noticed yet that its connection broke.
type BusyError struct{ Member Member }

func (e *BusyError) Error() string { return fmt.Sprintf("socket %s has the session", e.Member.ID()) }

// OffsetSize is the length of [OffsetPlaceholder].
const OffsetSize = 12

// OffsetPlaceholder as Packet.Offset asks a Recoverer on this node to write the
// real offset in its place into what is encoded already: where a packet stands
// is known only when it is in the log, and nothing is encoded with the log
// locked. It is of the characters of an offset, and random, so that it is found.
var OffsetPlaceholder = rand.Text()[:OffsetSize]

// stamp replaces one offset by another of the same length, in place. The packet
// must not have been sent yet.
func (p *Packet) stamp(offset string) {
	head := p.Prepared.Messages()[0].Data
	if i := bytes.LastIndex(head, []byte(p.Offset)); i >= 0 {
		copy(head[i:], offset)
	}
	p.Offset = offset
}

// restamped is a copy with another offset.
func (p *Packet) restamped(offset string) *Packet {
	msgs := append([]engineio.Message(nil), p.Prepared.Messages()...)
	msgs[0].Data = bytes.Clone(msgs[0].Data)
	c := *p
	c.Prepared = engineio.Prepare(msgs...)
	c.stamp(offset)
	return &c
}
