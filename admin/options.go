package admin

import (
	"cmp"
	"context"
	"crypto/subtle"
	"fmt"
	"os"

	"golang.org/x/crypto/bcrypt"
)

// Options say who may look, and how much is shown. Auth must be set; zero stands
// for the default of every other field.
type Options struct {
	// Namespace is where the pages connect. Default "/admin".
	Namespace string
	// Auth decides who may look: [Basic], a function of your own, or [NoAuth].
	Auth Authenticator
	// ReadOnly takes away emit, join, leave and disconnect.
	ReadOnly bool
	// ServerID names this node. Default: the name of the host and the id of the
	// process.
	ServerID string
	// Sessions remembers who has logged in, so that a page need not ask again.
	// Default: the memory of this node, for a day. Nodes behind one address need
	// one that they share.
	Sessions SessionStore
	// MaxSockets is how many sockets this node may have for each to be shown.
	// Above it the pages get sums. Default 1,000.
	MaxSockets int
	// MaxEvents is how many events a second are shown. Others are counted only.
	// Default 200.
	MaxEvents int
}

func (o *Options) withDefaults() *Options {
	var c Options
	if o != nil {
		c = *o
	}
	if c.Auth == nil {
		panic("admin: Options.Auth: must be set; NoAuth lets everybody in")
	}
	if c.Namespace == "" {
		c.Namespace = "/admin"
	}
	if c.ServerID == "" {
		c.ServerID = defaultServerID()
	}
	if c.Sessions == nil {
		c.Sessions = newMemorySessions()
	}
	defaultTo("Options.MaxSockets", &c.MaxSockets, 1000)
	defaultTo("Options.MaxEvents", &c.MaxEvents, 200)
	return &c
}

// defaultTo sets a number that is not set.
func defaultTo(name string, n *int, value int) {
	if *n < 0 {
		panic(fmt.Sprintf("admin: %s: %d is negative", name, *n))
	}
	*n = cmp.Or(*n, value)
}

func defaultServerID() string {
	host, _ := os.Hostname()
	return fmt.Sprintf("%s#%d", host, os.Getpid())
}

// An Authenticator reports whether somebody with this name and password may
// look. It is called for one page at a time.
type Authenticator func(ctx context.Context, username, password string) bool

// Basic admits one user, by the bcrypt hash of the password. It panics if that is
// none: it would lock everybody out.
func Basic(username, hash string) Authenticator {
	if _, err := bcrypt.Cost([]byte(hash)); err != nil {
		panic(fmt.Sprintf("admin: Basic: the password must be given as its bcrypt hash: %v", err))
	}
	return func(_ context.Context, name, password string) bool {
		// Both are compared, so that the time tells nothing about the name.
		err := bcrypt.CompareHashAndPassword([]byte(hash), []byte(password))
		return subtle.ConstantTimeCompare([]byte(name), []byte(username)) == 1 && err == nil
	}
}

// NoAuth admits everybody. It is for development.
func NoAuth(context.Context, string, string) bool { return true }
