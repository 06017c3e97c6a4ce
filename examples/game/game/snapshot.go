package game

import (
	"encoding/binary"
	"errors"
)

// A Frame is the world at one moment as it is sent: places in units of 1/32 pixel.
type Frame struct {
	Tick    uint32
	Players []PlayerState
	Eggs    []EggState
}

// A PlayerState is a player of a Frame.
type PlayerState struct {
	X, Y  uint16
	Score uint16
	Input uint16 // the last input that was taken into account
	Age   uint8  // frames since then, at most 255
	Away  bool
}

// An EggState is where an egg is.
type EggState struct{ X, Y uint16 }

const (
	scale = 32 // 1600 * 32 fits into 16 bits

	// keyEvery is how many frames apart whole snapshots are. The others are the
	// difference to the last whole one, not to the one before: snapshots are
	// volatile, and who missed one must not miss what comes after.
	keyEvery = 30
)

// The fields of a player that a difference has.
const (
	hasPlace = 1 << iota
	hasScore
	hasInput
	hasAge
	isAway
)

// AppendSnapshot encodes f, as the difference to base unless that is nil. The form:
//
//	tick uint32, base tick uint32 (the same for a whole one),
//	number of players uint8, of those that changed uint8, for each:
//	  slot uint8, mask uint8, and by the mask x, y uint16; score uint16; input uint16; age uint8
//	number of eggs uint8, of those that changed uint8, for each: index uint8, x, y uint16
//
// all big-endian.
func AppendSnapshot(b []byte, f, base *Frame) []byte {
	b = binary.BigEndian.AppendUint32(b, f.Tick)
	if base == nil {
		b = binary.BigEndian.AppendUint32(b, f.Tick)
	} else {
		b = binary.BigEndian.AppendUint32(b, base.Tick)
	}
	b = append(b, uint8(len(f.Players)), 0)
	count := len(b) - 1
	for i, p := range f.Players {
		mask := uint8(hasPlace | hasScore | hasInput | hasAge)
		if base != nil && i < len(base.Players) {
			mask = changes(p, base.Players[i])
		}
		if p.Away {
			mask |= isAway
		}
		if mask == 0 || mask == isAway && base != nil && i < len(base.Players) && base.Players[i].Away {
			continue
		}
		b[count]++
		b = append(b, uint8(i), mask)
		if mask&hasPlace != 0 {
			b = binary.BigEndian.AppendUint16(b, p.X)
			b = binary.BigEndian.AppendUint16(b, p.Y)
		}
		if mask&hasScore != 0 {
			b = binary.BigEndian.AppendUint16(b, p.Score)
		}
		if mask&hasInput != 0 {
			b = binary.BigEndian.AppendUint16(b, p.Input)
		}
		if mask&hasAge != 0 {
			b = append(b, p.Age)
		}
	}
	b = append(b, uint8(len(f.Eggs)), 0)
	count = len(b) - 1
	for i, e := range f.Eggs {
		if base != nil && i < len(base.Eggs) && base.Eggs[i] == e {
			continue
		}
		b[count]++
		b = append(b, uint8(i))
		b = binary.BigEndian.AppendUint16(b, e.X)
		b = binary.BigEndian.AppendUint16(b, e.Y)
	}
	return b
}

func changes(p, was PlayerState) (mask uint8) {
	if p.X != was.X || p.Y != was.Y {
		mask |= hasPlace
	}
	if p.Score != was.Score {
		mask |= hasScore
	}
	if p.Input != was.Input {
		mask |= hasInput
	}
	if p.Age != was.Age {
		mask |= hasAge
	}
	if p.Away != was.Away && mask == 0 {
		mask |= hasAge // so that it is there at all
	}
	return mask
}

// The ways in which a snapshot can be wrong.
var (
	ErrSnapshot = errors.New("snapshot is malformed")
	ErrNoBase   = errors.New("snapshot is the difference to one that is not there")
)

// BaseTick returns the tick of the snapshot to which b is the difference, and
// whether it is a whole one.
func BaseTick(b []byte) (tick uint32, whole bool, err error) {
	if len(b) < 8 {
		return 0, false, ErrSnapshot
	}
	tick = binary.BigEndian.Uint32(b[4:])
	return tick, tick == binary.BigEndian.Uint32(b), nil
}

// ParseSnapshot decodes what AppendSnapshot made. base is not changed.
func ParseSnapshot(b []byte, base *Frame) (*Frame, error) {
	baseTick, whole, err := BaseTick(b)
	if err != nil {
		return nil, err
	}
	f := &Frame{Tick: binary.BigEndian.Uint32(b)}
	if !whole {
		if base == nil || base.Tick != baseTick {
			return nil, ErrNoBase
		}
		f.Players = append(f.Players, base.Players...)
		f.Eggs = append(f.Eggs, base.Eggs...)
	}
	r := reader{b: b[8:]}
	f.Players = resize(f.Players, int(r.u8()))
	for range r.u8() {
		i, mask := int(r.u8()), r.u8()
		if i >= len(f.Players) {
			return nil, ErrSnapshot
		}
		p := &f.Players[i]
		if mask&hasPlace != 0 {
			p.X, p.Y = r.u16(), r.u16()
		}
		if mask&hasScore != 0 {
			p.Score = r.u16()
		}
		if mask&hasInput != 0 {
			p.Input = r.u16()
		}
		if mask&hasAge != 0 {
			p.Age = r.u8()
		}
		p.Away = mask&isAway != 0
	}
	f.Eggs = resize(f.Eggs, int(r.u8()))
	for range r.u8() {
		i := int(r.u8())
		if i >= len(f.Eggs) {
			return nil, ErrSnapshot
		}
		f.Eggs[i] = EggState{r.u16(), r.u16()}
	}
	if r.short || len(r.b) > 0 {
		return nil, ErrSnapshot
	}
	return f, nil
}

func resize[T any](s []T, n int) []T {
	if n <= len(s) {
		return s[:n]
	}
	return append(s, make([]T, n-len(s))...)
}

// A reader takes numbers off bytes, and zeros when there are no more.
type reader struct {
	b     []byte
	short bool
}

func (r *reader) u8() uint8 {
	if len(r.b) < 1 {
		r.short = true
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *reader) u16() uint16 { return uint16(r.u8())<<8 | uint16(r.u8()) }
