package pressure_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/internal/leak"
	"github.com/sockeye-go/socketio/internal/pressure"
)

func TestMain(m *testing.M) { leak.Main(m) }

var held []byte

func TestWatch(t *testing.T) {
	runtime.GC()
	limit := pressure.Live() + 8<<20
	told := make(chan int64, 100)
	stop := pressure.Watch(limit, func(live int64) { told <- live })
	defer stop()
	runtime.GC()
	held = make([]byte, 16<<20)
	runtime.GC()
	if live := <-told; live <= limit {
		t.Errorf("told of %d live bytes; the limit is %d", live, limit)
	}
	held = nil
	for over := true; over; { // until it is told of the end
		runtime.GC()
		select {
		case live := <-told:
			over = live > limit
		case <-time.After(10 * time.Millisecond): // it was busy
		}
	}
	stop()
	held = make([]byte, 16<<20)
	runtime.GC()
	runtime.GC()
	held = nil
	if len(told) > 0 {
		t.Errorf("told of %d after stop", <-told)
	}
}
