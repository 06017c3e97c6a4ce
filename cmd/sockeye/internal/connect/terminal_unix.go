//go:build unix

package connect

import (
	"os"
	"os/signal"
	"syscall"
)

// enableEscapes is for Windows.
func enableEscapes(*os.File) {}

// onResize calls f when the window changes its size, until stop is called.
func onResize(f func()) (stop func()) {
	c := make(chan os.Signal, 1)
	done := make(chan struct{})
	signal.Notify(c, syscall.SIGWINCH)
	go func() {
		for {
			select {
			case <-c:
				f()
			case <-done:
				return
			}
		}
	}()
	return func() { signal.Stop(c); close(done) }
}
