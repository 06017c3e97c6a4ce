package poll

import "testing"

// TestLossyMarks: a queue that is never empty does not remember which of what has long
// been written might have been dropped.
func TestLossyMarks(t *testing.T) {
	o := newOutbox()
	defer o.free()
	o.push([]byte("first"))
	for range 100_000 {
		o.push([]byte("lossy"))
		o.markLast()
		if !o.advance(5) { // the one before
			continue
		}
	}
	if o.len() != 1 || len(o.lossy) > 2 || cap(o.lossy) > 1000 {
		t.Errorf("%d wait; %d marks, room for %d", o.len(), len(o.lossy), cap(o.lossy))
	}
	if !o.dropOldest() || o.len() != 0 || o.dropOldest() {
		t.Errorf("%d are left", o.len())
	}
}
