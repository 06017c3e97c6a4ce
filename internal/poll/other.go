//go:build !linux

package poll

import (
	"net"
	"runtime"
	"time"
)

func (c *Conn) sys() backend { return c.parked }

func (c *Conn) takeDescriptor(net.Conn) bool { return false }

func setUserTimeout(net.Conn, time.Duration) bool { return false }

// Turn lets others have their turn in the middle of something long.
func Turn() { runtime.Gosched() }
