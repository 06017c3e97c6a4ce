package ot

// KeptHistory is how many operations a Document remembers: who is not further
// behind than that can go on where they were.
const KeptHistory = 1000

// MaxLength is how long a document may be, in UTF-16 code units.
const MaxLength = 1 << 20

// A Done is an operation of the history.
type Done struct {
	Op      Op     `json:"operation"`
	Version int    `json:"version"` // of the text after it
	Author  string `json:"author"`  // the session
	Client  string `json:"client,omitempty"`
	Seq     int    `json:"seq,omitempty"` // the author's own number
}

// A Document is the server's copy of a text, and the order in which everything
// happened. It is for one goroutine at a time.
type Document struct {
	Text    *Text
	version int
	history []Done // the last ones; the last of all has the version
	clients map[string]*Session
}

// NewDocument makes a document as it was stored.
func NewDocument(content string, version int) *Document {
	return &Document{Text: NewText(content), version: version, clients: make(map[string]*Session)}
}

// Version returns how many operations have been done.
func (d *Document) Version() int { return d.version }

// Since returns what was done after a version; false if it is not known any more,
// or not yet.
func (d *Document) Since(version int) ([]Done, bool) {
	missed := d.version - version
	if missed < 0 || missed > len(d.history) {
		return nil, false
	}
	return d.history[len(d.history)-missed:], true
}

// An unseen operation is one of somebody else, as it is for a client.
type unseen struct {
	version int
	ops     []Op
}

// A Session is one client at work on a document.
//
// A client does not wait for an answer before it goes on typing: its operations
// belong to the text with all that it did itself and with what it had seen of the
// others. unseen are the operations of others that it had not seen when it did its
// last one, in the form that they have for the client.
type Session struct {
	ID     string
	client string
	doc    *Document
	unseen []unseen
	upTo   int // the version up to which unseen and what the client has seen go
	seen   int
	seq    int
}

// Join begins a session. client, if not "", is a name that a client keeps across
// connections: a new session of it ends the one before.
func (d *Document) Join(id, client string) *Session {
	s := &Session{ID: id, client: client, doc: d, upTo: d.version, seen: d.version}
	if client != "" {
		for _, done := range d.history {
			if done.Client == client {
				s.seq = max(s.seq, done.Seq)
			}
		}
		d.clients[client] = s
	}
	return s
}

// Leave ends the session.
func (s *Session) Leave() {
	if s.client != "" && s.doc.clients[s.client] == s {
		delete(s.doc.clients, s.client)
	}
}

// Do carries out an operation of the client, who has seen the others' up to a
// version. It returns what was done to the text: one operation, none if others had
// deleted it all already, two if somebody typed into what it deletes. An operation
// with a seq that was done before is not done again.
func (s *Session) Do(op Op, seen, seq int) ([]Done, error) {
	d := s.doc
	if err := op.check(); err != nil {
		return nil, err
	}
	if s.client != "" && d.clients[s.client] != s {
		return nil, ErrReplaced
	}
	if seen > d.version || seen < 0 {
		return nil, ErrBadOp
	}
	if seq != 0 && seq <= s.seq {
		return nil, nil
	}
	seen = max(seen, s.seen)
	recent, ok := d.Since(max(seen, s.upTo))
	if !ok || s.tooFar(seen, len(recent)) {
		return nil, ErrTooFar
	}
	// Each of the others' goes past this one, and this one past each of them.
	ops := []Op{op}
	var still []unseen
	past := func(version int, theirs []Op) {
		ops, theirs = Transform(ops, theirs)
		still = append(still, unseen{version, theirs})
	}
	for _, u := range s.unseen {
		if u.version > seen {
			past(u.version, u.ops)
		}
	}
	for _, r := range recent {
		past(r.Version, []Op{r.Op})
	}
	if err := d.fits(ops); err != nil {
		return nil, err
	}
	s.unseen, s.seen, s.seq = still, seen, max(s.seq, seq)
	first := len(d.history)
	for _, o := range ops {
		if err := d.Text.Apply(o); err != nil {
			panic("ot: an operation that fits does not: " + err.Error())
		}
		d.version++
		d.history = append(d.history, Done{Op: o, Version: d.version, Author: s.ID, Client: s.client, Seq: seq})
	}
	done := append([]Done(nil), d.history[first:]...)
	s.upTo = d.version
	if len(d.history) > 2*KeptHistory {
		d.history = append([]Done(nil), d.history[len(d.history)-KeptHistory:]...)
	}
	return done, nil
}

// tooFar reports whether there is more that the client has not seen than a session
// keeps: operations of others, or, where its own ones are many, the pieces into which
// those cut the others' deletions.
func (s *Session) tooFar(seen, recent int) bool {
	n, pieces := recent, recent
	for _, u := range s.unseen {
		if u.version > seen {
			n++
			pieces += len(u.ops)
		}
	}
	return n > KeptHistory || pieces > KeptHistory && s.doc.version-seen > KeptHistory
}

// fits checks what became of one operation before any of it is done. If it is
// several deletions, they are those of its parts that are left, from left to right.
func (d *Document) fits(ops []Op) error {
	removed := 0
	for _, o := range ops {
		start := o.Position + removed // in the text of now
		end := start
		if o.Type == Delete {
			end += o.Length
			removed += o.Length
		} else if d.Text.Len()+o.size() > MaxLength {
			return ErrTooLong
		}
		if end < start || end > d.Text.Len() {
			return ErrOutside
		}
		if d.Text.splits(start) || d.Text.splits(end) {
			return ErrSplits
		}
	}
	return nil
}
