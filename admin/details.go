package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/sockeye-go/socketio"
)

// maxRoomsShown is how many rooms of one socket are listed.
const maxRoomsShown = 200

// maxDataShown is how much of the data of a socket is shown, in bytes of JSON.
const maxDataShown = 16 << 10

// A detailView is all that is shown of one socket.
type detailView struct {
	socketView
	Connection string   `json:"connection"`
	RoomNames  []string `json:"roomNames"`
	Handshake  any      `json:"handshake"` // without secrets
	Data       any      `json:"data"`
	Buffered   int      `json:"buffered"` // bytes that wait for the client
	Packets    int      `json:"packets"`  // that wait
	Recovered  bool     `json:"recovered"`
}

// serveSocket describes a socket of any node.
func (d *Dashboard) serveSocket(w http.ResponseWriter, r *http.Request) error {
	n, err := d.namespace(r.FormValue("ns"))
	if err != nil {
		return err
	}
	id := r.FormValue("id")
	if s, ok := n.Socket(id); ok {
		v := d.detail(s)
		reply(w, v)
		return nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), nodeTime)
	defer cancel()
	remote, err := n.To(id).FetchSockets(ctx)
	for _, one := range remote {
		if one.ID() == id {
			reply(w, remoteDetail(one, n.Name()))
			return nil
		}
	}
	if err != nil {
		return &statusError{http.StatusBadGateway, "another node does not answer: " + err.Error()}
	}
	return notFound("there is no socket %s: it has left", strings.ToValidUTF8(id, "?"))
}

func (d *Dashboard) detail(s *socketio.Socket) detailView {
	handshake, data := s.Describe()
	v := detailView{
		socketView: d.socketView(s), Connection: s.ConnectionID(), Recovered: s.Recovered(),
		Handshake: maskedHandshake(handshake), Data: shownData(data),
	}
	v.RoomNames = append([]string{}, s.Rooms()...)
	v.RoomNames = v.RoomNames[:min(len(v.RoomNames), maxRoomsShown)]
	v.Buffered, v.Packets = s.Buffered()
	return v
}

func remoteDetail(r *socketio.RemoteSocket, namespace string) detailView {
	rooms := r.Rooms()
	v := detailView{Handshake: maskedHandshake(r.Handshake()), Data: shownData(r.Data())}
	v.ID, v.Namespace, v.Rooms = r.ID(), namespace, len(rooms)
	v.RoomNames = append([]string{}, rooms[:min(len(rooms), maxRoomsShown)]...)
	var h struct {
		Address string `json:"address"`
		Issued  int64  `json:"issued"`
	}
	if json.Unmarshal(rawOr(r.Handshake()), &h) == nil {
		v.Address, v.Since = h.Address, h.Issued
	}
	v.Node = "another"
	return v
}

// maskedHandshake hides what a client used to prove who it is: all of auth, and
// of the rest what looks like a secret. The URL repeats the query.
func maskedHandshake(raw json.RawMessage) any {
	h, _ := masked(raw, false).(map[string]any)
	if url, ok := h["url"].(string); ok {
		h["url"], _, _ = strings.Cut(url, "?")
	}
	if a, ok := h["auth"]; ok {
		var plain map[string]json.RawMessage
		if json.Unmarshal(raw, &plain) == nil {
			a = masked(plain["auth"], true)
		}
		h["auth"] = a
	}
	return h
}

func shownData(raw json.RawMessage) any {
	if len(raw) > maxDataShown {
		return hidden + " (too long to be shown)"
	}
	data := masked(raw, false)
	if m, ok := data.(map[string]any); ok {
		delete(m, adminKeyName)
	}
	return data
}
