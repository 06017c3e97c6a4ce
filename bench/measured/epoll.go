//go:build linux

package measured

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"
	"syscall"

	"github.com/sockeye-go/socketio/internal/ws"
)

// An epollServer answers what the reference answers, on one thread that waits
// for all connections, without net/http and without a goroutine or a buffer per
// connection: about the limit of what Go can do over TCP.
type epollServer struct {
	set   int
	ref   *reference
	conns []*epollConn // by descriptor
}

type epollConn struct {
	fd     int
	open   bool // the handshake is done
	parser ws.Parser
	head   []byte // of a handshake that is incomplete
	binID  []byte
}

// Write tries again where the kernel is full: the load always reads.
func (c *epollConn) Write(b []byte) (int, error) {
	for done := 0; done < len(b); {
		n, err := syscall.Write(c.fd, b[done:])
		switch {
		case n > 0:
			done += n
		case err != syscall.EAGAIN && err != syscall.EINTR:
			return done, err
		}
	}
	return len(b), nil
}

func serveEpoll(ln net.Listener) error {
	runtime.LockOSThread()
	f, err := ln.(*net.TCPListener).File()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(f) // or its finalizer would close the descriptor
	listener := int(f.Fd())
	if err := syscall.SetNonblock(listener, true); err != nil {
		return err
	}
	set, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	s := &epollServer{set: set, ref: newReference()}
	if err := syscall.EpollCtl(set, syscall.EPOLL_CTL_ADD, listener, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(listener)}); err != nil {
		return err
	}
	events := make([]syscall.EpollEvent, 256)
	buf, out := make([]byte, 64<<10), []byte(nil)
	for {
		n, err := syscall.EpollWait(set, events, -1)
		if err != nil && err != syscall.EINTR {
			return os.NewSyscallError("epoll_wait", err)
		}
		for _, ev := range events[:max(n, 0)] {
			if int(ev.Fd) == listener {
				s.accept(listener)
				continue
			}
			c := s.conns[ev.Fd]
			n, err := syscall.Read(c.fd, buf)
			if err == syscall.EAGAIN || err == syscall.EINTR {
				continue
			}
			out, err = s.read(c, buf[:max(n, 0)], out[:0])
			if n <= 0 || err != nil {
				_ = syscall.Close(c.fd)
				s.conns[ev.Fd] = nil
				continue
			}
			if len(out) > 0 {
				_, _ = c.Write(out)
			}
		}
	}
}

func (s *epollServer) accept(listener int) {
	for {
		fd, _, err := syscall.Accept4(listener, syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
		if err != nil {
			return
		}
		_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
		if fd >= len(s.conns) {
			s.conns = append(s.conns, make([]*epollConn, fd+1-len(s.conns))...)
		}
		c := &epollConn{fd: fd}
		c.parser.Init(ws.Server, 1<<20)
		s.conns[fd] = c
		_ = syscall.EpollCtl(s.set, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)})
	}
}

// read appends the answer to in.
func (s *epollServer) read(c *epollConn, in, out []byte) ([]byte, error) {
	if !c.open {
		c.head = append(c.head, in...)
		end := bytes.Index(c.head, []byte("\r\n\r\n"))
		if end < 0 {
			return out, nil
		}
		const name = "sec-websocket-key: "
		at := bytes.Index(bytes.ToLower(c.head), []byte(name))
		if at < 0 {
			return out, errors.New("no key")
		}
		key, _, _ := bytes.Cut(c.head[at+len(name):], []byte("\r\n"))
		key = slices.Clip(key)
		sum := sha1.Sum(append(key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"...))
		out = fmt.Appendf(out, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", base64.StdEncoding.EncodeToString(sum[:]))
		out = append(out, openFrame...)
		in, c.head, c.open = c.head[end+4:], nil, true
	}
	for len(in) > 0 {
		m, n, ok, err := c.parser.Next(in)
		if err != nil {
			return out, err
		}
		in = in[n:]
		if ok {
			out = s.ref.answer(out, c, m, &c.binID)
		}
	}
	return out, nil
}
