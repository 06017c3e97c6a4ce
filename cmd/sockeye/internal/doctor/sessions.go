package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// stickiness is what the check of it came to.
type stickiness int

const (
	untried stickiness = iota
	sticks
	sticksByCookie
	loose
)

// stickyCheck makes sessions, each request on a connection of its own, as from
// clients that come and go.
func (e *examination) stickyCheck(ctx context.Context) verdict {
	plain, total, err := e.follow(ctx, false)
	if err != nil {
		return fail("", "%v", err)
	}
	if plain == total {
		e.sticky = sticks
		return ok("all of %d sessions found their server again, without cookies", total)
	}
	withCookies, total, err := e.follow(ctx, true)
	if err != nil {
		return fail("", "%v", err)
	}
	if withCookies == total {
		e.sticky = sticksByCookie
		return ok("all of %d sessions found their server again by a cookie; pages of other origins need withCredentials: true", total)
	}
	e.sticky = loose
	return fail("There is more than one server, and the requests of one session go to any of them: \"Session ID unknown\", and clients that reconnect for ever. "+
		"Polling, and the upgrade from it, need a balancer that sends a client to the same server.",
		"%d of %d sessions were lost on the next request", total-withCookies, total).with(mendSticky(e.proxy)...)
}

// follow makes sessions and returns how many were known on every later request.
func (e *examination) follow(ctx context.Context, cookies bool) (known, total int, err error) {
	for range e.options.handshakes {
		var jar http.CookieJar
		if cookies {
			jar = newJar()
		}
		c := e.client(true, jar)
		h, _, err := e.open(ctx, c)
		if err != nil {
			return known, total, err
		}
		total++
		lost := false
		for range 3 {
			_, err := e.post(ctx, c, h.SID, noop)
			if unknownSession(err) {
				lost = true
				break
			}
			if err != nil {
				return known, total, err
			}
		}
		if !lost {
			known++
		}
		e.leave(ctx, c, h)
	}
	return known, total, nil
}

// noop is a packet that a server takes and does nothing about.
const noop = "6"

// idle waits on a WebSocket and on a poll on which nothing is said, until the
// server's heartbeat comes: a proxy with less patience cuts before.
func (e *examination) idle(ctx context.Context) verdict {
	interval := time.Duration(e.first.PingInterval) * time.Millisecond
	if interval <= 0 {
		return skip("the server says nothing of its heartbeat")
	}
	if e.options.idle <= 0 {
		return skip("--idle 0")
	}
	// The first ping may be late by a moment.
	need := interval + interval/20 + time.Second
	wait := min(need, e.options.idle)
	type result struct {
		name  string
		after time.Duration
		err   error
	}
	results := make(chan result, 2)
	go func() {
		after, err := e.idleWebSocket(ctx, wait)
		results <- result{"WebSocket", after, err}
	}()
	go func() {
		after, err := e.idlePoll(ctx, wait)
		results <- result{"a poll that waits", after, err}
	}()
	var cut, untested []string
	shortest := wait
	for range 2 {
		switch r := <-results; {
		case errors.Is(r.err, errUntested):
			untested = append(untested, r.name)
		case r.err != nil:
			cut = append(cut, fmt.Sprintf("%s was cut after %.1f s (%v)", r.name, r.after.Seconds(), r.err))
			shortest = min(shortest, r.after)
		}
	}
	if len(cut) > 0 {
		says := cut[0]
		if len(cut) > 1 {
			says += "; " + cut[1]
		}
		return fail(fmt.Sprintf("The server's heartbeat comes every %v, and a proxy on the way does not wait for it: clients lose their connection at a regular interval, with \"transport close\". "+
			"Raise the proxy's limit above the heartbeat, or make the heartbeat shorter.", interval), "%s", says).
			with(mendIdle(e.proxy, int((2*interval + 10*time.Second).Seconds()))...)
	}
	switch {
	case len(untested) == 2:
		return skip("there is no connection to wait on")
	case wait < need:
		return warn(fmt.Sprintf("The heartbeat comes every %v: --idle %v waits for it.", interval, need.Round(time.Second)), "nothing was cut within %v", wait)
	}
	return ok("nothing is cut in the %v between two heartbeats", interval)
}

var errUntested = errors.New("not tried")

func (e *examination) idleWebSocket(ctx context.Context, wait time.Duration) (time.Duration, error) {
	s, _, err := e.dial(ctx, "", nil)
	if err != nil {
		return 0, errUntested
	}
	defer s.close()
	stop := context.AfterFunc(ctx, s.close)
	defer stop()
	if e.rev >= 4 {
		// A client that joins nothing is thrown out.
		if s.send(joinPacket) != nil {
			return 0, errUntested
		}
	}
	if _, err := s.expect(time.Now().Add(e.target.Timeout), "40", "44"); err != nil {
		return 0, errUntested
	}
	start := time.Now()
	for {
		packet, err := s.next(start.Add(wait))
		after := time.Since(start)
		var timeout net.Error
		switch {
		case err == nil && packet == "2":
			return after, nil // the heartbeat
		case err == nil:
			// The application speaks: the silence begins again, as long as there is
			// time.
			continue
		case errors.As(err, &timeout) && timeout.Timeout():
			if e.rev >= 4 {
				return after, nil
			}
			// In revision 3 the client has the heartbeat.
			if err = s.send("2"); err == nil {
				_, err = s.expect(time.Now().Add(e.target.Timeout), "3")
			}
			return after, err
		case errors.Is(err, io.EOF):
			return after, errors.New("closed")
		default:
			return after, err
		}
	}
}

func (e *examination) idlePoll(ctx context.Context, wait time.Duration) (time.Duration, error) {
	if e.sticky == loose {
		return 0, errUntested
	}
	c := e.client(false, newJar())
	defer c.CloseIdleConnections()
	h, _, err := e.open(ctx, c)
	if err != nil {
		return 0, errUntested
	}
	defer e.leave(ctx, c, h)
	if e.rev >= 4 {
		if _, err := e.post(ctx, c, h.SID, joinPacket); err != nil {
			return 0, errUntested
		}
	}
	end := time.Now().Add(wait)
	for {
		polling, cancel := context.WithDeadline(ctx, end)
		start := time.Now()
		list, err := e.poll(polling, c, h.SID)
		cancel()
		after := time.Since(start)
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			return after, nil
		case err != nil:
			return after, err
		}
		for _, packet := range list {
			if packet == "2" {
				return after, nil
			}
		}
	}
}

// payloadCheck finds what gets through of the size that the server allows.
func (e *examination) payloadCheck(ctx context.Context) verdict {
	if e.sticky == loose {
		return skip("cannot be told as long as sessions are lost")
	}
	limit := e.first.MaxPayload
	says := fmt.Sprintf("the server's limit of %s", size(limit))
	if limit <= 0 {
		limit, says = 100_000, "100 kB (the server does not say its limit)"
	}
	if most := e.options.payload; limit > most {
		limit, says = most, size(most)+" (--payload), and the server allows "+size(limit)
	}
	err := e.postOf(ctx, limit)
	if err == nil {
		return ok("messages get through up to %s", says)
	}
	first := err
	low, high := int64(0), limit
	for try := limit / 2; try >= 256; try /= 2 {
		if e.postOf(ctx, try) == nil {
			low = try
			break
		}
		high = try
	}
	for high-low > max(low/10, 256) { // to a tenth
		if middle := (low + high) / 2; e.postOf(ctx, middle) == nil {
			low = middle
		} else {
			high = middle
		}
	}
	return fail("A proxy refuses what the server would take: clients see \"transport error\" when they send more.",
		"messages of %s get through and those of %s do not: %v", size(low), size(high), first).with(mendPayload(e.proxy, e.first.MaxPayload)...)
}

// postOf sends n bytes to a session of its own, in packets that do nothing.
func (e *examination) postOf(ctx context.Context, n int64) error {
	c := e.client(false, newJar())
	defer c.CloseIdleConnections()
	h, _, err := e.open(ctx, c)
	if err != nil {
		return err
	}
	defer e.leave(ctx, c, h)
	const head = noop
	packet := make([]byte, 0, n)
	packet = append(packet, head...)
	room := int(n) - len(head)
	if e.rev < 4 {
		room -= 8 // its length is sent before
	}
	for range max(room, 0) {
		packet = append(packet, 'x')
	}
	_, err = e.post(ctx, c, h.SID, string(packet))
	return err
}

func size(n int64) string {
	switch {
	case n >= 1_000_000:
		return fmt.Sprintf("%.4g MB", float64(n)/1e6)
	case n >= 1_000:
		return fmt.Sprintf("%.4g kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d bytes", n)
}
