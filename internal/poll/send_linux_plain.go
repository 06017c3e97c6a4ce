//go:build linux && (race || 386 || s390x)

package poll

import (
	"syscall"
	"unsafe"
)

// The race detector knows what read and write order; the two architectures have
// another way to the same calls.

func send(fd int, b []byte) (int, error)    { return syscall.Write(fd, b) }
func receive(fd int, b []byte) (int, error) { return syscall.Read(fd, b) }

func writev(fd int, iov []syscall.Iovec, _ int) (int, error) {
	n, _, errno := syscall.Syscall(syscall.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(iov))), uintptr(len(iov)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

func epollReady(fd int, events []syscall.EpollEvent) (int, error) {
	return syscall.EpollWait(fd, events, 0)
}
