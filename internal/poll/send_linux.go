//go:build linux && !race && !386 && !s390x

package poll

import (
	"syscall"
	"unsafe"
)

// send is write(2) for a socket: the kernel has less to look up on the way, 3% of a
// small write. Package syscall has no name for it without an address.
func send(fd int, b []byte) (int, error) {
	var n uintptr
	var errno syscall.Errno
	if watch.untold(len(b)) {
		n, _, errno = syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))),
			uintptr(len(b)), syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
	} else {
		n, _, errno = syscall.Syscall6(syscall.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))),
			uintptr(len(b)), syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
	}
	return result(n, errno)
}

// receive is read(2) for a socket.
func receive(fd int, b []byte) (int, error) {
	var n uintptr
	var errno syscall.Errno
	if watch.untold(len(b)) {
		n, _, errno = syscall.RawSyscall6(syscall.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))),
			uintptr(len(b)), syscall.MSG_DONTWAIT, 0, 0)
	} else {
		n, _, errno = syscall.Syscall6(syscall.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))),
			uintptr(len(b)), syscall.MSG_DONTWAIT, 0, 0)
	}
	return result(n, errno)
}

// writev writes what iov points to, size bytes. fd does not block.
func writev(fd int, iov []syscall.Iovec, size int) (int, error) {
	var n uintptr
	var errno syscall.Errno
	if watch.untold(size) {
		n, _, errno = syscall.RawSyscall(syscall.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(iov))), uintptr(len(iov)))
	} else {
		n, _, errno = syscall.Syscall(syscall.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(iov))), uintptr(len(iov)))
	}
	return result(n, errno)
}

// epollReady is epoll_wait(2) that does not wait.
func epollReady(fd int, events []syscall.EpollEvent) (int, error) {
	if !watch.untold(0) {
		return syscall.EpollWait(fd, events, 0)
	}
	n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(events))),
		uintptr(len(events)), 0, 0, 0)
	return result(n, errno)
}

func result(n uintptr, errno syscall.Errno) (int, error) {
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
