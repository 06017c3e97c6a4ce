package connect

import (
	"os"

	"golang.org/x/sys/windows"
)

// enableEscapes makes a console of Windows obey escape sequences.
func enableEscapes(out *os.File) {
	var mode uint32
	h := windows.Handle(out.Fd())
	if windows.GetConsoleMode(h, &mode) == nil {
		_ = windows.SetConsoleMode(h, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING)
	}
}

// onResize has no signal to wait for; the size is that of the beginning.
func onResize(func()) (stop func()) { return func() {} }
