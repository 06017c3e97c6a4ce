package index

func (x *Index[T]) Slots() int { return len(x.slots) }
