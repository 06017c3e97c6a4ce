package ot

// A Sent is an operation on its way to the server.
type Sent struct {
	Op   Op
	Seen int // the version of the others' that the client had seen
	Seq  int
}

// A Client is a client's copy of a text. Edit changes it at once; what the others do
// is fitted in as it comes. It is for one goroutine at a time.
type Client struct {
	Text    *Text
	name    string
	version int
	seq     int
	pending []pending
	undo    [][]Op // what would undo each of the client's own edits, the last one last
}

// A pending operation has been sent and has no answer yet: it is kept in the form
// that it has after all that the client has seen.
type pending struct {
	seq int
	ops []Op
}

// maxUndo is how many edits can be undone.
const maxUndo = 200

// NewClient makes a client of a document as it was on joining. name is unique.
func NewClient(name, content string, version int) *Client {
	return &Client{Text: NewText(content), name: name, version: version}
}

// Version returns the version that the client has seen.
func (c *Client) Version() int { return c.version }

// Pending returns how many operations have no answer yet.
func (c *Client) Pending() int { return len(c.pending) }

// Edit changes the text and returns what to tell the server.
func (c *Client) Edit(op Op) (Sent, error) {
	inverse := Op{Type: Delete, Position: op.Position, Length: op.size()}
	if op.Type == Delete && op.Position >= 0 && op.Length > 0 && op.Position+op.Length <= c.Text.Len() {
		inverse = Op{Type: Insert, Position: op.Position, Text: c.Text.slice(op.Position, op.Position+op.Length)}
	}
	sent, err := c.do(op)
	if err == nil {
		if c.undo = append(c.undo, []Op{inverse}); len(c.undo) > maxUndo {
			c.undo = c.undo[1:]
		}
	}
	return sent, err
}

func (c *Client) do(op Op) (Sent, error) {
	if err := c.Text.Apply(op); err != nil {
		return Sent{}, err
	}
	c.seq++
	c.pending = append(c.pending, pending{c.seq, []Op{op}})
	return Sent{op, c.version, c.seq}, nil
}

// Undo takes back the client's own last edit, and leaves what others did meanwhile.
// There is nothing to send if nothing is left of it.
func (c *Client) Undo() ([]Sent, error) {
	for len(c.undo) > 0 {
		ops := c.undo[len(c.undo)-1]
		c.undo = c.undo[:len(c.undo)-1]
		var sent []Sent
		for _, op := range ops {
			s, err := c.do(op)
			if err != nil {
				return sent, err
			}
			sent = append(sent, s)
		}
		if sent != nil {
			return sent, nil
		}
	}
	return nil, nil
}

// Receive takes what the server says was done, in order: operations of others, and
// the client's own.
func (c *Client) Receive(d Done) error {
	c.version = d.Version
	if d.Client == c.name {
		c.Answered(d.Seq, d.Version)
		return nil
	}
	theirs := []Op{d.Op}
	for i := range c.pending {
		c.pending[i].ops, theirs = Transform(c.pending[i].ops, theirs)
	}
	for _, op := range theirs {
		if err := c.Text.Apply(op); err != nil {
			return err
		}
	}
	// What undoes the last edit is made to the text of now, what undoes the one
	// before to the text without the last edit, and so on.
	for i := len(c.undo) - 1; i >= 0; i-- {
		c.undo[i], theirs = Transform(c.undo[i], theirs)
	}
	return nil
}

// Answered says that the client's operation of this number has been done, and the
// version after it.
func (c *Client) Answered(seq, version int) {
	c.version = max(c.version, version)
	for len(c.pending) > 0 && c.pending[0].seq <= seq {
		c.pending = c.pending[1:]
	}
}

// Again returns what has no answer, to be sent on a new connection once all that the
// client missed has been received.
func (c *Client) Again() []Sent {
	old := c.pending
	c.pending = nil
	var sent []Sent
	for _, p := range old {
		for _, op := range p.ops {
			c.seq++
			c.pending = append(c.pending, pending{c.seq, []Op{op}})
			sent = append(sent, Sent{op, c.version, c.seq})
		}
	}
	return sent
}
