//go:build !linux

package poll

import "net"

func newBackend(nc net.Conn, _ *Conn) backend { return newParked(nc) }
