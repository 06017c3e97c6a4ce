package forward

import (
	"net"
	"testing"
	"time"
)

// pair is a connection over TCP, and its other end.
func pair(t *testing.T) (near, far net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if far, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	if near, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	return near, far
}

// hidden is a connection that the kernel cannot be asked about.
type hidden struct{ net.Conn }

// TestUnread: a tunnel ends whose client does not read what is there for it, also
// when the other node has said all, and however it is carried.
func TestUnread(t *testing.T) {
	for name, wrap := range map[string]func(net.Conn) net.Conn{
		"by the kernel": func(c net.Conn) net.Conn { return c },
		"by hand":       func(c net.Conn) net.Conn { return hidden{c} },
	} {
		t.Run(name, func(t *testing.T) {
			f, err := New(&Options{Address: "127.0.0.1:1", Key: make([]byte, minKey)})
			if err != nil {
				t.Fatal(err)
			}
			f.patience = 100 * time.Millisecond
			front, client := pair(t)
			back, owner := pair(t)
			x, err := f.begin()
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				x.carry(wrap(front), back, []byte("101"), nil)
			}()
			said := make(chan struct{})
			go func() {
				defer close(said)
				_, _ = owner.Write(make([]byte, 64<<20)) // more than buffers hold
				owner.Close()
			}()
			select {
			case <-ended:
			case <-time.After(30 * time.Second):
				t.Error("the tunnel stays")
				client.Close()
				<-ended
			}
			<-said
			if n := f.Stats().Open; n != 0 {
				t.Errorf("%d are being forwarded", n)
			}
		})
	}
}
