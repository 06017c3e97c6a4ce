//go:build !linux

package poll

import (
	"net"
	"time"
)

func newBackend(nc net.Conn, _ *Conn) backend { return newParked(nc) }

func setUserTimeout(net.Conn, time.Duration) bool { return false }
