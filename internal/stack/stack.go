// Package stack spares new goroutines the copying of their stack.
package stack

// Grow makes the stack of a new goroutine as large as handlers need at once, while
// there is next to nothing on it to be copied: growing it later, and twice, costs
// more than a small event.
//
//go:noinline
func Grow() {
	var room [6 << 10]byte
	keep(&room)
}

//go:noinline
func keep(*[6 << 10]byte) {}
