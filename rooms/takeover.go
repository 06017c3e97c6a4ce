package rooms

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	// takeovers is how often a request looks for the home of its room.
	takeovers = 8
	// pauseBetween them lets another node end what it has begun.
	pauseBetween = 20 * time.Millisecond
	// healInterval is how often a home that has taken rooms over looks for others
	// that have them still, from before a partition.
	healInterval = 10 * time.Second
	// perHeal is how many rooms it asks for at once.
	perHeal = 500
	// perHandOver is how many rooms are handed over at once.
	perHandOver = 16
)

// serve answers another node.
func (m *Manager) serve(ctx context.Context, r request) (a answer) {
	defer func() { a.Node = m.home.node }()
	if r.Op != opTake {
		return m.home.serve(ctx, r)
	}
	if r.To != m.home.node {
		return answer{}
	}
	ctx, cancel := context.WithTimeout(ctx, m.o.Timeout)
	defer cancel()
	if r.Record != nil {
		m.home.entrust(r.Room, r.Record)
		defer m.home.distrust(r.Room)
	}
	if err := m.take(ctx, r.Room); err != nil {
		return failed(err)
	}
	return answer{Mine: true}
}

// entrust gives this node a copy without members, until distrust.
func (h *home) entrust(id string, r *record) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.copyOf(id)
	c.trusts++
	if r.Epoch.compare(c.epoch) >= 0 && h.rooms[id] == nil {
		c.record, c.epoch = r, r.Epoch
	}
}

func (h *home) distrust(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c := h.copies[id]; c != nil {
		c.trusts--
		h.drop(id, c)
	}
}

// take makes this node the home of a room that has none, or that is handed over.
func (m *Manager) take(ctx context.Context, id string) error {
	bid, wait, err := m.home.begin(id)
	switch {
	case errors.Is(err, errStale):
		return nil
	case err != nil:
		return err
	case wait != nil:
		select {
		case <-wait:
			return nil // the request that follows finds out whether it went well
		case <-ctx.Done():
			return ErrUnavailable
		}
	}
	r := request{Op: opBid, Node: m.home.node, Bids: map[string]epoch{id: bid}}
	var others []held
	for a, failure := range m.ask.ServerSideEmit(ctx, m.n, r) {
		if failure != nil {
			err = fmt.Errorf("%w: %w", ErrUnavailable, failure)
			break
		}
		others = append(others, a.Held[id])
	}
	return m.home.finish(id, bid, others, err)
}

// replace gives a room without a home a new one. all are the answers of
// all nodes.
func (m *Manager) replace(ctx context.Context, id string, all []answer) error {
	copies := slices.DeleteFunc(slices.Clone(all), func(a answer) bool { return !a.Copy })
	if len(copies) == 0 {
		return ErrNotExist
	}
	to := successor(id, copies)
	if to == "" {
		return ErrUnavailable
	}
	if to == m.home.node {
		if err := m.take(ctx, id); err != nil {
			return errStale
		}
		return nil
	}
	if _, _, err := m.elsewhere(ctx, request{Op: opTake, Node: m.home.node, Room: id, To: to}); err != nil {
		return errStale // it knows better by now; there may be others with copies
	}
	return nil
}

// successor picks one of those that can have a room, the same wherever it is asked:
// the one whose name gives the greatest hash together with the room's.
func successor(id string, all []answer) (node string) {
	var best uint64
	for _, a := range all {
		if !a.Able || a.Node == "" {
			continue
		}
		f := fnv.New64a()
		fmt.Fprintf(f, "%s\x00%s", id, a.Node)
		if sum := f.Sum64(); node == "" || sum > best || sum == best && a.Node > node {
			best, node = sum, a.Node
		}
	}
	return node
}

// HandOver gives the rooms of this node to others, each with its members, and takes
// none any more. Server.Shutdown does so by itself. The error is of rooms that found
// no other node; where there are no others, there is none.
func (m *Manager) HandOver(ctx context.Context) error {
	rooms := m.home.retire()
	if len(rooms) == 0 || ctx.Err() != nil {
		return ctx.Err()
	}
	who, cancel := context.WithTimeout(ctx, m.o.Timeout)
	defer cancel()
	_, nodes, err := m.elsewhere(who, request{Op: opWho})
	if len(nodes) == 0 && errors.Is(err, ErrNotExist) {
		return nil
	}
	if len(nodes) == 0 {
		return err
	}
	var wg sync.WaitGroup
	errs := make([]error, len(rooms))
	free := make(chan struct{}, perHandOver)
	for i, r := range rooms {
		if ctx.Err() != nil {
			errs[i] = ctx.Err()
			break
		}
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			to := successor(r.Room.ID, nodes)
			if to == "" {
				errs[i] = ErrUnavailable
				return
			}
			ctx, cancel := context.WithTimeout(ctx, m.o.Timeout)
			defer cancel()
			_, _, errs[i] = m.elsewhere(ctx, request{Op: opTake, Node: m.home.node, Room: r.Room.ID, To: to, Record: r})
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// retire lets this node take no rooms any more and returns those that it has.
func (h *home) retire() []*record {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.leaving = true
	if h.healing != nil {
		h.healing.Stop()
	}
	var all []*record
	for _, rm := range h.rooms {
		all = append(all, rm.record())
	}
	return all
}

// heal tells all that this node is the home of rooms that it has taken over. Who
// thought so too, on the other side of a partition, is home no longer, and answers
// with the members that came in there.
func (m *Manager) heal() {
	bids := m.home.taken()
	for part := range slices.Chunk(slices.Sorted(maps.Keys(bids)), perHeal) {
		r := request{Op: opBid, Node: m.home.node, Merge: true, Bids: make(map[string]epoch, len(part))}
		for _, id := range part {
			r.Bids[id] = bids[id]
		}
		ctx, cancel := context.WithTimeout(context.Background(), m.o.Timeout)
		for a, err := range m.ask.ServerSideEmit(ctx, m.n, r) {
			if err == nil { // who did not hear it will the next time
				m.home.merge(bids, a.Held)
			}
		}
		cancel()
	}
	m.home.healAgain()
}

func (h *home) taken() map[string]epoch {
	h.mu.Lock()
	defer h.mu.Unlock()
	bids := make(map[string]epoch)
	h.left = make(map[[2]string]bool)
	for id, rm := range h.rooms {
		if rm.taken {
			bids[id] = rm.epoch
		}
	}
	return bids
}

func (h *home) healAgain() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.healing, h.left = nil, nil
	for _, rm := range h.rooms {
		if rm.taken && !h.leaving {
			h.healing = time.AfterFunc(healInterval, h.heal)
			return
		}
	}
}

// merge takes in the members that rooms had elsewhere. They stay even where that
// makes more than MaxUsers: nobody is put out who was let in.
func (h *home) merge(bids map[string]epoch, all map[string]held) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, x := range all {
		rm := h.rooms[id]
		if rm == nil || rm.epoch != bids[id] {
			continue
		}
		if x.Epoch.compare(rm.epoch) > 0 {
			h.stepDown(rm, x.Epoch)
			continue
		}
		slices.SortFunc(x.Seats, func(a, b seat) int { return a.Number - b.Number })
		for _, s := range x.Seats {
			if _, is := rm.members[s.Member.SocketID]; is || h.left[[2]string{id, s.Member.SocketID}] {
				continue
			}
			rm.joins++
			s.Number = rm.joins
			h.seat(rm, s)
		}
	}
}
