package cluster

// Absences is how many absences this node looks after.
func (a *Ordered) Absences() int {
	a.sessionsMu.Lock()
	defer a.sessionsMu.Unlock()
	return len(a.absences)
}
