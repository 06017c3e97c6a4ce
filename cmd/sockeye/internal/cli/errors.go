// Package cli is what the commands of sockeye share: exit codes, errors that say
// what to do next, colours, and the flags that name a server.
package cli

import (
	"errors"
	"fmt"
	"io"
)

// Exit codes, the same for every command.
const (
	OK          = 0  // done, and what was asked is so
	No          = 1  // it was tried, and is not so: not seen in time, slower than the SLO, something found wrong
	Unreachable = 2  // there is no connection, or the server refused it
	Usage       = 64 // the command line is not understood (EX_USAGE)
)

// An Error ends a command with a code, and says what to do next.
type Error struct {
	Code int
	Err  error
	Hint string // a sentence; "" if there is none to give
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Failf is an Error with code No.
func Failf(hint, format string, args ...any) *Error {
	return &Error{Code: No, Err: fmt.Errorf(format, args...), Hint: hint}
}

// Usagef is an Error about the command line.
func Usagef(hint, format string, args ...any) *Error {
	return &Error{Code: Usage, Err: fmt.Errorf(format, args...), Hint: hint}
}

// Silent ends a command with a code and without a word: all has been said.
func Silent(code int) error {
	if code == OK {
		return nil
	}
	return &Error{Code: code}
}

// Report prints err and returns the code to exit with.
func Report(w io.Writer, command string, err error) int {
	if err == nil {
		return OK
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		e = &Error{Code: No, Err: err}
	}
	if e.Err == nil {
		return e.Code
	}
	s := StyleOf(w)
	fmt.Fprintf(w, "%s %v\n", s.Red(command+":"), err)
	if e.Hint != "" {
		fmt.Fprintf(w, "%s %s\n", s.Dim("→"), e.Hint)
	}
	return e.Code
}
