package faults

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	natsd "github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	goredis "github.com/redis/go-redis/v9"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/nats"
	"github.com/sockeye-go/socketio/adapter/postgres"
	"github.com/sockeye-go/socketio/adapter/redis"
	"github.com/sockeye-go/socketio/internal/faultproxy"
	"github.com/sockeye-go/socketio/internal/pgserver"
)

// brokerKinds are what can be between nodes, and which of them keep what was emitted,
// so that clients can recover.
var brokerKinds = []struct {
	name   string
	stores bool
}{
	{"Redis", false}, {"Redis sharded", false}, {"Redis interest", false}, {"Redis Streams", true},
	{"NATS", false}, {"JetStream", true}, {"Postgres", false}, {"Postgres log", true},
}

// Brokers are the servers behind them, each of which begins when it is first wanted.
type Brokers struct {
	redis, nats, postgres func() (addr string, err error)
	pg                    *pgserver.Server
	opened                atomic.Int64

	mu   sync.Mutex
	ends []func()
}

// NewBrokers begins nothing yet.
func NewBrokers() *Brokers {
	b := new(Brokers)
	b.redis = sync.OnceValues(b.startRedis)
	b.nats = sync.OnceValues(b.startNATS)
	b.postgres = sync.OnceValues(b.startPostgres)
	return b
}

// Close ends what has begun.
func (b *Brokers) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, end := range b.ends {
		end()
	}
	b.ends = nil
}

func (b *Brokers) atEnd(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ends = append(b.ends, f)
}

func (b *Brokers) startRedis() (string, error) {
	dir, err := os.MkdirTemp("", "faults-redis")
	if err != nil {
		return "", err
	}
	addrs, err := FreeAddrs(1)
	if err != nil {
		return "", err
	}
	r := &redisServer{dir: dir, addr: addrs[0]}
	b.atEnd(func() { _ = r.kill(); _ = os.RemoveAll(dir) })
	return r.addr, r.run()
}

func (b *Brokers) startNATS() (string, error) {
	dir, err := os.MkdirTemp("", "faults-nats")
	if err != nil {
		return "", err
	}
	s, err := natsd.NewServer(&natsd.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: dir, NoLog: true, NoSigs: true})
	if err != nil {
		return "", err
	}
	s.Start()
	b.atEnd(func() {
		s.Shutdown()
		s.WaitForShutdown()
		_ = os.RemoveAll(dir)
	})
	if !s.ReadyForConnections(settleTime) {
		return "", errors.New("the NATS server does not begin")
	}
	return s.Addr().String(), nil
}

func (b *Brokers) startPostgres() (string, error) {
	pg, err := pgserver.Start("max_connections=400")
	if err != nil {
		return "", err
	}
	b.atEnd(pg.Stop)
	b.pg = pg
	c, err := pgxpool.ParseConfig(pg.URL("postgres"))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("127.0.0.1:%d", c.ConnConfig.Port), nil
}

// A Broker is one of them for one cell, which has its names for itself, with a link to
// it for each node.
type Broker struct {
	links     []*faultproxy.Proxy
	factories []adapter.Factory
	ends      []func()
}

func (b *Broker) close() {
	for _, end := range b.ends {
		end()
	}
	for _, l := range b.links {
		l.Close()
	}
}

func (b *Brokers) open(kind string, nodes int) (_ *Broker, err error) {
	start := b.redis
	switch kind {
	case "NATS", "JetStream":
		start = b.nats
	case "Postgres", "Postgres log":
		start = b.postgres
	}
	addr, err := start()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	own := fmt.Sprintf("cell%d", b.opened.Add(1))
	broker := new(Broker)
	for range nodes {
		link := faultproxy.Listen(addr)
		link.Eager() // NATS speaks first
		broker.links = append(broker.links, link)
		f, end, err := b.factory(kind, own, link.Addr())
		if err != nil {
			broker.close()
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
		broker.factories = append(broker.factories, f)
		broker.ends = append(broker.ends, end)
	}
	return broker, nil
}

// factory makes the adapter of one node, whose names begin with own.
func (b *Brokers) factory(kind, own, addr string) (adapter.Factory, func(), error) {
	switch kind {
	case "NATS", "JetStream":
		c, err := natsgo.Connect("nats://"+addr, natsgo.MaxReconnects(-1), natsgo.ReconnectWait(20*time.Millisecond),
			natsgo.IgnoreDiscoveredServers(), natsgo.ReconnectJitter(0, 0))
		if err != nil {
			return nil, nil, err
		}
		o := &nats.Options{Prefix: own}
		if kind == "JetStream" {
			o.JetStream = &nats.JetStream{MaxBytes: 32 << 20}
		}
		return nats.New(c, o), c.Close, nil
	case "Postgres", "Postgres log":
		config, err := pgxpool.ParseConfig(b.pg.URL("postgres"))
		if err != nil {
			return nil, nil, err
		}
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, nil, err
		}
		config.ConnConfig.Host = host
		if _, err := fmt.Sscan(port, &config.ConnConfig.Port); err != nil {
			return nil, nil, err
		}
		config.ConnConfig.Fallbacks = nil
		pool, err := pgxpool.NewWithConfig(context.Background(), config)
		if err != nil {
			return nil, nil, err
		}
		o := &postgres.Options{ChannelPrefix: own, LogPrefix: own + "_", Table: own + "_attachments"}
		if kind == "Postgres" {
			return postgres.New(pool, o), pool.Close, nil
		}
		return postgres.NewLog(pool, o), pool.Close, nil
	}
	c := goredis.NewClient(&goredis.Options{Addr: addr})
	end := func() { _ = c.Close() }
	switch kind {
	case "Redis":
		return redis.New(c, &redis.Options{Key: own}), end, nil
	case "Redis sharded":
		return redis.NewSharded(c, &redis.ShardedOptions{ChannelPrefix: own}), end, nil
	case "Redis interest":
		return redis.NewInterest(c, &redis.InterestOptions{Prefix: own}), end, nil
	case "Redis Streams":
		return redis.NewStreams(c, &redis.StreamsOptions{Stream: own, ChannelPrefix: own, SessionPrefix: own + ":", Block: time.Second}), end, nil
	}
	return nil, nil, fmt.Errorf("no broker is called %q", kind)
}
