package nats

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/sockeye-go/socketio/adapter/cluster"
)

// Records are the last messages of their subjects. One that has been deleted is
// followed by an empty one, which goes after a while: a deletion can be made
// conditional in no other way.

// tombstone is how long the empty one stays.
const tombstone = time.Minute

// savedTogether is how many records are under way at the same time.
const savedTogether = 64

// Save implements [cluster.Log].
func (l *log) Save(ctx context.Context, rs []*cluster.Record) error {
	var wg sync.WaitGroup
	slots := make(chan struct{}, savedTogether)
	errs := make([]error, len(rs))
	for i, r := range rs {
		slots <- struct{}{}
		wg.Go(func() {
			errs[i] = l.save(ctx, r)
			<-slots
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (l *log) save(ctx context.Context, r *cluster.Record) error {
	for {
		var opts []jetstream.PublishOpt
		if !r.Always {
			expected, err := strconv.ParseUint(r.Version, 10, 64)
			if r.Version != "" && err != nil {
				r.Conflict = true
				return nil
			}
			opts = append(opts, jetstream.WithExpectLastSequencePerSubject(expected))
		}
		seq, err := l.put(ctx, r.Key, r.Value, r.TTL, opts...)
		if err == nil {
			r.Version = ""
			if r.Value != nil {
				r.Version = strconv.FormatUint(seq, 10)
			}
			return nil
		}
		if !wrongSequence(err) {
			return err
		}
		is, err := l.get(ctx, r.Key)
		switch {
		case err != nil:
			return err
		case is == nil && r.Version != "": // it is gone
			r.Conflict = true
			return nil
		case is == nil: // never there, or nothing but an expectation too old
			continue
		case r.Value != nil && bytes.Equal(is.value, r.Value): // written before
			r.Version = strconv.FormatUint(is.seq, 10)
			return nil
		case len(is.value) == 0 && r.Version == "": // deleted: as if it were not there
			seq, err := l.put(ctx, r.Key, r.Value, r.TTL, jetstream.WithExpectLastSequencePerSubject(is.seq))
			if wrongSequence(err) {
				continue
			}
			if err == nil {
				r.Version = strconv.FormatUint(seq, 10)
			}
			return err
		case len(is.value) == 0 && r.Value == nil: // deleted before
			r.Version = ""
			return nil
		}
		r.Conflict = true
		return nil
	}
}

// put writes a record, or the sign that it is deleted.
func (l *log) put(ctx context.Context, key string, value []byte, ttl time.Duration, opts ...jetstream.PublishOpt) (seq uint64, err error) {
	subject := l.subjects.session(key)
	var data []byte
	if value == nil {
		ttl = tombstone
	} else {
		data = l.store.bus.o.seal(subject, bytes.Clone(value))
	}
	if ttl > 0 {
		opts = append(opts, jetstream.WithMsgTTL((ttl + time.Second - 1).Truncate(time.Second)))
	}
	err = patiently(ctx, func(ctx context.Context) error {
		ack, err := l.store.js.PublishMsg(ctx, &natsgo.Msg{Subject: subject, Data: data}, opts...)
		if err == nil {
			seq = ack.Sequence
		}
		return err
	})
	return seq, err
}

// inProcess is what JetStream says of a message that it has been given before, and
// does not know yet whether it has it.
const inProcess = 10158

// patiently asks again as long as servers have no leader, which answers. What was
// written and not answered is written again, under the same condition.
func patiently(ctx context.Context, f func(context.Context) error) error {
	for {
		asking, cancel := context.WithTimeout(ctx, askTimeout)
		err := f(asking)
		cancel()
		var api *jetstream.APIError
		switch {
		case err == nil, errors.As(err, &api) && api.Code < 500 && api.ErrorCode != inProcess:
			return err
		case !wait(ctx, retryWait):
			return errors.Join(err, context.Cause(ctx))
		}
	}
}

func wrongSequence(err error) bool {
	api, ok := errors.AsType[*jetstream.APIError](err)
	return ok && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}

// A stored record; value is empty if it has been deleted.
type stored struct {
	value []byte
	seq   uint64
}

// get asks the server that leads the stream, for others may be behind.
func (l *log) get(ctx context.Context, key string) (*stored, error) {
	var m *jetstream.RawStreamMsg
	err := patiently(ctx, func(ctx context.Context) (err error) {
		m, err = l.store.sessions.Load().GetLastMsgForSubject(ctx, l.subjects.session(key))
		return err
	})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if len(m.Data) == 0 {
		return &stored{seq: m.Sequence}, nil
	}
	value, ok := l.store.bus.o.open(m.Subject, m.Data)
	if !ok {
		value = nil // not from a node of ours: as if it were deleted
	}
	return &stored{value, m.Sequence}, nil
}

// Load implements [cluster.Log].
func (l *log) Load(ctx context.Context, key string) ([]byte, string, error) {
	is, err := l.get(ctx, key)
	if err != nil || is == nil || len(is.value) == 0 {
		return nil, "", err
	}
	return is.value, strconv.FormatUint(is.seq, 10), nil
}
