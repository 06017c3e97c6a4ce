package poll

import (
	"net"
	"syscall"
	"time"
)

// userTimeout is TCP_USER_TIMEOUT, for which package syscall has no name.
const userTimeout = 18

func (d *descriptor) patience(t time.Duration) { _ = setUserTimeoutOf(int(d.fd), t) }

// setUserTimeout reports false where there is no TCP, or it has ended.
func setUserTimeout(nc net.Conn, t time.Duration) (done bool) {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return false
	}
	if raw, err := tcp.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { done = setUserTimeoutOf(int(fd), t) })
	}
	return done
}

func setUserTimeoutOf(fd int, t time.Duration) bool {
	return syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, userTimeout, int(t.Milliseconds())) == nil
}
