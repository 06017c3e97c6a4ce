package admin

import (
	"cmp"
	"context"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sockeye-go/socketio"
)

const (
	// pageSize is how many of a list are sent at once.
	pageSize = 50
	// maxOffset is how far one can page: further on, searching is quicker.
	maxOffset = 10_000
	// searchTime is how long sockets and rooms are looked through: a million or more.
	searchTime = time.Second
)

// userRoom is the beginning of the rooms of middleware/auth, each of one user.
const userRoom = "auth:user:"

// A socketView is a socket in a list.
type socketView struct {
	ID        string `json:"id"`
	Namespace string `json:"namespace"`
	User      string `json:"user,omitempty"`
	Address   string `json:"address,omitempty"`
	Transport string `json:"transport,omitempty"`
	Rooms     int    `json:"rooms"`
	Since     int64  `json:"since,omitempty"` // ms of Unix
	Node      string `json:"node,omitempty"`  // if it is another
}

// user returns the name of the user of a socket, "" if nobody says.
func (d *Dashboard) user(s *socketio.Socket) (name string) {
	if d.opts.User == nil {
		return ""
	}
	defer func() {
		if v := recover(); v != nil { // it is the program's
			d.opts.Logger.Error("dashboard: panic in DashboardOptions.User", "socket", s, "panic", v)
		}
	}()
	return d.opts.User(s)
}

func (d *Dashboard) socketView(s *socketio.Socket) socketView {
	h := s.Handshake()
	return socketView{
		ID: s.ID(), Namespace: s.Namespace().Name(), User: d.user(s), Address: h.Address,
		Transport: s.Transport(), Rooms: len(s.Rooms()), Since: h.Time.UnixMilli(),
	}
}

// namespace finds one that there is: nobody makes one by naming it.
func (d *Dashboard) namespace(name string) (*socketio.Namespace, error) {
	name = cmp.Or(name, "/")
	for _, n := range d.srv.Namespaces() {
		if n.Name() == name {
			return n, nil
		}
	}
	return nil, notFound("there is no namespace %q", name)
}

// A roomView is a room of this node in a list.
type roomView struct {
	Namespace string `json:"namespace"`
	Room      string `json:"room"`
	Sockets   int    `json:"sockets"`
}

// found is what a search found.
type found struct {
	Sockets  []socketView `json:"sockets"`
	Rooms    []roomView   `json:"rooms"`
	Looked   int          `json:"looked"`   // at so many sockets
	Complete bool         `json:"complete"` // at all of them
	Exact    bool         `json:"exact"`    // at none but those of that very name
	Missing  string       `json:"missing,omitempty"`
}

func (d *Dashboard) serveFind(w http.ResponseWriter, r *http.Request) error {
	q := strings.TrimSpace(r.FormValue("q"))
	if q == "" || len(q) > 500 {
		return &statusError{http.StatusBadRequest, "what is to be found?"}
	}
	done, err := d.searching(r)
	if err != nil {
		return err
	}
	f := d.find(r.Context(), q)
	done()
	d.nodes.find(r.Context(), q, f)
	reply(w, f)
	return nil
}

// find looks on this node: first where the answer is exact and costs nothing, the
// id of a socket, a room, a user; then at one socket after the other, for a while.
func (d *Dashboard) find(ctx context.Context, q string) *found {
	f := &found{Sockets: []socketView{}, Rooms: []roomView{}, Complete: true}
	seen := map[*socketio.Socket]bool{}
	add := func(s *socketio.Socket) bool {
		if !seen[s] {
			seen[s] = true
			f.Sockets = append(f.Sockets, d.socketView(s))
		}
		return len(f.Sockets) < pageSize
	}
	for _, n := range d.srv.Namespaces() {
		if s, ok := n.Socket(q); ok {
			add(s)
		} else if size := n.RoomSize(q); size > 0 {
			f.Rooms = append(f.Rooms, roomView{n.Name(), q, size})
		}
		for s := range n.To(userRoom + q).LocalSockets() {
			if !add(s) {
				break
			}
		}
	}
	if f.Exact = len(f.Sockets)+len(f.Rooms) > 0; f.Exact {
		return f
	}
	low := strings.ToLower(q)
	end := time.Now().Add(searchTime)
	for _, n := range d.srv.Namespaces() {
		for s := range n.Sockets() {
			if f.Looked++; f.Looked%1024 == 0 {
				runtime.Gosched() // who waits for this core is busier than we are
				if time.Now().After(end) || ctx.Err() != nil {
					f.Complete = false
					return f
				}
			}
			if d.matches(s, q, low) && !add(s) {
				f.Complete = false
				return f
			}
		}
	}
	f.Rooms = append(f.Rooms, d.roomsLike(low, pageSize-len(f.Rooms), end)...)
	return f
}

func (d *Dashboard) matches(s *socketio.Socket, q, low string) bool {
	if strings.HasPrefix(s.ID(), q) || strings.HasPrefix(s.ConnectionID(), q) || strings.Contains(s.Handshake().Address, q) {
		return true
	}
	return d.opts.User != nil && strings.Contains(strings.ToLower(d.user(s)), low)
}

// roomsLike finds rooms by a part of their name.
func (d *Dashboard) roomsLike(low string, limit int, end time.Time) (views []roomView) {
	looked := 0
	for _, n := range d.srv.Namespaces() {
		for room, size := range n.Rooms() {
			if looked++; len(views) >= limit || looked%1024 == 0 && time.Now().After(end) {
				return views
			}
			if strings.Contains(strings.ToLower(room), low) {
				views = append(views, roomView{n.Name(), room, size})
			}
		}
	}
	return views
}

// offset returns where a page of a list begins.
func offset(r *http.Request) (int, error) {
	text := cmp.Or(r.FormValue("offset"), "0")
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > maxOffset {
		return 0, &statusError{http.StatusBadRequest, "offset must be from 0 to " + strconv.Itoa(maxOffset) + ": search instead"}
	}
	return n, nil
}

// serveSockets lists the sockets of a namespace, or of a room, a page at a time.
func (d *Dashboard) serveSockets(w http.ResponseWriter, r *http.Request) error {
	n, err := d.namespace(r.FormValue("ns"))
	if err != nil {
		return err
	}
	skip, err := offset(r)
	if err != nil {
		return err
	}
	list := struct {
		Sockets []socketView `json:"sockets"`
		Total   int          `json:"total"`
		More    bool         `json:"more"`
	}{Sockets: []socketView{}, Total: n.Size()}
	all := n.Sockets()
	if room := r.FormValue("room"); room != "" {
		list.Total = n.RoomSize(room)
		all = n.To(room).LocalSockets()
	}
	at := 0
	for s := range all {
		if at++; at <= skip {
			continue
		}
		if len(list.Sockets) == pageSize {
			list.More = true
			break
		}
		list.Sockets = append(list.Sockets, d.socketView(s))
	}
	reply(w, list)
	return nil
}

// serveRooms lists the largest rooms of this node, a page at a time, in all
// namespaces or one, by a part of their name.
func (d *Dashboard) serveRooms(w http.ResponseWriter, r *http.Request) error {
	skip, err := offset(r)
	if err != nil {
		return err
	}
	spaces := d.srv.Namespaces()
	if name := r.FormValue("ns"); name != "" {
		n, err := d.namespace(name)
		if err != nil {
			return err
		}
		spaces = []*socketio.Namespace{n}
	}
	done, err := d.searching(r)
	if err != nil {
		return err
	}
	defer done()
	low := strings.ToLower(r.FormValue("q"))
	top := largest{limit: skip + pageSize + 1}
	total := 0
	for _, n := range spaces {
		for room, size := range n.Rooms() {
			if low != "" && !strings.Contains(strings.ToLower(room), low) {
				continue
			}
			total++
			top.add(roomView{n.Name(), room, size})
		}
	}
	rooms := top.sorted()
	rooms = rooms[min(skip, len(rooms)):]
	reply(w, struct {
		Rooms []roomView `json:"rooms"`
		Total int        `json:"total"`
		More  bool       `json:"more"`
	}{append([]roomView{}, rooms[:min(len(rooms), pageSize)]...), total, len(rooms) > pageSize})
	return nil
}

// largest keeps the largest rooms of many, in a list that is sorted when it is
// twice as long as it need be.
type largest struct {
	limit int
	rooms []roomView
	least int // a room must be larger, once there are enough
}

func (l *largest) add(r roomView) {
	if r.Sockets < l.least {
		return
	}
	if l.rooms = append(l.rooms, r); len(l.rooms) >= 2*l.limit {
		l.rooms = l.sorted()
		l.least = l.rooms[len(l.rooms)-1].Sockets
	}
}

func (l *largest) sorted() []roomView {
	slices.SortFunc(l.rooms, func(a, b roomView) int {
		return cmp.Or(cmp.Compare(b.Sockets, a.Sockets), cmp.Compare(a.Room, b.Room), cmp.Compare(a.Namespace, b.Namespace))
	})
	return l.rooms[:min(len(l.rooms), l.limit)]
}
