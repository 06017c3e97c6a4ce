package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/batch"
	"github.com/sockeye-go/socketio/client"
	"github.com/sockeye-go/socketio/parser"
	"github.com/sockeye-go/socketio/parser/msgpack"
)

// TestBatch: the events of a batch come to their own handlers, in order, whatever
// their arguments, and with either parser.
func TestBatch(t *testing.T) {
	for name, codec := range map[string]parser.Parser{"json": parser.JSON, "msgpack": msgpack.Parser} {
		for _, recovery := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " ", recovery), func(t *testing.T) {
				o := &socketio.Options{Parser: codec}
				if recovery { // appends an argument
					o.Recovery = &socketio.Recovery{}
				}
				srv := socketio.NewServer(o)
				defer srv.Close()
				type deep struct {
					Text string
					ID   int64
					Blob []byte
				}
				begin := socketio.NewEvent[socketio.None]("begin")
				begin.Handle(srv, func(_ context.Context, s *socketio.Socket, _ socketio.None) error {
					b := batch.ForSocket(s, nil)
					for i := range 3 {
						if err := b.Emit("deep", deep{"text", 1<<50 + int64(i), []byte{byte(i)}}); err != nil {
							return err
						}
					}
					if err := b.Emit("none"); err != nil {
						return err
					}
					if err := b.Emit("two", 1, []byte{9}); err != nil {
						return err
					}
					if err := b.Emit("null", nil); err != nil {
						return err
					}
					if err := b.Close(); err != nil {
						return err
					}
					return s.Emit("batch", "of something else")
				})
				hs := httptest.NewServer(srv)
				defer hs.Close()
				m, err := client.New(hs.URL, &client.Options{Parser: codec})
				if err != nil {
					t.Fatal(err)
				}
				defer m.Close()
				s := m.Socket("/")
				got := make(chan string, 20)
				s.OnAny(func(_ context.Context, m *socketio.Message) error { got <- "any " + m.Event(); return nil })
				socketio.NewEvent[deep]("deep").On(s, func(_ context.Context, d deep) error { got <- fmt.Sprint(d); return nil })
				s.On("two", func(_ context.Context, m *socketio.Message) error {
					var n int
					var b []byte
					err := m.Decode(&n, &b)
					got <- fmt.Sprint(n, b, m.Len())
					return err
				})
				if err := s.Connect(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := begin.Emit(s, socketio.None{}); err != nil {
					t.Fatal(err)
				}
				want := []string{
					"any deep", "{text 1125899906842624 [0]}", "any deep", "{text 1125899906842625 [1]}", "any deep", "{text 1125899906842626 [2]}",
					"any none", "any two", "1 [9] 2", "any null", "any batch",
				}
				var all []string
				for range want {
					select {
					case g := <-got:
						all = append(all, g)
					case <-s.Context().Done():
						t.Fatal(context.Cause(s.Context()))
					}
				}
				if !slices.Equal(all, want) {
					t.Errorf("%q, want %q", all, want)
				}
			})
		}
	}
}

// TestBatchOfOnesOwn: who has a handler for "batch" gets it whole.
func TestBatchOfOnesOwn(t *testing.T) {
	srv, m := start(t, nil)
	s := m.Socket("/")
	whole := make(chan int, 1)
	s.On("price", func(context.Context, *socketio.Message) error { t.Error("taken apart"); return nil })
	off := batch.Unbatch(s, "", func(_ context.Context, event string, _ []json.RawMessage) error {
		if event == "price" {
			whole <- 1
		}
		return nil
	})
	defer off()
	if err := s.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := batch.New(srv, nil)
	if err := b.Emit("price", 1); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	<-whole
}
