package socketio

import (
	"cmp"
	"slices"
)

// A Backlog is what waits for clients that read more slowly than they are sent
// to. Beyond Options.MaxQueuedBytes such a client is cut.
type Backlog struct {
	Clients int // for whom something waits
	Bytes   int
	Packets int
	Worst   []Behind // those for whom the most bytes wait, most first
}

// A Behind is one client that something waits for.
type Behind struct {
	Socket         *Socket // any of the client's; nil if it has joined no namespace
	Transport      string
	Bytes, Packets int
}

// Backlog looks at each connection of this node, and names the worst. It takes
// some 100 ns for each of them and no lock that would hold up others.
func (srv *Server) Backlog(worst int) Backlog {
	var b Backlog
	mostFirst := func(a, b Behind) int { return cmp.Compare(b.Bytes, a.Bytes) }
	for sess := range srv.engine.Each() {
		bytes, packets := sess.Buffered()
		if bytes == 0 {
			continue
		}
		b.Clients++
		b.Bytes += bytes
		b.Packets += packets
		if len(b.Worst) == worst {
			if worst == 0 || bytes <= b.Worst[worst-1].Bytes {
				continue
			}
			b.Worst = b.Worst[:worst-1]
		}
		one := Behind{Transport: sess.Transport(), Bytes: bytes, Packets: packets}
		if c, ok := sess.Receiver().(*connection); ok {
			if sockets := c.all(); len(sockets) > 0 {
				one.Socket = sockets[0]
			}
		}
		at, _ := slices.BinarySearchFunc(b.Worst, one, mostFirst)
		b.Worst = slices.Insert(b.Worst, at, one)
	}
	return b
}
