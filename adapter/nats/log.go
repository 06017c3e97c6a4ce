package nats

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/sockeye-go/socketio/adapter/cluster"
)

// A log is a [cluster.Log]: the messages of one namespace in the stream that all
// share.
//
// What a node appends in one go is one message of the stream, or a few if it is
// large: that keeps the order whatever fails in between, and costs one round trip.
// So a position is the age of the stream, and the number of the message in it with
// the place within the batch behind.
type log struct {
	store    *store
	r        cluster.LogReader
	uid      string
	subjects subjects
	start    cluster.Position

	ctx    context.Context // of the reading, until Close
	cancel context.CancelFunc
	ended  chan struct{} // closed when run has returned
	status chan struct{} // has one when the connection has changed

	epoch atomic.Uint64 // changed by run alone
	at    uint64        // what is up to there has been handed over; of run
	lost  bool          // of run
}

const (
	indexBits = 12
	// lastIndex is that of the last of a batch, whatever its place.
	lastIndex = 1<<indexBits - 1
	maxBatch  = lastIndex
)

func position(epoch, seq uint64, index int) cluster.Position {
	return cluster.Position{Major: epoch, Minor: seq<<indexBits | uint64(index)}
}

func seqOf(p cluster.Position) uint64 { return p.Minor >> indexBits }

// begin makes the streams, and looks where the log ends.
func (l *log) begin(ctx context.Context) error {
	epoch, state, _, err := l.store.ensure(ctx)
	if err != nil {
		return err
	}
	l.epoch.Store(epoch)
	l.at = state.LastSeq
	l.start = position(epoch, state.LastSeq, lastIndex)
	return nil
}

// run hands over what is appended, until Close. A consumer of NATS is made anew
// whenever there is the least doubt: it costs little, and this knows how far it is.
func (l *log) run() {
	defer close(l.ended)
	for l.ctx.Err() == nil {
		l.report(l.store.bus.away())
		if l.lost {
			select {
			case <-l.status:
			case <-l.ctx.Done():
			}
			continue
		}
		ctx, cancel := context.WithTimeout(l.ctx, askTimeout)
		err := l.compare(ctx)
		cancel()
		if err == nil {
			err = l.read()
		}
		if err != nil && l.store.connected() {
			wait(l.ctx, retryWait)
		}
	}
}

// report tells of the connection, if that has changed.
func (l *log) report(err error) {
	if was := l.lost; was != (err != nil) {
		l.lost = !was
		l.r.Lost(err)
	}
}

// compare looks whether the stream is the one that it was, and still has what has
// not been read.
func (l *log) compare(ctx context.Context) error {
	epoch, state, fresh, err := l.store.ensure(ctx)
	if err != nil {
		return err
	}
	anew := epoch != l.epoch.Load()
	switch {
	case anew || state.LastSeq < l.at: // or from an old copy
		// What others have appended since is read; what was before is lost.
		l.epoch.Store(epoch)
		l.at = 0
		l.r.Gap(position(epoch, 0, lastIndex), anew || fresh)
	case state.FirstSeq > l.at+1:
		l.at = state.FirstSeq - 1
		l.r.Gap(position(epoch, l.at, lastIndex), fresh)
	}
	return nil
}

const (
	// How often a consumer that has nothing to say says so, and is asked for more:
	// by that it is noticed when its server is gone.
	pullHeartbeat = 2 * time.Second
	pullExpiry    = time.Minute
	// consumerTTL is how long NATS keeps a consumer of which nobody asks anything.
	consumerTTL = 2 * pullExpiry
)

// read hands over what comes, until the connection changes or something is not as
// it should be.
func (l *log) read() error {
	ctx, cancel := context.WithCancel(l.ctx)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		select {
		case <-l.status:
			cancel()
		case <-ctx.Done():
		}
	}()
	defer func() {
		cancel()
		<-watching // what it is told from now on is for the next
	}()
	asking, stop := context.WithTimeout(ctx, askTimeout)
	defer stop()
	c, err := l.store.log.Load().CreateConsumer(asking, jetstream.ConsumerConfig{
		FilterSubject: l.subjects.log(), DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: l.at + 1,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: consumerTTL,
	})
	if err != nil {
		return fmt.Errorf("nats: %w", err)
	}
	messages, err := c.Messages(jetstream.PullExpiry(pullExpiry), jetstream.PullHeartbeat(pullHeartbeat))
	if err != nil {
		return fmt.Errorf("nats: %w", err)
	}
	defer l.letGo(c)
	defer messages.Stop()
	for next := uint64(1); ; next++ {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		if meta.Sequence.Consumer != next {
			return fmt.Errorf("nats: message %d of a consumer came as number %d", meta.Sequence.Consumer, next)
		}
		l.at = meta.Sequence.Stream
		if ms := l.decode(m.Subject(), m.Data(), l.epoch.Load(), l.at); len(ms) > 0 {
			l.r.Read(ms)
		}
	}
}

// letGo deletes a consumer, which NATS would do by itself after a while.
func (l *log) letGo(c jetstream.Consumer) {
	if !l.store.connected() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = l.store.log.Load().DeleteConsumer(ctx, c.CachedInfo().Name)
}

// changed is told that the connection is another, or none.
func (l *log) changed() {
	select {
	case l.status <- struct{}{}:
	default:
	}
}

// Start implements [cluster.Log].
func (l *log) Start() cluster.Position { return l.start }

// Append implements [cluster.Log].
func (l *log) Append(ctx context.Context, ms []*cluster.Message) error {
	var left error
	var batch []byte
	var first uint64
	n := 0
	most := int(l.store.bus.conn.MaxPayload()) - headerRoom
	flush := func() error {
		if n == 0 {
			return nil
		}
		subject := l.subjects.log()
		data := l.store.bus.o.seal(subject, batch)
		batch, n = nil, 0
		return patiently(ctx, func(ctx context.Context) error {
			_, err := l.store.js.PublishMsg(ctx, &natsgo.Msg{Subject: subject, Data: data}, jetstream.WithMsgID(l.uid+"-"+strconv.FormatUint(first, 10)))
			return err
		})
	}
	for _, m := range ms {
		b, err := cluster.Encode(m)
		if err == nil && len(b)+binary.MaxVarintLen64 > most {
			err = fmt.Errorf("%d bytes are more than NATS takes in a message (max_payload)", len(b))
		}
		if err != nil {
			left = &cluster.EncodeError{Err: err}
			continue
		}
		if n == maxBatch || len(batch)+len(b)+binary.MaxVarintLen64 > most {
			if err := flush(); err != nil {
				return err
			}
		}
		if n == 0 {
			first = m.Seq
		}
		batch = append(binary.AppendUvarint(batch, uint64(len(b))), b...)
		n++
	}
	if err := flush(); err != nil {
		return err
	}
	return left
}

// headerRoom is for headers and the seal.
const headerRoom = 512

// decode takes a batch apart. What is from no node of ours is left out.
func (l *log) decode(subject string, data []byte, epoch, seq uint64) (ms []*cluster.Message) {
	b, ok := l.store.bus.o.open(subject, data)
	for ok && len(b) > 0 {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			break
		}
		m, err := cluster.Decode(b[n : n+int(size)])
		b = b[n+int(size):]
		if err != nil {
			continue
		}
		m.Position = position(epoch, seq, len(ms))
		ms = append(ms, m)
		if len(ms) == maxBatch {
			break
		}
	}
	if len(ms) > 0 {
		ms[len(ms)-1].Position = position(epoch, seq, lastIndex)
	}
	return ms
}

// After implements [cluster.Log].
func (l *log) After(ctx context.Context, p cluster.Position) ([]*cluster.Message, error) {
	s, epoch := l.store.log.Load(), l.epoch.Load()
	if p.Major != epoch {
		return nil, nil
	}
	seq := seqOf(p)
	for range maxBatches {
		m, err := s.GetMsg(ctx, max(seq, 1), jetstream.WithGetMsgSubject(l.subjects.log()))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		var ms []*cluster.Message
		for _, x := range l.decode(m.Subject, m.Data, epoch, m.Sequence) {
			if x.Position.After(p) {
				ms = append(ms, x)
			}
		}
		if len(ms) > 0 {
			return ms, nil
		}
		seq = m.Sequence + 1
	}
	return nil, nil
}

// maxBatches is how many messages in a row may be none of ours.
const maxBatches = 1 << 16

// Reaches implements [cluster.Log]. Limits let the oldest of the stream go, so
// that what is behind the first is whole.
func (l *log) Reaches(ctx context.Context, p cluster.Position) (bool, error) {
	epoch, state, _, err := l.store.ensure(ctx)
	if err != nil {
		return false, err
	}
	seq := seqOf(p)
	if p.Minor&lastIndex == lastIndex {
		seq++ // of the next
	}
	return p.Major == epoch && state.FirstSeq <= seq, nil
}

// Head implements [cluster.Log].
func (l *log) Head(ctx context.Context) (cluster.Position, error) {
	epoch := l.epoch.Load()
	m, err := l.store.log.Load().GetLastMsgForSubject(ctx, l.subjects.log())
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return position(epoch, 0, 0), nil
	}
	if err != nil {
		return cluster.Position{}, err
	}
	return position(epoch, m.Sequence, lastIndex), nil
}

// Close implements [cluster.Log].
func (l *log) Close() error {
	l.store.bus.removeLog(l)
	l.cancel()
	<-l.ended
	return nil
}
