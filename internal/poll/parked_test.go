package poll_test

import (
	"io"
	"net"
	"slices"
	"testing"

	"github.com/sockeye-go/socketio/internal/poll"
)

// A feeder is a connection of which each Read gets as many bytes as are next in its
// list, or as fit, and notes how many would have fitted.
type feeder struct {
	net.Conn
	sizes []int
	rooms []int
}

func (f *feeder) Read(p []byte) (int, error) {
	if len(f.sizes) == 0 {
		return 0, io.EOF
	}
	f.rooms = append(f.rooms, len(p))
	n := min(f.sizes[0], len(p))
	f.sizes = f.sizes[1:]
	return n, nil
}

func (f *feeder) Close() error { return nil }

// TestParkedBuffers: a connection that reads a lot gets larger buffers, step by step,
// so that a few bytes do not have it hold a large one, and gives them back. One that is
// a little too small is not tried again for each event.
func TestParkedBuffers(t *testing.T) {
	const small, medium, more, large, all = 112, 256, 4 << 10, 72 << 10, 1 << 20
	f := &feeder{sizes: []int{7, all, all, all, 100, all, 1000, all, 38, 150, 7, 7}}
	r := newRecorder(t)
	poll.New(f, r).Start(nil)
	<-r.ended
	want := []int{small, small, more, large, large, small, more, small, more, medium, medium, small}
	if !slices.Equal(f.rooms, want) {
		t.Errorf("buffers of %d; want %d", f.rooms, want)
	}
}
