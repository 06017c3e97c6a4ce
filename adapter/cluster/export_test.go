package cluster

// Absences is how many absences this node looks after.
func (a *Ordered) Absences() int {
	a.sessionsMu.Lock()
	defer a.sessionsMu.Unlock()
	return len(a.absences)
}

// LetsGo reports whether a message is the answer of a node that was asked for a
// session.
func LetsGo(m *Message) bool { return m.Type == sessionResponse }

// Kept is how many sessions this node has, and remembers to have let go.
func (a *Ordered) Kept() (sessions, handed int) {
	a.sessionsMu.Lock()
	defer a.sessionsMu.Unlock()
	return len(a.sessions), len(a.handed)
}

// Asks reports whether a message asks a node for a session; EmptyAnswer is one to it
// that no node of ours gives.
func Asks(m *Message) bool { return m.Type == sessionRequest }

func EmptyAnswer(m *Message, uid string) *Message {
	return &Message{Type: sessionResponse, UID: uid, NSP: m.NSP, RequestID: m.RequestID, Values: Values{JSON: []byte("[]")}}
}

// DecodeSlowly and EncodeSlowly are the ways that nothing takes but what is unusual.
var DecodeSlowly = decode

func EncodeSlowly(m *Message) ([]byte, error) {
	w, err := m.wire()
	if err != nil {
		return nil, err
	}
	return marshal(w, len(m.Values.Attachments) > 0)
}
