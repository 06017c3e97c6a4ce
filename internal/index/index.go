// Package index finds values by a name that they know themselves: a map from string to
// pointer in a third of its memory, as the names are not in it a second time.
package index

import (
	"hash/maphash"
	"iter"
)

// An Index holds pointers by name. It is not safe for concurrent use; Get and All may
// run beside each other.
//
// It is a table with open addressing: a value is in the first free slot from the one on
// that its name falls to.
type Index[T any] struct {
	name  func(*T) string // that of a value must not change while it is here
	seed  maphash.Seed    // nobody can choose names that fall together
	slots []*T            // a power of two of them, at least a quarter free
	n     int
}

// New returns an empty Index of values with such names.
func New[T any](name func(*T) string) Index[T] {
	return Index[T]{name: name, seed: maphash.MakeSeed()}
}

// Len returns how many values there are.
func (x *Index[T]) Len() int { return x.n }

// Get returns the value of this name, nil if there is none.
func (x *Index[T]) Get(name string) *T {
	if x.n == 0 {
		return nil
	}
	return x.slots[x.find(name)]
}

// Set adds v, in place of another of its name.
func (x *Index[T]) Set(v *T) {
	if 4*(x.n+1) > 3*len(x.slots) {
		x.resize(max(8, 2*len(x.slots)))
	}
	i := x.find(x.name(v))
	if x.slots[i] == nil {
		x.n++
	}
	x.slots[i] = v
}

// Delete takes the value of this name away, if there is one.
func (x *Index[T]) Delete(name string) {
	if x.n == 0 {
		return
	}
	i := x.find(name)
	if x.slots[i] == nil {
		return
	}
	x.slots[i] = nil
	x.n--
	if len(x.slots) > 8 && 8*x.n < len(x.slots) {
		x.resize(len(x.slots) / 2)
		return
	}
	// What follows without a gap may be there because this slot was taken.
	for j := x.after(i); x.slots[j] != nil; j = x.after(j) {
		v := x.slots[j]
		x.slots[j] = nil
		x.slots[x.find(x.name(v))] = v
	}
}

// All yields the values, in no order. The Index must not be changed meanwhile.
func (x *Index[T]) All() iter.Seq[*T] {
	return func(yield func(*T) bool) {
		for _, v := range x.slots {
			if v != nil && !yield(v) {
				return
			}
		}
	}
}

// find returns the slot of a name: where its value is, or would be.
func (x *Index[T]) find(name string) int {
	i := int(maphash.String(x.seed, name)) & (len(x.slots) - 1)
	for x.slots[i] != nil && x.name(x.slots[i]) != name {
		i = x.after(i)
	}
	return i
}

func (x *Index[T]) after(i int) int { return (i + 1) & (len(x.slots) - 1) }

func (x *Index[T]) resize(slots int) {
	old := x.slots
	x.slots = make([]*T, slots)
	for _, v := range old {
		if v != nil {
			x.slots[x.find(x.name(v))] = v
		}
	}
}
