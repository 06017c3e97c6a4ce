// Package ot is operational transformation of plain text: people type at once, each
// into the text as they see it, and all come to see the same.
//
// A text is a sequence of UTF-16 code units, as it is in a browser. An operation
// inserts or deletes at one place. [Transform] is the heart: given a and b, both made
// to the same text, it says what a is after b and b after a, so that either order
// ends in the same text, nothing that was inserted is deleted by somebody who did not
// see it, and nothing is doubled.
//
// [Document] is the server's side and [Client] the other; between them messages must
// arrive in order, as they do on one socket. page/ot.js is the same client for
// browsers.
package ot

import (
	"errors"
	"unicode/utf16"
)

// An Op is one change. It has Text if it inserts, and Length if it deletes.
type Op struct {
	Type     string `json:"type"` // Insert or Delete
	Position int    `json:"position"`
	Text     string `json:"text,omitempty"`
	Length   int    `json:"length,omitempty"`
}

// The types of an Op.
const (
	Insert = "insert"
	Delete = "delete"
)

// The ways in which an operation can be wrong.
var (
	ErrBadOp    = errors.New("operation makes no sense")
	ErrOutside  = errors.New("operation is outside of the text")
	ErrSplits   = errors.New("operation splits a character")
	ErrTooLong  = errors.New("document is too long")
	ErrTooFar   = errors.New("too far behind") // the history does not go back so far
	ErrReplaced = errors.New("the client has connected again")
)

// Units returns the length of s in UTF-16 code units.
func Units(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// size is how many units an operation inserts or deletes.
func (o Op) size() int {
	if o.Type == Insert {
		return Units(o.Text)
	}
	return o.Length
}

func (o Op) check() error {
	switch {
	case o.Type == Insert && o.Text != "" && o.Length == 0 && o.Position >= 0:
		return nil
	case o.Type == Delete && o.Length > 0 && o.Text == "" && o.Position >= 0:
		return nil
	}
	return ErrBadOp
}

// Transform returns what a is after b, and b after a. Both were made to the same
// text; b was first, so that of two inserts at one place its text is the left one.
func Transform(a, b []Op) (a2, b2 []Op) {
	if len(a) == 0 || len(b) == 0 {
		return a, b
	}
	for _, x := range a {
		xs := []Op{x}
		past := make([]Op, 0, len(b)+1)
		for _, y := range b {
			var ys []Op
			xs, ys = across(xs, y)
			past = append(past, ys...)
		}
		a2, b = append(a2, xs...), past
	}
	return a2, b
}

// across is Transform for one y.
func across(xs []Op, y Op) (xs2, ys []Op) {
	if len(xs) == 1 {
		return after(xs[0], y, false), after(y, xs[0], true)
	}
	ys = []Op{y}
	for _, x := range xs {
		var x2 []Op
		x2, ys = Transform([]Op{x}, ys)
		xs2 = append(xs2, x2...)
	}
	return xs2, ys
}

// after returns what o is once b has been done: two operations if b inserted into
// what o deletes, none if b deleted all of it.
func after(o, b Op, left bool) []Op {
	n := b.size()
	end := b.Position + n
	switch {
	case o.Type == Insert && b.Type == Insert:
		if b.Position < o.Position || b.Position == o.Position && !left {
			o.Position += n
		}
	case o.Type == Insert: // b deletes
		if o.Position >= end {
			o.Position -= n
		} else if o.Position > b.Position {
			o.Position = b.Position
		}
	case b.Type == Insert:
		switch last := o.Position + o.Length; {
		case b.Position <= o.Position:
			o.Position += n
		case b.Position < last:
			// Two steps: what is before the new text, and then what is behind it.
			before := b.Position - o.Position
			return []Op{
				{Type: Delete, Position: o.Position, Length: before},
				{Type: Delete, Position: o.Position + n, Length: o.Length - before},
			}
		}
	default: // both delete
		last := o.Position + o.Length
		common := max(0, min(last, end)-max(o.Position, b.Position))
		if o.Length -= common; o.Length == 0 {
			return nil
		}
		o.Position -= max(0, min(o.Position, end)-b.Position)
	}
	return []Op{o}
}

// MovePosition returns where a position, of a cursor for one, is after op.
func MovePosition(p int, op Op) int {
	return after(Op{Type: Insert, Position: p, Text: "x"}, op, true)[0].Position
}

// A Text is a text that operations change.
type Text struct{ units []uint16 }

// NewText makes a Text.
func NewText(s string) *Text { return &Text{utf16.Encode([]rune(s))} }

func (t *Text) String() string { return string(utf16.Decode(t.units)) }

// Len returns the length in UTF-16 code units.
func (t *Text) Len() int { return len(t.units) }

// Apply changes the text. An operation that does not fit changes nothing.
func (t *Text) Apply(o Op) error {
	if err := o.check(); err != nil {
		return err
	}
	end := o.Position
	if o.Type == Delete {
		if end += o.Length; end < 0 {
			return ErrOutside
		}
	}
	if end > len(t.units) {
		return ErrOutside
	}
	if t.splits(o.Position) || t.splits(end) {
		return ErrSplits
	}
	if o.Type == Delete {
		t.units = append(t.units[:o.Position], t.units[end:]...)
		return nil
	}
	added := utf16.Encode([]rune(o.Text))
	grown := append(t.units, added...)
	copy(grown[o.Position+len(added):], t.units[o.Position:])
	copy(grown[o.Position:], added)
	t.units = grown
	return nil
}

// splits reports whether a position is in the middle of a surrogate pair.
func (t *Text) splits(p int) bool {
	return p > 0 && p < len(t.units) && utf16.IsSurrogate(rune(t.units[p-1])) &&
		t.units[p-1] < 0xdc00 && t.units[p] >= 0xdc00 && t.units[p] < 0xe000
}

// slice returns a part of the text.
func (t *Text) slice(from, to int) string { return string(utf16.Decode(t.units[from:to])) }
