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
