package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/sockeye-go/socketio"
)

func TestBroadcast(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		clients := make([]*client, 4)
		sockets := make([]*socketio.Socket, 4)
		for i := range clients {
			clients[i] = h.open()
			sockets[i], _ = h.Socket(clients[i].connect("/", ""))
		}
		sockets[0].Join("x", "y")
		sockets[1].Join("y")
		sockets[2].Join("z")
		check := func(what string, err error, reached ...int) {
			t.Helper()
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
			for i, c := range clients {
				var want []string
				if slices.Contains(reached, i) {
					want = []string{`42["e"]`}
				}
				if got := c.take(); !slices.Equal(got, want) {
					t.Errorf("%s: client %d got %q; want %q", what, i, got, want)
				}
			}
		}
		s0 := sockets[0]
		check("Emit", h.Emit("e"), 0, 1, 2, 3)
		check("To", h.To("x").Emit("e"), 0)
		check("To To", h.To("x").To("z").Emit("e"), 0, 2)
		check("In several", h.In("x", "y").Emit("e"), 0, 1)
		check("To id", h.To(sockets[3].ID()).Emit("e"), 3)
		check("To nothing", h.To([]string{}...).Emit("e"))
		check("Except", h.Except("y").Emit("e"), 2, 3)
		check("To Except", h.To("y", "z").Except("x").Emit("e"), 1, 2)
		check("Local", h.Local().Emit("e"), 0, 1, 2, 3)
		check("Volatile", h.Volatile().Emit("e"), 0, 1, 2, 3)
		check("socket Emit", s0.Emit("e"), 0)
		check("socket To", s0.To("y").Emit("e"), 1)
		check("socket To own id", s0.To(s0.ID()).Emit("e"))
		check("socket Except", s0.Except("z").Emit("e"), 1, 3)
		check("socket Broadcast", s0.Broadcast().Emit("e"), 1, 2, 3)
		check("socket Local", s0.Local().Emit("e"), 1, 2, 3)
		check("socket Volatile", s0.Volatile().Emit("e"), 0)
		check("socket Volatile To", s0.Volatile().To("y").Emit("e"), 1)
		check("socket Compress", s0.Compress(false).Emit("e"), 0)
		base := h.To("x") // operators are values
		base.To("z")
		check("unchanged operator", base.Emit("e"), 0)
		base.Except("x")
		check("unchanged operator", base.Emit("e"), 0)

		if n := h.RoomSize("y"); n != 2 {
			t.Errorf("RoomSize = %d", n)
		}
		if !s0.InRoom("x") || s0.InRoom("z") || !slices.Equal(s0.Rooms(), []string{"x", "y"}) {
			t.Errorf("rooms = %q", s0.Rooms())
		}
		s0.Leave("x")
		check("after Leave", h.To("x").Emit("e"))
		h.To("y").SocketsJoin("w")
		check("SocketsJoin", h.To("w").Emit("e"), 0, 1)
		sockets[1].Volatile().SocketsLeave("w")
		check("SocketsLeave of one", h.To("w").Emit("e"), 0)

		found, err := h.In("y").FetchSockets(t.Context())
		if err != nil || len(found) != 2 {
			t.Fatalf("FetchSockets = %v, %v", found, err)
		}
		for _, r := range found {
			s, ok := r.Local()
			if !ok || s.ID() != r.ID() || !slices.Equal(r.Rooms(), s.Rooms()) {
				t.Errorf("RemoteSocket %s = %v", r.ID(), r.Rooms())
			}
			r.Join("fetched")
		}
		check("RemoteSocket.Join", h.To("fetched").Emit("e"), 0, 1)
		check("RemoteSocket.Emit", found[0].Emit("e"), slices.Index(sockets, func() *socketio.Socket { s, _ := found[0].Local(); return s }()))
		n := 0
		for range h.In("y").LocalSockets() {
			n++
		}
		if n != 2 {
			t.Errorf("LocalSockets yields %d", n)
		}
	})
}

func TestMaxRooms(t *testing.T) {
	bubble(t, &socketio.Options{MaxRooms: 2}, func(t *testing.T, h *harness) {
		s, _ := h.Socket(h.open().connect("/", ""))
		if err := s.Join("a", "b"); err != nil {
			t.Error(err)
		}
		if err := s.Join("c"); err != socketio.ErrTooManyRooms {
			t.Errorf("Join = %v", err)
		}
		s.Leave("a")
		if err := s.Join("c"); err != nil {
			t.Error(err)
		}
	})
}

func TestBroadcastWithAcks(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		ask := socketio.NewEventWithAck[string, string]("ask")
		clients := []*client{h.join(), h.join(), h.join()}
		collect := func(ctx context.Context) (answers []string, last error) {
			for a, err := range ask.Broadcast(ctx, h.Local(), "q") {
				if err != nil {
					last = err
				} else {
					answers = append(answers, a)
				}
			}
			slices.Sort(answers)
			return answers, last
		}
		reply := func(id int, who ...int) {
			for _, i := range who {
				clients[i].packet(fmt.Sprintf(`3%d["%d"]`, id, i))
			}
		}
		go func() {
			time.Sleep(time.Second)
			reply(0, 0, 1, 2)
		}()
		start := time.Now()
		answers, err := collect(t.Context())
		if fmt.Sprint(answers) != "[0 1 2]" || err != nil || time.Since(start) != time.Second {
			t.Errorf("answers = %q, %v after %v", answers, err, time.Since(start))
		}
		for _, c := range clients {
			c.want(`420["ask","q"]`)
		}

		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		go func() {
			time.Sleep(time.Second)
			reply(1, 1)
		}()
		answers, err = collect(ctx)
		var partial *socketio.PartialAckError
		if fmt.Sprint(answers) != "[1]" || !errors.As(err, &partial) || partial.Missing != 2 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("answers = %q, %v", answers, err)
		}

		go func() {
			time.Sleep(time.Second)
			reply(2, 0, 1)
			clients[2].leave()
		}()
		answers, err = collect(t.Context())
		if fmt.Sprint(answers) != "[0 1]" || !errors.As(err, &partial) || partial.Missing != 1 || partial.Err != nil {
			t.Errorf("answers = %q, %v", answers, err)
		}

		for _, err := range h.EmitWithAcks(t.Context(), "disconnect") {
			if err == nil {
				t.Error("a reserved name was sent")
			}
		}
		for range h.To([]string{}...).EmitWithAcks(t.Context(), "x") {
			t.Error("an answer out of nowhere")
		}
		s, _ := h.FetchSockets(t.Context())
		go func() {
			time.Sleep(time.Second)
			for i := range 2 {
				clients[i].packet(`35["one"]`)
			}
		}()
		m, err := s[0].EmitWithAck(t.Context(), "ask")
		var v string
		if err != nil || m.Decode(&v) != nil || v != "one" {
			t.Errorf("RemoteSocket.EmitWithAck = %v, %v", v, err)
		}
	})
}
