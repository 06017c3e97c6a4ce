package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sockeye-go/socketio/adapter/cluster"
)

// Options configure [New] and [NewEmitter]. Zero stands for the default.
type Options struct {
	// ChannelPrefix begins the names of the channels. Default "socket.io". All
	// nodes must have the same.
	ChannelPrefix string
	// Table is where messages go that NOTIFY cannot carry (tableName in
	// JavaScript); a schema and a dot may precede it. Default
	// "socket_io_attachments". It is made if it is not there.
	Table string
	// PayloadThreshold is from how many bytes on a message goes through the table.
	// Default, and most: 7999, all that NOTIFY carries.
	PayloadThreshold int
	// CleanupInterval is how long a message stays in the table at least. Default
	// 30 s.
	CleanupInterval time.Duration
	// LogPrefix begins the names of the tables of [NewLog] and [NewLogEmitter]; a
	// schema and a dot may precede it. Default "socket_io_". They are made if they
	// are not there.
	LogPrefix string
	// LogLength is how many messages of a namespace the log keeps at most; older
	// than clients may come back to are removed anyway. Default 100,000.
	LogLength int
	// Key, if set, has nodes prove by HMAC-SHA256 that messages, the log and sessions
	// come from one of them: who can reach the database cannot speak for a node without
	// it. All nodes and emitters need the same, of 16 bytes or more; what does not fit
	// is dropped. Node servers have none, and stay outside.
	Key []byte
	// Connect makes the connection to listen on; it is closed with the last
	// namespace. Default: one out of the pool. Behind a transaction pooler it has
	// to go past it, to the same database.
	Connect func(context.Context) (*pgx.Conn, error)

	// HeartbeatInterval is how often a node says that it is there, while there are
	// Node servers in the cluster. Default 5 s, as in Node.
	HeartbeatInterval time.Duration
	// HeartbeatTimeout is after how long without a word a Node server is taken for
	// dead. Default 10 s, as in Node.
	HeartbeatTimeout time.Duration
	// AlwaysHeartbeat has heartbeats sent without Node servers too. Default false:
	// each is a transaction, which a quiet database is better off without.
	AlwaysHeartbeat bool

	// RequestTimeout ends requests whose context has no deadline. Default 5 s.
	RequestTimeout time.Duration
	// PublishTimeout limits how long the database may take for a batch. Default
	// 5 s.
	PublishTimeout time.Duration
	// MaxQueued limits the messages of one namespace that wait for the database.
	// Default 16,384.
	MaxQueued int
	// Logger gets what concerns the table. Default: slog.Default.
	Logger *slog.Logger
}

// maxPayload is what NOTIFY carries, in bytes.
const maxPayload = 7999

// maxName is how long the name of a channel may be, in bytes.
const maxName = 63

// Places of seals: what is said at one cannot be said at another.
func (o *Options) logPlace(row string) string     { return "log " + row }
func (o *Options) sessionPlace(key string) string { return "session " + key }

// A notice says itself to whom it goes; of what is in the table another part says it,
// that is not sealed.
func noticePlace(channel string) string         { return "notice " + channel }
func attachmentPlace(channel, to string) string { return "attachment " + to + " " + channel }

var tableName = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_$]*\.)?[A-Za-z_][A-Za-z0-9_$]*$`)

func (o *Options) withDefaults() *Options {
	var c Options
	if o != nil {
		c = *o
	}
	if c.ChannelPrefix == "" {
		c.ChannelPrefix = "socket.io"
	}
	if len(c.ChannelPrefix) > 30 || !plain(c.ChannelPrefix) {
		panic(fmt.Sprintf("postgres: Options.ChannelPrefix: %q is no text of at most 30 bytes", c.ChannelPrefix))
	}
	if c.Table == "" {
		c.Table = "socket_io_attachments"
	}
	if !tableName.MatchString(c.Table) {
		panic(fmt.Sprintf("postgres: Options.Table: %q is no name of a table", c.Table))
	}
	if c.PayloadThreshold == 0 {
		c.PayloadThreshold = maxPayload
	}
	if c.PayloadThreshold < 0 || c.PayloadThreshold > maxPayload {
		panic(fmt.Sprintf("postgres: Options.PayloadThreshold: %d is not between 1 and %d", c.PayloadThreshold, maxPayload))
	}
	if c.CleanupInterval < 0 {
		panic(fmt.Sprintf("postgres: Options.CleanupInterval: %v is negative", c.CleanupInterval))
	}
	if c.CleanupInterval == 0 {
		c.CleanupInterval = 30 * time.Second
	}
	if c.LogPrefix == "" {
		c.LogPrefix = "socket_io_"
	}
	if !tableName.MatchString(c.LogPrefix) {
		panic(fmt.Sprintf("postgres: Options.LogPrefix: %q is no beginning of a table's name", c.LogPrefix))
	}
	if c.LogLength < 0 {
		panic(fmt.Sprintf("postgres: Options.LogLength: %d is negative", c.LogLength))
	}
	if c.LogLength == 0 {
		c.LogLength = 100_000
	}
	if c.Key != nil && len(c.Key) < 16 {
		panic("postgres: Options.Key: is shorter than 16 bytes")
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return &c
}

func (o *Options) cluster() *cluster.Options {
	return &cluster.Options{
		HeartbeatInterval: o.HeartbeatInterval, HeartbeatTimeout: o.HeartbeatTimeout, AlwaysHeartbeat: o.AlwaysHeartbeat,
		RequestTimeout: o.RequestTimeout, PublishTimeout: o.PublishTimeout, MaxQueued: o.MaxQueued,
		// Equal notifications of one transaction are delivered once: numbers make
		// each another. Answers reach one node alone, by format.go.
		Sequence: true,
	}
}
