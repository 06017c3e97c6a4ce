package poll_test

import (
	"runtime"
	"testing"

	"github.com/sockeye-go/socketio/internal/poll"
)

// TestTurn: on one core, who has something to read is served between two turns of
// somebody who goes on and on, and does not wait for the runtime to look.
func TestTurn(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	server, client := tcpPair(t)
	r := newRecorder(t)
	c := poll.New(server, r)
	c.Start(nil)
	defer func() {
		c.Close()
		<-r.ended
	}()
	// A first message shows that all is set up.
	if _, err := client.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	<-r.batches
	late := 0
	for range 50 {
		if _, err := client.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		for turns := 1; ; turns++ {
			poll.Turn()
			if len(r.batches) > 0 {
				<-r.batches
				if turns > 4 { // some for the worker that is called
					late++
				}
				break
			}
		}
	}
	if late > 10 { // now and then the runtime does something else
		t.Errorf("%d of 50 messages were served later than after four turns", late)
	}
}
