package batch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/batch"
	"github.com/sockeye-go/socketio/internal/lab"
	"github.com/sockeye-go/socketio/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestSizeAndInterval(t *testing.T) {
	lab.Run(t, nil, func(t *testing.T, l *lab.Lab) {
		c := l.Join("/", "")
		s, _ := l.Socket(c.ID)
		b := batch.ForSocket(s, &batch.Options{Size: 3})
		emit := func(event string, args ...any) {
			t.Helper()
			if err := b.Emit(event, args...); err != nil {
				t.Error(err)
			}
		}
		emit("a", 1)
		lab.Wait(100*time.Millisecond - 1)
		c.Want()
		lab.Wait(1)
		c.Want(`["batch",[{"event":"a","data":1}]]`)
		emit("a", 2)
		emit("b")
		emit("c", 1, "x")
		c.Want(`["batch",[{"event":"a","data":2},{"event":"b","args":[]},{"event":"c","args":[1,"x"]}]]`)
		lab.Wait(time.Hour) // no timer is left
		c.Want()
		emit("d", nil)
		s.Disconnect(false)
		c.Want(`["batch",[{"event":"d","data":null}]]`, "disconnect")
		lab.Wait(0)
		if err := b.Emit("e"); !errors.Is(err, socketio.ErrDisconnected) {
			t.Errorf("emit to one that is gone: %v", err)
		}
	})
}

func TestShutdown(t *testing.T) {
	lab.Run(t, nil, func(t *testing.T, l *lab.Lab) {
		c := l.Join("/", "")
		s, _ := l.Socket(c.ID)
		if err := batch.ForSocket(s, nil).Emit("a", 1); err != nil {
			t.Fatal(err)
		}
		if err := l.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := c.Take(); len(got) == 0 || got[0] != `["batch",[{"event":"a","data":1}]]` {
			t.Errorf("client got %q", got)
		}
	})
}

// A room, from many goroutines: nothing is lost or doubled, and what each emitted
// stays in order.
func TestRoomOrder(t *testing.T) {
	lab.Run(t, nil, func(t *testing.T, l *lab.Lab) {
		c := l.Join("/", "")
		s, _ := l.Socket(c.ID)
		if err := s.Join("room"); err != nil {
			t.Fatal(err)
		}
		b := batch.New(l.To("room"), nil)
		var wg sync.WaitGroup
		const writers, each = 8, 203
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					if err := b.Emit(fmt.Sprint(w), i); err != nil {
						t.Error(err)
					}
					if i%50 == 0 {
						time.Sleep(70 * time.Millisecond)
					}
				}
			})
		}
		wg.Wait()
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		next := map[string]int{}
		batches := c.Take()
		for _, packet := range batches {
			items, err := batch.Parse([]byte(strings.TrimSuffix(strings.TrimPrefix(packet, `["batch",`), "]")))
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range items {
				if got := string(i.Args[0]); got != fmt.Sprint(next[i.Event]) {
					t.Fatalf("writer %s: got %s; want %d", i.Event, got, next[i.Event])
				}
				next[i.Event]++
			}
		}
		for w := range writers {
			if n := next[fmt.Sprint(w)]; n != each {
				t.Errorf("writer %d: %d events; want %d", w, n, each)
			}
		}
		if len(batches) > writers*each/10+60 {
			t.Errorf("%d batches for %d events", len(batches), writers*each)
		}
	})
}

func TestUnbatch(t *testing.T) {
	lab.Run(t, nil, func(t *testing.T, l *lab.Lab) {
		var got []string
		l.OnConnection(func(_ context.Context, s *socketio.Socket) error {
			batch.Unbatch(s, "", func(_ context.Context, event string, args []json.RawMessage) error {
				got = append(got, fmt.Sprintf("%s%s", event, args))
				return nil
			})
			return nil
		})
		c := l.Join("/", "")
		c.Emit("batch", []any{map[string]any{"event": "a", "data": 1}, map[string]any{"event": "b"}, map[string]any{"event": "c", "args": []int{1, 2}}})
		c.Emit("batch")
		c.Emit("batch", 7)
		c.Want()
		if text := strings.Join(got, " "); text != "a[1] b[null] c[1 2]" {
			t.Errorf("got %s", text)
		}
	})
}

func TestEncodingError(t *testing.T) {
	lab.Run(t, nil, func(t *testing.T, l *lab.Lab) {
		b := batch.New(l, nil)
		if err := b.Emit("a", func() {}); err != nil {
			t.Fatal(err)
		}
		lab.Wait(time.Second)
		if err := b.Emit("b"); err == nil {
			t.Error("a batch that does not encode is nobody's error")
		}
		if err := b.Close(); err != nil {
			t.Errorf("and the next is well: %v", err)
		}
	})
}

func TestBadOptions(t *testing.T) {
	for field, o := range map[string]*batch.Options{"Size": {Size: -1}, "Interval": {Interval: -1}} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.HasPrefix(text, "batch: Options."+field+":") {
					t.Errorf("panic %q", text)
				}
			}()
			batch.New(nil, o)
		}()
	}
}

// FuzzParse checks that what is taken apart is put together as it was.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`[{"event":"a","data":1},{"event":"b","args":[]},{"event":"c","args":[1,"x"]}]`))
	f.Add([]byte(`[{"event":"a"}]`))
	f.Add([]byte(`[{"data":1}]`))
	f.Fuzz(func(t *testing.T, in []byte) {
		first, err := batch.Parse(in)
		if err != nil {
			return
		}
		items := make([]batch.Item, len(first))
		for i, r := range first {
			items[i].Event = r.Event
			for _, a := range r.Args {
				items[i].Args = append(items[i].Args, a)
			}
		}
		wire, err := json.Marshal(items)
		if err != nil {
			t.Fatal(err)
		}
		second, err := batch.Parse(wire)
		if err != nil {
			t.Fatalf("%s became %s: %v", in, wire, err)
		}
		again, _ := json.Marshal(second)
		if before, _ := json.Marshal(first); string(again) != string(before) {
			t.Errorf("%s became %s", before, again)
		}
	})
}
