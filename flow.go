package socketio

// flow holds a client back that sends faster than its handlers work. It counts
// what waits or is being handled, over all sockets of a connection, and pauses
// the session above the limits. While a handler waits for an ack of this very
// client, reading must go on, or both would wait for ever; then only a hard
// limit counts. Guarded by connection.mu.
type flow struct {
	bytes   int
	events  int32
	waiting int32 // handlers that wait for an ack
}

// received counts an event and returns the name of the limit beyond which it is
// not bearable any more, "" if it is. c.mu is held.
func (c *connection) received(size int) (limit string) {
	f, o := &c.flow, c.srv.opts
	f.events++
	f.bytes += size
	switch {
	case int(f.events) > hardFactor*o.MaxReceivedEvents:
		return "MaxReceivedEvents"
	case f.bytes > hardFactor*o.MaxReceivedBytes:
		return "MaxReceivedBytes"
	}
	c.decide()
	return ""
}

// Held implements [engineio.Holder].
func (c *connection) Held() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.flow.bytes + c.look().parts
}

// gathered notes the attachments that wait for others.
func (c *connection) gathered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if size := int(c.parts.Size()); size != c.look().parts {
		c.need().parts = size
		c.tidy()
	}
}

// handled is the opposite of received. c.mu is held.
func (c *connection) handled(size int) {
	c.flow.events--
	c.flow.bytes -= size
	if c.look().leaving != nil && c.flow.events == 0 {
		go c.shut()
	}
	c.decide()
}

// waits is called with 1 when something begins to wait for an ack of this
// client, and with -1 when it ends.
func (c *connection) waits(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flow.waiting += int32(n)
	c.decide()
}

// decide pauses above the limits and resumes below half of them, so that a busy
// client does not make the session go back and forth at every event.
func (c *connection) decide() {
	f, o := &c.flow, c.srv.opts
	events := int(f.events)
	paused := c.look().paused
	leaving := c.look().leaving != nil // nothing new is read
	above := leaving || events >= o.MaxReceivedEvents || f.bytes >= o.MaxReceivedBytes
	below := !leaving && events <= o.MaxReceivedEvents/2 && f.bytes <= o.MaxReceivedBytes/2
	switch {
	case !paused && above && f.waiting == 0:
		c.need().paused = true
		c.sess.Pause()
	case paused && (below || f.waiting > 0):
		c.rare.paused = false
		c.tidy()
		c.sess.Resume()
	}
}
