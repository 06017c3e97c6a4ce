//go:build !linux

package poll

import (
	"net"
	"runtime"
	"time"
)

func newBackend(nc net.Conn, _ *Conn) backend { return newParked(nc) }

func setUserTimeout(net.Conn, time.Duration) bool { return false }

// Turn lets others have their turn in the middle of something long.
func Turn() { runtime.Gosched() }
