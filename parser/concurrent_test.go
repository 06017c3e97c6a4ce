package parser_test

import (
	"reflect"
	"sync"
	"testing"

	"github.com/sockeye-go/socketio/parser"
)

// A parser is shared by all connections: first use of a type by many at once,
// and every packet with its own attachments.
func TestConcurrentUse(t *testing.T) {
	type node struct {
		Name string
		Data blob
		Next *node
		More map[string]any
	}
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for j := range 100 {
				in := node{"n", blob{byte(i)}, &node{Data: blob{byte(j)}}, map[string]any{"x": []byte{byte(i), byte(j)}}}
				e, err := parser.JSON.Encode(parser.Header{Type: parser.Ack, ID: int64(j)}, in)
				if err != nil {
					t.Error(err)
					return
				}
				var out node
				p := reassemble(t, e)
				if err := parser.JSON.Unmarshal(p.Args[0], p.Attachments, &out); err != nil || !reflect.DeepEqual(in, out) || p.ID != int64(j) {
					t.Errorf("got %+v, %v; want %+v", out, err, in)
					return
				}
			}
		})
	}
	wg.Wait()
}
