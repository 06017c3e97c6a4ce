package parser

import (
	"reflect"
	"strconv"
)

// An Error is a violation of the protocol. Its text is that of the original
// where the original has one, so that logs of both read alike. Compare with
// errors.Is and the variables below.
type Error struct{ Message string }

func (e *Error) Error() string { return e.Message }

// The errors of Decode and Reassembler that the original has too.
var (
	ErrIllegalAttachmentCount = &Error{"Illegal attachments"}
	ErrTooManyAttachments     = &Error{"too many attachments"}
	ErrIllegalAttachments     = &Error{"illegal attachments"} // a placeholder that refers to none
	ErrInvalidPayload         = &Error{"invalid payload"}
	ErrInvalidID              = &Error{"invalid packet id"}
	ErrUnexpectedText         = &Error{"got plaintext data when reconstructing a packet"}
	ErrUnexpectedBinary       = &Error{"got binary data when not reconstructing a packet"}
)

// The errors of limits that the original does not have.
var (
	ErrTooDeep             = &Error{"payload is nested too deeply"}
	ErrTooManyArguments    = &Error{"too many arguments"}
	ErrEventNameTooLong    = &Error{"event name is too long"}
	ErrNamespaceTooLong    = &Error{"namespace is too long"}
	ErrAttachmentsTooLarge = &Error{"attachments are too large"}
)

var errNotANumber = &Error{"unknown packet type NaN"}

// unknownType words the first character as Number() of JavaScript would.
func unknownType(c byte) error {
	if c < '0' || c > '9' {
		return errNotANumber
	}
	return &Error{"unknown packet type " + string(rune(c))}
}

// An EncodeError is a packet that Encode cannot build, for reasons other than
// a value that has no JSON form; those errors are encoding/json's own.
type EncodeError struct{ Message string }

func (e *EncodeError) Error() string { return e.Message }

// A BinaryError reports that binary data met something else in Unmarshal: a
// []byte in the handler's type, or an attachment in the packet, without its
// counterpart.
type BinaryError struct {
	Field string       // path to the field, "" for the argument itself
	Got   string       // what arrived: "a string", "binary data", ...
	Type  reflect.Type // what it should have become
}

func (e *BinaryError) Error() string {
	where := ""
	if e.Field != "" {
		where = "field " + strconv.Quote(e.Field) + ": "
	}
	if e.Got == GotBinary {
		return where + "got binary data where " + e.Type.String() + " is expected"
	}
	return where + "got " + e.Got + " where binary data (" + e.Type.String() + ") is expected"
}

// GotBinary is the Got of a [BinaryError] about binary data that came where it does
// not fit.
const GotBinary = "binary data"
