package redis

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/cluster"
)

// streams are a [cluster.Store]: each stream is the log of some namespaces.
type streams struct {
	o   StreamsOptions
	own *ownClient
	sub subscribing

	mu      sync.Mutex
	readers map[string]*streamReader // by stream
}

// Open implements [cluster.Store].
func (s *streams) Open(nsp, uid string, recovery *adapter.Recovery, r cluster.LogReader) (cluster.Log, error) {
	l := &streamLog{streams: s, nsp: nsp, uid: uid, r: r, stream: s.streamName(nsp), maxLen: s.o.MaxLen}
	if l.maxLen == 0 {
		l.maxLen = 10_000
		if recovery != nil {
			l.maxLen = recovery.MaxPackets
		}
	}
	l.client = s.own.use()
	s.mu.Lock()
	defer s.mu.Unlock()
	reader := s.readers[l.stream]
	if reader == nil {
		reader = &streamReader{streams: s, stream: l.stream}
		if err := reader.open(); err != nil {
			s.own.release()
			return nil, err
		}
		s.readers[l.stream] = reader
	}
	reader.add(l)
	l.reader = reader
	return l, nil
}

// A streamLog is the log of one namespace.
type streamLog struct {
	*streams
	nsp, uid, stream string
	maxLen           int
	client           goredis.UniversalClient
	r                cluster.LogReader
	reader           *streamReader
	start            cluster.Position
	once             sync.Once
}

// Start implements [cluster.Log].
func (l *streamLog) Start() cluster.Position { return l.start }

// appendedAtOnce is how many entries one script adds, so that Redis is not kept
// from its other clients for long.
const appendedAtOnce = 128

// numbersLive is how long Redis remembers the number of the last entry of a node.
const numbersLive = time.Hour

// Append implements [cluster.Log].
func (l *streamLog) Append(ctx context.Context, ms []*cluster.Message) error {
	var left error
	keys := []string{l.stream, besides(l.stream, ":seq:"+l.uid)}
	for part := range slices.Chunk(ms, appendedAtOnce) {
		args := []any{l.maxLen, numbersLive.Milliseconds()}
		for _, m := range part {
			data, err := encodeEntry(m)
			if err != nil {
				left = &cluster.EncodeError{Err: err}
				continue
			}
			args = append(args, m.Seq, m.UID, m.NSP, int(m.Type), data)
		}
		if err := appendScript.Run(ctx, l.client, keys, args...).Err(); err != nil {
			return err
		}
	}
	return left
}

// encodeEntry is the field data of an entry: JSON, or MessagePack in base 64.
func encodeEntry(m *cluster.Message) (string, error) {
	b, err := cluster.EncodeData(m)
	if err != nil {
		return "", err
	}
	if len(b) > 0 && b[0] != '{' {
		return base64.StdEncoding.EncodeToString(b), nil
	}
	return string(b), nil
}

func decodeEntry(x goredis.XMessage) (*cluster.Message, error) {
	text := func(field string) string {
		s, _ := x.Values[field].(string)
		return s
	}
	pos, ok := cluster.ParsePosition(x.ID)
	if !ok {
		return nil, errors.New("redis: entry without id")
	}
	m := &cluster.Message{UID: text("uid"), NSP: text("nsp"), Position: pos}
	m.Seq, _ = strconv.ParseUint(text("seq"), 10, 64)
	t, err := strconv.ParseUint(text("type"), 10, 8)
	if err != nil {
		return nil, err
	}
	m.Type = cluster.Type(t)
	data := []byte(text("data"))
	if len(data) > 0 && data[0] != '{' {
		if data, err = base64.StdEncoding.DecodeString(string(data)); err != nil {
			return nil, err
		}
	}
	return m, cluster.DecodeData(m, data)
}

// decodeEntries returns the messages of one namespace. What is none is skipped.
func decodeEntries(xs []goredis.XMessage, nsp string) []*cluster.Message {
	var ms []*cluster.Message
	for _, x := range xs {
		if x.Values["nsp"] != nsp {
			continue
		}
		if m, err := decodeEntry(x); err == nil {
			ms = append(ms, m)
		}
	}
	return ms
}

// next is the first position behind one. (Exclusive ranges would do without; what
// reads a stream is the same for Redis before 6.2.)
func next(p cluster.Position) cluster.Position {
	if p.Minor++; p.Minor == 0 {
		p.Major++
	}
	return p
}

const entriesAtOnce = 1000

// After implements [cluster.Log].
func (l *streamLog) After(ctx context.Context, p cluster.Position) ([]*cluster.Message, error) {
	for {
		xs, err := l.client.XRangeN(ctx, l.stream, next(p).String(), "+", entriesAtOnce).Result()
		if err != nil || len(xs) == 0 {
			return nil, err
		}
		if ms := decodeEntries(xs, l.nsp); len(ms) > 0 {
			return ms, nil
		}
		last, ok := cluster.ParsePosition(xs[len(xs)-1].ID)
		if !ok {
			return nil, errors.New("redis: entry without id")
		}
		p = last
	}
}

// Reaches implements [cluster.Log].
func (l *streamLog) Reaches(ctx context.Context, p cluster.Position) (bool, error) {
	return reaches(ctx, l.client, l.stream, p)
}

// reaches reports whether a stream has everything behind a position: if it has
// what is there, or something before.
func reaches(ctx context.Context, c goredis.UniversalClient, stream string, p cluster.Position) (bool, error) {
	if p == (cluster.Position{}) { // there was nothing
		info, err := c.XInfoStream(ctx, stream).Result()
		if err != nil && goredis.HasErrorPrefix(err, "ERR no such key") {
			return true, nil
		}
		return err == nil && info.EntriesAdded == info.Length, err
	}
	xs, err := c.XRangeN(ctx, stream, "-", p.String(), 1).Result()
	return len(xs) > 0, err
}

// Head implements [cluster.Log].
func (l *streamLog) Head(ctx context.Context) (cluster.Position, error) {
	return head(ctx, l.client, l.stream)
}

func head(ctx context.Context, c goredis.UniversalClient, stream string) (cluster.Position, error) {
	xs, err := c.XRevRangeN(ctx, stream, "+", "-", 1).Result()
	if err != nil || len(xs) == 0 {
		return cluster.Position{}, err
	}
	p, ok := cluster.ParsePosition(xs[0].ID)
	if !ok {
		return p, errors.New("redis: entry without id")
	}
	return p, nil
}

// Save implements [cluster.Log]. The value is in base 64, as Node has it.
func (l *streamLog) Save(ctx context.Context, rs []*cluster.Record) error {
	values := make([]string, len(rs))
	for i, r := range rs {
		if r.Value != nil {
			values[i] = base64.StdEncoding.EncodeToString(r.Value)
		}
	}
	cmds, err := runAll(ctx, l.client, saveScript, len(rs), func(i int) ([]string, []any) {
		version := rs[i].Version
		if rs[i].Always {
			version = "*"
		}
		return []string{l.o.SessionPrefix + rs[i].Key}, []any{version, values[i], max(rs[i].TTL.Milliseconds(), 1)}
	})
	if err != nil {
		return err
	}
	for i, r := range rs {
		n, err := cmds[i].Int()
		if err != nil {
			return err
		}
		if r.Conflict = n == 0; !r.Conflict && r.Value != nil {
			r.Version = versionOf(values[i])
		}
	}
	return nil
}

// Load implements [cluster.Log].
func (l *streamLog) Load(ctx context.Context, key string) ([]byte, string, error) {
	s, err := l.client.Get(ctx, l.o.SessionPrefix+key).Result()
	if errors.Is(err, goredis.Nil) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return []byte{}, versionOf(s), nil // of somebody who writes otherwise
	}
	return b, versionOf(s), nil
}

// Close implements [cluster.Log].
func (l *streamLog) Close() error {
	l.once.Do(func() {
		l.mu.Lock()
		last := l.reader.remove(l)
		if last {
			delete(l.readers, l.stream)
		}
		l.mu.Unlock()
		if last {
			l.reader.close()
		} else {
			l.reader.settle()
		}
		l.own.release()
	})
	return nil
}
