package parser

// IsReserved reports whether an event name has a meaning of its own, so that
// it must neither be emitted nor accepted.
func IsReserved(event string) bool {
	switch event {
	case "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener":
		return true
	}
	return false
}
