package socketio

import (
	"fmt"
	"net/http"
	"testing"
)

// TestOnceLimit: of so many clients the sends are remembered, of one more they are not.
func TestOnceLimit(t *testing.T) {
	srv := NewServer(nil)
	defer srv.Close()
	enter := func(i int) *onceClient {
		return srv.once.enter(srv, &http.Request{Header: http.Header{OnceHeader: {fmt.Sprintf("%022d", i)}}})
	}
	for i := range maxOnceClients {
		if enter(i) == nil {
			t.Fatalf("client %d is not remembered", i)
		}
	}
	if n := srv.Stats().Limits["OnceClients"]; n != 0 {
		t.Errorf("at the limit: counted %d times", n)
	}
	if enter(maxOnceClients) != nil || srv.Stats().Limits["OnceClients"] != 1 {
		t.Errorf("one more: limits %v", srv.Stats().Limits)
	}
	if enter(0) == nil {
		t.Error("who is remembered is not any more")
	}
}
