package redis

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	goredis "github.com/redis/go-redis/v9"
)

// A traveller is an official client that goes from one server to another.
type traveller struct {
	*process
	id, pid   string
	recovered bool
	events    []string // without the offset
}

// until reads what the client says, until it has connected, or left, or has got
// an event.
func (c *traveller) until(t *testing.T, what string) {
	t.Helper()
	for {
		line := c.line()
		if line == "" {
			t.Fatalf("the client ended; want: %s", what)
		}
		var l struct {
			On, ID, PID, Ev string
			Recovered       bool
			Args            []any
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		switch l.On {
		case "connect":
			c.id, c.pid, c.recovered = l.ID, l.PID, l.Recovered
		case "event":
			c.events = append(c.events, strings.TrimSpace(fmt.Sprint(l.Ev, l.Args[:max(0, len(l.Args)-1)])))
		}
		if what == l.On || what == l.Ev {
			return
		}
	}
}

func (c *traveller) tell(t *testing.T, v map[string]any) {
	t.Helper()
	b, _ := json.Marshal(v)
	if _, err := fmt.Fprintf(c.stdin, "%s\n", b); err != nil {
		t.Fatal(err)
	}
}

// TestMixedRecovery has official clients come back to another server than the one
// they were on, of the same kind or the other.
func TestMixedRecovery(t *testing.T) {
	if os.Getenv("SOCKEYE_PARTS") != "all" {
		t.Skip("needs redis-server, Node and the packages of interop/redis: set SOCKEYE_PARTS=all")
	}
	port := startRedis(t)
	store := goredis.NewClient(&goredis.Options{Addr: "127.0.0.1:" + port})
	defer store.Close()
	all := []node{startNode(t, port, "recovery"), startGo(t, port, "recovery"), startNode(t, port, "recovery"), startGo(t, port, "recovery")}
	for _, n := range all {
		until(t, "all servers are known", func() bool { return n.do(t, "count") == "4" })
	}
	names := []string{"Node", "Go", "other Node", "other Go"}
	for _, way := range [][]int{{0, 1}, {1, 0}, {1, 3}, {0, 2}, {0, 1, 3, 2, 1}} {
		var on []string
		for _, i := range way {
			on = append(on, names[i])
		}
		t.Run(strings.Join(on, ", "), func(t *testing.T) {
			c := &traveller{process: start(t, "clients.mjs", all[way[0]].url())}
			c.until(t, "connect")
			id := c.id
			all[(way[0]+1)%4].do(t, "join", id, "shared", "other")
			until(t, "it has joined", func() bool { return strings.Contains(all[way[0]].do(t, "fetch", "shared"), id) })
			for stop, i := range way[1:] {
				event := func(n int) string { return fmt.Sprint("e", stop, n) }
				all[i].do(t, "emit", "shared", "nobody", event(0), 0)
				c.until(t, event(0))
				c.tell(t, map[string]any{"c": 0, "cut": true})
				c.until(t, "disconnect")
				until(t, "the session is saved", func() bool { return store.Exists(t.Context(), "sio:session:"+c.pid).Val() == 1 })
				for n := 1; n <= 4; n++ {
					if n == 2 {
						all[n-1].do(t, "binary", "shared", event(n))
					} else {
						all[n-1].do(t, "emit", "shared", "nobody", event(n), n)
					}
					until(t, "it is in the stream", func() bool { return inStream(t, store, event(n)) })
				}
				all[0].do(t, "emit", "shared", id, "not for it", 1)
				c.tell(t, map[string]any{"c": 0, "url": all[i].url()})
				c.recovered = false
				c.until(t, "connect")
				if !c.recovered || c.id != id {
					t.Fatalf("on %s: recovered %v with id %s; want %s", names[i], c.recovered, c.id, id)
				}
				all[(i+2)%4].do(t, "emit", "other", "nobody", "end", stop)
				c.until(t, "end")
				want := []string{event(0) + "[0]", event(1) + "[1]", event(2) + "[[1 2 3]]", event(3) + "[3]", event(4) + "[4]", fmt.Sprintf("end[%d]", stop)}
				if !slices.Equal(c.events, want) {
					t.Errorf("on %s: got %q; want %q", names[i], c.events, want)
				}
				c.events = nil
				if got := all[i].do(t, "fetch", "other"); !strings.Contains(got, id) {
					t.Errorf("%s says %s of its sockets", names[i], got)
				}
			}
		})
	}
}

// inStream reports whether an event is among the last in the stream.
func inStream(t *testing.T, store *goredis.Client, event string) bool {
	t.Helper()
	xs, err := store.XRevRangeN(t.Context(), "socket.io", "+", "-", 10).Result()
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(xs, func(x goredis.XMessage) bool {
		data, _ := x.Values["data"].(string)
		if b, err := base64.StdEncoding.DecodeString(data); err == nil { // it holds binary data
			data = string(b)
		}
		return strings.Contains(data, event)
	})
}
