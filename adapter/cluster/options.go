package cluster

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"
)

// Options configure the nodes of a cluster. Zero stands for the default.
type Options struct {
	// HeartbeatInterval is how often a node says that it is there, unless it says
	// something else. Default 5 s.
	HeartbeatInterval time.Duration
	// HeartbeatTimeout is after how long without a word a node is taken for
	// dead: nobody waits for its answers any more. Default 10 s.
	HeartbeatTimeout time.Duration
	// AlwaysHeartbeat has heartbeats sent where the broker sees who is connected,
	// too. Default false: then only while there are nodes that need them.
	AlwaysHeartbeat bool
	// RequestTimeout ends requests whose context has no deadline. Default 5 s.
	RequestTimeout time.Duration
	// PublishTimeout limits how long the broker may take for a batch. Default 5 s.
	PublishTimeout time.Duration
	// MaxQueued limits the messages of one namespace that wait for the broker.
	// Beyond it an emit is served locally and returns [ErrSlow]. Default 16,384.
	MaxQueued int
	// Sequence numbers messages, so that repeated ones are dropped and lost ones
	// are noticed. Node nodes ignore the numbers. It wants a broker that brings
	// an answer to the one node it is for.
	Sequence bool
	// NewUID makes the id of a node. Default 16 hexadecimal digits.
	NewUID func() string
}

func (o *Options) withDefaults() *Options {
	var c Options
	if o != nil {
		c = *o
	}
	for _, d := range []struct {
		v    *time.Duration
		def  time.Duration
		name string
	}{
		{&c.HeartbeatInterval, 5 * time.Second, "HeartbeatInterval"},
		{&c.HeartbeatTimeout, 10 * time.Second, "HeartbeatTimeout"},
		{&c.RequestTimeout, 5 * time.Second, "RequestTimeout"},
		{&c.PublishTimeout, 5 * time.Second, "PublishTimeout"},
	} {
		if *d.v < 0 {
			panic(fmt.Sprintf("cluster: Options.%s: %v is negative", d.name, *d.v))
		}
		if *d.v == 0 {
			*d.v = d.def
		}
	}
	if c.HeartbeatTimeout <= c.HeartbeatInterval {
		panic(fmt.Sprintf("cluster: Options.HeartbeatTimeout: %v is not longer than HeartbeatInterval, %v", c.HeartbeatTimeout, c.HeartbeatInterval))
	}
	if c.MaxQueued < 0 {
		panic(fmt.Sprintf("cluster: Options.MaxQueued: %d is negative", c.MaxQueued))
	}
	if c.MaxQueued == 0 {
		c.MaxQueued = 1 << 14
	}
	if c.NewUID == nil {
		c.NewUID = RandomHex
	}
	return &c
}

// RandomHex returns 16 hexadecimal digits, as Node nodes and requests are named.
func RandomHex() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
