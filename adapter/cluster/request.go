package cluster

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/sockeye-go/socketio/adapter"
)

// requests are what this node asked the others and waits for.
type requests struct {
	mu   sync.Mutex
	open map[string]*request
}

// A request waits for one answer of each node, or for the answers of clients of
// which each node says first how many it has.
type request struct {
	id      string
	arrived chan struct{} // has room for one: something is there

	mu sync.Mutex
	// waiting are the nodes that have not answered, if they are known by name;
	// unnamed is how many there are besides.
	waiting map[string]bool
	unnamed int

	infos   []adapter.SocketInfo
	answers []adapter.Answer
	asked   int            // clients
	open    map[string]int // of them have not answered, by node
	left    int            // and never will
}

func (rs *requests) add(uids []string, count int) *request {
	r := &request{id: RandomHex(), arrived: make(chan struct{}, 1), waiting: make(map[string]bool), open: make(map[string]int)}
	for _, uid := range uids {
		r.waiting[uid] = true
	}
	r.unnamed = count - len(uids)
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.open == nil {
		rs.open = make(map[string]*request)
	}
	rs.open[r.id] = r
	return r
}

func (rs *requests) remove(r *request) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	delete(rs.open, r.id)
}

func (rs *requests) find(id string) *request {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return rs.open[id]
}

// waiting reports whether there are any.
func (rs *requests) waiting() bool {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return len(rs.open) > 0
}

// gone tells all requests that a node will not answer any more.
func (rs *requests) gone(uid string) {
	rs.mu.Lock()
	all := slices.Collect(maps.Values(rs.open))
	rs.mu.Unlock()
	for _, r := range all {
		r.update(func() {
			delete(r.waiting, uid)
			r.left += r.open[uid]
			delete(r.open, uid)
		})
	}
}

func (r *request) update(f func()) {
	r.mu.Lock()
	f()
	r.mu.Unlock()
	select {
	case r.arrived <- struct{}{}:
	default:
	}
}

// answered notes that a node has said its word, and reports whether it was
// waited for. r.mu is held.
func (r *request) answered(uid string) bool {
	switch {
	case r.waiting[uid]:
		delete(r.waiting, uid)
	case r.unnamed > 0:
		r.unnamed--
	default:
		return false
	}
	return true
}

// response is an answer of another node.
func (r *request) response(m *Message) {
	r.update(func() {
		switch m.Type {
		case FetchSocketsResponse:
			if r.answered(m.UID) {
				r.infos = append(r.infos, m.Sockets...)
			}
		case ServerSideEmitResponse, sessionResponse:
			if r.answered(m.UID) {
				r.answers = append(r.answers, m.Values.answer())
			}
		case BroadcastClientCount:
			if r.answered(m.UID) {
				r.asked += m.ClientCount
				r.open[m.UID] += m.ClientCount
			}
		case BroadcastAck:
			// It may overtake the count.
			r.open[m.UID]--
			r.answers = append(r.answers, m.Values.answer())
		case broadcastLeft:
			r.open[m.UID]--
			r.left++
		}
	})
}

// local adds what happens on this node.
func (r *request) local(answer adapter.Answer) {
	r.update(func() {
		r.open[""]--
		if answer.Err != nil {
			r.left++
		} else {
			r.answers = append(r.answers, answer)
		}
	})
}

// wait returns when all nodes have answered, with the names of those that have
// not and their number if ctx ended first.
func (r *request) wait(ctx context.Context) (missing int, nodes []string, err error) {
	for {
		r.mu.Lock()
		missing, nodes = len(r.waiting)+r.unnamed, slices.Sorted(maps.Keys(r.waiting))
		r.mu.Unlock()
		if missing == 0 || err != nil {
			return missing, nodes, err
		}
		select {
		case <-r.arrived:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
}

// next returns the answers that have come, waiting for one if there is none and
// one is to be expected. After the last it returns none.
func (r *request) next(ctx context.Context) ([]adapter.Answer, error) {
	for {
		r.mu.Lock()
		answers := r.answers
		r.answers = nil
		complete := len(r.waiting)+r.unnamed == 0 && r.unanswered() <= 0
		r.mu.Unlock()
		if len(answers) > 0 || complete {
			return answers, nil
		}
		select {
		case <-r.arrived:
		case <-ctx.Done():
			r.mu.Lock()
			answers, r.answers = r.answers, nil
			r.mu.Unlock()
			return answers, context.Cause(ctx)
		}
	}
}

func (r *request) unanswered() int {
	n := 0
	for _, open := range r.open {
		n += open
	}
	return n
}

// missing sums up who did not answer.
func (r *request) missing(err error) *adapter.MissingError {
	r.mu.Lock()
	defer r.mu.Unlock()
	nodes := slices.Sorted(maps.Keys(r.waiting))
	missing := r.left + max(r.unanswered(), 0)
	if missing == 0 && len(nodes) == 0 && r.unnamed == 0 {
		return nil
	}
	return &adapter.MissingError{Missing: missing, Nodes: nodes, Err: err}
}
