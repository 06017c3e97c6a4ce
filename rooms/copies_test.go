package rooms

import (
	"testing"
	"time"
)

func homeOf(node string) *home {
	o := &Options{MaxRooms: 10, MaxUsers: 10, KeepEmpty: time.Hour}
	return &home{
		o: o, node: node, notify: func(request) {}, heal: func() {},
		rooms: make(map[string]*room), claims: make(map[string]string), copies: make(map[string]*copied),
	}
}

func (h *home) joined(t *testing.T, id, socket string, e epoch) error {
	t.Helper()
	h.reserve(id)
	defer h.release(id)
	return h.accept(id, answer{
		Mine: true, Epoch: e, Room: &Room{ID: id, MaxUsers: 10}, Record: &record{Made: "x"},
		Seat: &seat{Member: Member{SocketID: socket}, Number: 1, Node: h.node},
	})
}

// What a home has decided counts only for who has not heard of a later one: that
// one does not know of it.
func TestStaleAnswer(t *testing.T) {
	h := homeOf("b")
	old, later := epoch{1, "a"}, epoch{2, "c"}
	h.reserve("den") // a join is under way
	h.bids(request{Bids: map[string]epoch{"den": later}})
	if err := h.joined(t, "den", "s1", old); err != errStale {
		t.Errorf("an answer from before the bid: %v", err)
	}
	if err := h.joined(t, "den", "s1", later); err != nil {
		t.Errorf("one of the new home: %v", err)
	}
	h.release("den")
	if got := h.bids(request{Bids: map[string]epoch{"den": old}})["den"]; got.Epoch != later || len(got.Seats) != 0 {
		t.Errorf("a bid that is too low got %+v", got)
	}
	h.note(request{Op: opEnded, Room: "den", Record: &record{Made: "x"}})
	if len(h.copies) != 0 {
		t.Errorf("kept after the end: %v", h.copies)
	}
}

// Of two that bid for one room at once, one is the home, with the members of both,
// whichever order their words arrive in.
func TestTwoBids(t *testing.T) {
	for _, order := range []string{"both ask, then both end", "the greater ends first", "the smaller ends first"} {
		a, b := homeOf("a"), homeOf("b")
		for socket, h := range map[string]*home{"s1": a, "s2": b} {
			if err := h.joined(t, "den", socket, epoch{1, "z"}); err != nil {
				t.Fatal(err)
			}
		}
		begin := func(h *home) epoch {
			bid, _, err := h.begin("den")
			if err != nil {
				t.Fatal(order, err)
			}
			return bid
		}
		ask := func(h *home, bid epoch) []held {
			return []held{h.bids(request{Bids: map[string]epoch{"den": bid}})["den"]}
		}
		ea, eb := begin(a), begin(b)
		switch order {
		case "both ask, then both end":
			fromB, fromA := ask(b, ea), ask(a, eb)
			a.finish("den", ea, fromB, nil)
			b.finish("den", eb, fromA, nil)
		case "the greater ends first":
			b.finish("den", eb, ask(a, eb), nil)
			a.finish("den", ea, ask(b, ea), nil)
		case "the smaller ends first":
			a.finish("den", ea, ask(b, ea), nil)
			b.finish("den", eb, ask(a, eb), nil)
		}
		rm := b.rooms["den"]
		if a.rooms["den"] != nil || rm == nil || len(rm.members) != 2 {
			t.Errorf("%s: a has %v, b has %+v", order, a.rooms["den"], rm)
		}
		for _, h := range []*home{a, b} {
			if h.healing != nil {
				h.healing.Stop()
			}
		}
	}
}
