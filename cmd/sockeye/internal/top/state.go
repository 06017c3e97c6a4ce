package top

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Bounds of what is kept: a server says what it likes.
const (
	maxSockets = 50_000
	maxNames   = 10_000
	maxCurve   = 120
	maxServers = 1000
)

// A state is what the server has told. It is for one goroutine.
type state struct {
	servers map[string]*server
	sockets map[string]*socket
	events  map[string]*eventRow // by namespace and name
	details bool                 // each socket and event is told
	dropped bool                 // there was more than is kept

	conns, rates, incoming curve
}

type server struct {
	ServerID       string  `json:"serverId"`
	Hostname       string  `json:"hostname"`
	PID            int     `json:"pid"`
	Uptime         float64 `json:"uptime"`
	Clients        int     `json:"clientsCount"`
	PollingClients int     `json:"pollingClientsCount"`
	Events         []struct {
		Type    string  `json:"type"`
		SubType string  `json:"subType"`
		Count   float64 `json:"count"`
	} `json:"aggregatedEvents"`
	Namespaces []struct {
		Name    string `json:"name"`
		Sockets int    `json:"socketsCount"`
	} `json:"namespaces"`

	seen time.Time
}

type socket struct {
	ID        string   `json:"id"`
	ClientID  string   `json:"clientId"`
	Transport string   `json:"transport"`
	Namespace string   `json:"nsp"`
	Rooms     []string `json:"rooms"`
	Handshake struct {
		Address string `json:"address"`
	} `json:"handshake"`

	in, out int64
}

type eventRow struct {
	namespace, name string
	in, out         int64
	rate            float64 // a second, lately
	since           int64   // in and out since the last tick
}

// A curve is the recent values of something.
type curve []float64

func (c *curve) add(v float64) {
	*c = append(*c, v)
	if len(*c) > maxCurve {
		*c = (*c)[1:]
	}
}

func newState() *state {
	return &state{servers: map[string]*server{}, sockets: map[string]*socket{}, events: map[string]*eventRow{}}
}

// apply takes an event of the Admin UI's protocol. What does not fit is left out.
func (s *state) apply(event string, args []json.RawMessage, now time.Time) {
	text := func(i int) string {
		var t string
		if i < len(args) {
			_ = json.Unmarshal(args[i], &t)
		}
		return t
	}
	if len(args) == 0 {
		return
	}
	switch event {
	case "config":
		var c struct{ SupportedFeatures []string }
		if json.Unmarshal(args[0], &c) == nil {
			s.details = slices.Contains(c.SupportedFeatures, "ALL_EVENTS")
		}
	case "server_stats":
		var v server
		if json.Unmarshal(args[0], &v) == nil && (s.servers[v.ServerID] != nil || len(s.servers) < maxServers) {
			s.serverStats(&v, now)
		}
	case "all_sockets":
		var list []*socket
		if json.Unmarshal(args[0], &list) == nil {
			s.sockets = map[string]*socket{}
			for _, one := range list {
				s.addSocket(one)
			}
		}
	case "socket_connected":
		var one *socket
		if json.Unmarshal(args[0], &one) == nil {
			s.addSocket(one)
		}
	case "socket_updated":
		var change struct{ ID, Transport string }
		if json.Unmarshal(args[0], &change) == nil && change.Transport != "" {
			if one := s.sockets[change.ID]; one != nil {
				one.Transport = change.Transport
			}
		}
	case "socket_disconnected":
		delete(s.sockets, text(1))
	case "room_joined":
		if one := s.sockets[text(2)]; one != nil && !slices.Contains(one.Rooms, text(1)) && len(one.Rooms) < maxNames {
			one.Rooms = append(one.Rooms, text(1))
		}
	case "room_left":
		if one := s.sockets[text(2)]; one != nil {
			one.Rooms = slices.DeleteFunc(one.Rooms, func(r string) bool { return r == text(1) })
		}
	case "event_received", "event_sent":
		var list []json.RawMessage
		var name string
		if len(args) > 2 && json.Unmarshal(args[2], &list) == nil && len(list) > 0 && json.Unmarshal(list[0], &name) == nil {
			s.count(text(0), text(1), name, event == "event_received")
		}
	}
}

func (s *state) serverStats(v *server, now time.Time) {
	v.seen = now
	s.servers[v.ServerID] = v
	var in, out float64
	for _, e := range v.Events {
		switch e.Type {
		case "packetsIn":
			in += e.Count
		case "packetsOut":
			out += e.Count
		}
	}
	clients := 0
	for id, one := range s.servers {
		if now.Sub(one.seen) > staleAfter {
			delete(s.servers, id)
			continue
		}
		clients += one.Clients
	}
	s.conns.add(float64(clients))
	s.incoming.add(in / statsEvery.Seconds())
	s.rates.add((in + out) / statsEvery.Seconds())
}

// The protocol has servers report every two seconds. One that has said nothing for
// five times as long is gone.
const (
	statsEvery = 2 * time.Second
	staleAfter = 10 * time.Second
)

func (s *state) addSocket(one *socket) {
	if one == nil || one.ID == "" {
		return
	}
	if len(s.sockets) >= maxSockets && s.sockets[one.ID] == nil {
		s.dropped = true
		return
	}
	s.sockets[one.ID] = one
}

func (s *state) count(namespace, id, name string, in bool) {
	key := namespace + "\x00" + name
	row := s.events[key]
	if row == nil {
		if len(s.events) >= maxNames {
			s.dropped = true
			return
		}
		row = &eventRow{namespace: namespace, name: name}
		s.events[key] = row
	}
	row.since++
	one := s.sockets[id]
	if in {
		row.in++
	} else {
		row.out++
	}
	switch {
	case one == nil:
	case in:
		one.in++
	default:
		one.out++
	}
}

// tick ends an interval of rates, which forget by halves.
func (s *state) tick(interval time.Duration) {
	for _, row := range s.events {
		row.rate = (row.rate + float64(row.since)/interval.Seconds()) / 2
		if row.rate < 0.005 {
			row.rate = 0
		}
		row.since = 0
	}
}

// A room is a row of the list of rooms.
type room struct {
	namespace, name string
	sockets         int
}

func (s *state) rooms() []room {
	count := map[[2]string]int{}
	for _, one := range s.sockets {
		for _, r := range one.Rooms {
			if r != one.ID { // the room of its own
				count[[2]string{one.Namespace, r}]++
			}
		}
	}
	list := make([]room, 0, len(count))
	for k, n := range count {
		list = append(list, room{k[0], k[1], n})
	}
	slices.SortFunc(list, func(a, b room) int {
		return cmp.Or(cmp.Compare(b.sockets, a.sockets), strings.Compare(a.namespace, b.namespace), strings.Compare(a.name, b.name))
	})
	return list
}

func (s *state) namespaces() map[string]int {
	all := map[string]int{}
	for _, one := range s.servers {
		for _, n := range one.Namespaces {
			all[n.Name] += n.Sockets
		}
	}
	return all
}
