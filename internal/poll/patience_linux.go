package poll

import (
	"net"
	"syscall"
	"time"
)

// userTimeout is TCP_USER_TIMEOUT, for which package syscall has no name.
const userTimeout = 18

func (d *descriptor) patience(t time.Duration) { setUserTimeoutOf(int(d.fd), t) }

// setUserTimeout does nothing where there is no TCP, nor to what has ended.
func setUserTimeout(nc net.Conn, t time.Duration) {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return
	}
	if raw, err := tcp.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { setUserTimeoutOf(int(fd), t) })
	}
}

func setUserTimeoutOf(fd int, t time.Duration) {
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, userTimeout, int(t.Milliseconds()))
}
