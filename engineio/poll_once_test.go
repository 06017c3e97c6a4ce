package engineio_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/sockeye-go/socketio/engineio"
)

// A poll whose connection breaks before its answer ends the session, and is not
// made again behind our back: what it was answered with is lost.
func TestPollIsNotRepeated(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var polls atomic.Int32
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				in := bufio.NewReader(c)
				for {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					if r.Method != http.MethodGet || r.ContentLength != 0 || len(r.TransferEncoding) > 0 {
						t.Errorf("%s with %d bytes, %v", r.Method, r.ContentLength, r.TransferEncoding)
					}
					answer := `0{"sid":"AAAAAAAAAAAAAAAAAAAA","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`
					if r.URL.Query().Has("sid") {
						if polls.Add(1) > 1 {
							return // taken, and never answered
						}
						answer = "4first"
					}
					fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer)
				}
			}()
		}
	}()
	rec := &recorder{more: make(chan struct{}, 1), closed: make(chan struct{})}
	s, err := engineio.Dial(t.Context(), "http://"+l.Addr().String()+"/", &engineio.DialOptions{Transports: []string{engineio.Polling}},
		func(*engineio.ClientSession) engineio.Receiver { return rec })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := rec.waitClosed(t); got != engineio.TransportError {
		t.Errorf("ended with %q", got)
	}
	if got := rec.messages(); len(got) != 1 || got[0] != "first" {
		t.Errorf("got %q", got)
	}
	if n := polls.Load(); n != 2 {
		t.Errorf("%d polls; want 2", n)
	}
}
