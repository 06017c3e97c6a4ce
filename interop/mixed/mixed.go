// Package mixed has clusters of Node servers and ours, with official clients on
// each, do everything that servers of a cluster can do.
package mixed

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// A Server is one of the cluster.
type Server interface {
	URL() string
	// Do has it do something and returns what it says, in JSON.
	Do(t *testing.T, op string, args ...any) string
}

// Options say what a cluster can do.
type Options struct {
	// Clients is the script of the clients.
	Clients string
	// Emitter returns which clients the emitter of a server reaches; nil if there
	// are no emitters.
	Emitter func(server int) []int
}

var everybody = []int{0, 1, 2, 3}

// Run has two Node servers and two of ours, in turn, do everything to clients on
// all four.
func Run(t *testing.T, all []Server, o Options) {
	names := []string{"Node", "Go", "Node", "Go"}
	for i, s := range all {
		Until(t, names[i]+" knows of four servers", func() bool { return s.Do(t, "count") == "4" })
	}
	c := startClients(t, o.Clients, all)
	ids := c.ids()
	for i := range all { // from the other kind, so that joining is tested too
		all[(i+1)%4].Do(t, "join", ids[i], "shared", room(i))
	}
	Until(t, "all have joined", func() bool {
		return strings.Count(all[0].Do(t, "fetch", "shared"), `"shared"`) == 4 && strings.Count(all[1].Do(t, "fetch", "shared"), `"shared"`) == 4
	})
	for i, s := range all {
		t.Run(fmt.Sprint(names[i], i), func(t *testing.T) {
			broadcasts(t, o, c, s, i)
			requests(t, c, all, i)
		})
	}
	for i, s := range all {
		s.Do(t, "disconnect", ids[(i+1)%4])
		Until(t, "the client is gone", func() bool { return c.gone((i + 1) % 4) })
	}
}

func room(i int) string { return fmt.Sprint("room", i) }

func broadcasts(t *testing.T, o Options, c *clients, s Server, i int) {
	ids := c.ids()
	// A broadcast comes when rooms are subscribed, where they have to be.
	Until(t, "the room is reached", func() bool {
		s.Do(t, "emit", "shared", "nobody", "try", i)
		return c.everybody("try", i)
	})
	c.want(t, "to a room", everybody, "one", `[1,{"a":[null,"é"]}]`, func() {
		s.Do(t, "emit", "shared", "nobody", "one", 1, map[string]any{"a": []any{nil, "é"}})
	})
	c.want(t, "except a room", []int{1, 2, 3}, "two", `[]`, func() { s.Do(t, "emit", "shared", room(0), "two") })
	c.want(t, "one client by its id", []int{(i + 1) % 4}, "three", `["x"]`, func() {
		s.Do(t, "emit", ids[(i+1)%4], "nobody", "three", "x")
	})
	c.want(t, "binary", everybody, "four", `[[1,2,3]]`, func() { s.Do(t, "binary", "shared", "four") })
	c.want(t, "everybody", everybody, "five", `[5]`, func() { s.Do(t, "all", "five", 5) })
	c.want(t, "volatile", everybody, "six", `[]`, func() { s.Do(t, "volatile", "six") })
	large := strings.Repeat("é", 10_000)
	c.want(t, "large", everybody, "seven", `["`+large+`"]`, func() { s.Do(t, "all", "seven", large) })
	if o.Emitter != nil {
		c.want(t, "the emitter", o.Emitter(i), "eight", `[8]`, func() { s.Do(t, "emitter", "shared", "eight", 8) })
		c.want(t, "the emitter, large", o.Emitter(i), "nine", `["`+large+`"]`, func() { s.Do(t, "emitter", "shared", "nine", large) })
		c.want(t, "the emitter, binary", o.Emitter(i), "ten", `[[1,2,3]]`, func() { s.Do(t, "emitterBinary", "shared", "ten") })
	}
}

func requests(t *testing.T, c *clients, all []Server, i int) {
	ids, s := c.ids(), all[i]
	if got := sorted(t, s.Do(t, "ask", "shared", "q")); got != `["q 0","q 1","q 2","q 3"]` {
		t.Errorf("acks = %s", got)
	}
	if got := sorted(t, s.Do(t, "askBinary", "shared")); got != `[[9,0],[9,1],[9,2],[9,3]]` {
		t.Errorf("binary acks = %s", got)
	}
	var found [][]any
	if err := json.Unmarshal([]byte(s.Do(t, "fetch", "shared")), &found); err != nil || len(found) != 4 {
		t.Fatalf("fetch: %v, %v", found, err)
	}
	for _, f := range found {
		j := slices.Index(ids, f[0].(string))
		rooms := fmt.Sprint(f[1])
		if j < 0 || !strings.Contains(rooms, ids[j]) || !strings.Contains(rooms, room(j)) || fmt.Sprint(f[3]) != fmt.Sprint(j) {
			t.Errorf("fetch: %v", f)
		}
	}
	for _, other := range all {
		other.Do(t, "said")
	}
	s.Do(t, "hello", "from", i)
	for j, other := range all {
		want := fmt.Sprintf(`[["from",%d]]`, i)
		if j != i {
			Until(t, fmt.Sprintf("server %d hears it", j), func() bool { return other.Do(t, "said") == want })
		}
	}
	if got := s.Do(t, "said"); got != "[]" {
		t.Errorf("the server itself heard %s", got)
	}
	one := fmt.Sprintf(`{"sum":%d}`, 1+i)
	if got, want := s.Do(t, "sum", 1, i), "["+one+","+one+","+one+"]"; got != want {
		t.Errorf("answers of the servers = %s", got)
	}
	s.Do(t, "leave", ids[i], room(i))
	Until(t, "it has left", func() bool { return s.Do(t, "fetch", room(i)) == "[]" })
	s.Do(t, "join", ids[i], room(i))
	Until(t, "it is back", func() bool { return s.Do(t, "fetch", room(i)) != "[]" })
}

// sorted sorts a list of JSON by its text.
func sorted(t *testing.T, list string) string {
	t.Helper()
	var v []json.RawMessage
	if err := json.Unmarshal([]byte(list), &v); err != nil {
		t.Errorf("%s: %v", list, err)
	}
	slices.SortFunc(v, func(a, b json.RawMessage) int { return strings.Compare(string(a), string(b)) })
	b, _ := json.Marshal(v)
	return string(b)
}

// Until waits until f is so.
func Until(t *testing.T, what string, f func() bool) {
	t.Helper()
	timeout, tick := time.After(15*time.Second), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for !f() {
		select {
		case <-tick.C:
		case <-timeout:
			t.Fatalf("timeout: not so: %s", what)
		}
	}
}
