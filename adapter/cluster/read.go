package cluster

import "github.com/sockeye-go/socketio/adapter"

// A logReader is an Ordered as its log sees it.
type logReader struct {
	a     *Ordered
	ready <-chan struct{} // before, nobody can answer or be answered
}

// Read implements [LogReader].
func (r logReader) Read(ms []*Message) {
	<-r.ready
	for _, m := range ms {
		r.a.read(m)
	}
}

// Lost implements [LogReader].
func (r logReader) Lost(err error) {
	<-r.ready
	r.a.lostFrom(true, err)
}

// Gap implements [LogReader].
func (r logReader) Gap(pos Position, sessions bool) {
	<-r.ready
	r.a.host.Logger().Error("messages of the log were lost: clients may have missed some",
		"nsp", r.a.nsp, "sessions", sessions)
	r.a.gap(pos, sessions)
}

// read delivers a message of the log.
func (a *Ordered) read(m *Message) {
	e := a.tail.begin(m)
	if e == nil {
		return
	}
	defer a.tail.end(m.Position)
	own := m.UID == a.uid
	if own {
		if a.own.repeated(m.Seq) {
			return
		}
		defer a.own.read(m.Seq)
		if a.max == nil {
			return // it was done here at once
		}
	}
	if !own && m.UID != "" && m.UID != emitterUID {
		_, repeated, lost := a.nodes.heard(m, true)
		if repeated {
			return
		}
		if lost > 0 {
			a.host.Logger().Error("messages of another node were lost", "nsp", a.nsp, "node", m.UID, "messages", lost)
		}
	}
	switch m.Type {
	case Broadcast, broadcastHere:
		switch {
		case m.RequestID != "":
			if !own {
				a.deliver(m)
			}
		case own || m.Type == Broadcast:
			a.deliverLogged(e)
		}
	case SocketsJoin:
		_ = a.joinHere(m.Target, m.Rooms, m.Position)
	case SocketsLeave:
		_ = a.leaveHere(m.Target, m.Rooms, m.Position)
	case DisconnectSockets:
		for member := range a.Memory.Local(m.Target) {
			if !sessionOf(member).has(m.Position) {
				member.Disconnect(m.CloseConnection)
			}
		}
	default:
		if !own {
			a.handle(m)
		}
	}
}

// deliverLogged is where a broadcast meets the sockets of this node.
func (a *Ordered) deliverLogged(e *logged) {
	var p *adapter.Packet
	for member := range a.Memory.Local(e.m.Target) {
		if p == nil {
			var err error
			if p, err = a.packetOf(e); err != nil {
				a.host.Logger().Warn("broadcast dropped", "nsp", a.nsp, "node", e.m.UID, "error", err)
				return
			}
		}
		member.Announce(p)
		if s := sessionOf(member); s != nil {
			s.deliver(member, p, e.m.Position)
		} else {
			member.Deliver(p)
		}
	}
}

// packetOf is what clients are sent of a message, encoded once.
func (a *Ordered) packetOf(e *logged) (*adapter.Packet, error) {
	if p := e.p.Load(); p != nil {
		return p, nil
	}
	p, err := a.packet(e.m, e.m.Position)
	if err == nil {
		e.p.Store(p)
	}
	return p, err
}

// handleOrdered is for what comes over the bus.
func (a *Ordered) handleOrdered(m *Message) {
	switch {
	case m.Type == Broadcast && m.RequestID == "":
		// Of a node that does without the log.
		if err := a.unlogged(m); err != nil {
			a.host.Logger().Warn("broadcast of another node dropped", "nsp", a.nsp, "node", m.UID, "error", err)
		}
	case m.Type == sessionRequest:
		a.sessionsMu.Lock()
		defer a.sessionsMu.Unlock()
		if !a.closing {
			a.letting.Go(func() { a.letGo(m) })
		}
	default:
		a.handleMessage(m)
	}
}

// gap is for when something of the log was lost.
func (a *Ordered) gap(pos Position, sessions bool) {
	a.own.skip(a.appended.Load()) // what was among the lost does not come back
	had := a.tail.begun()
	a.tail.reset(pos)
	for _, s := range a.allSessions() {
		s.missed(later(had, pos))
		if sessions {
			s.anew()
		}
		a.save.add(s)
	}
}
