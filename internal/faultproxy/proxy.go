// Package faultproxy is a TCP proxy that does to connections what networks do:
// resets, ends, half-ends, silence, delay, stalls, segments of one byte. What
// happens is planned per connection, to the byte, or by a seed, so that a
// failure can be had again; and it can be made to happen at once to all.
//
//	p := faultproxy.Listen(serverAddr)
//	defer p.Close()
//	p.Plan(faultproxy.Always(faultproxy.Plan{Down: faultproxy.Way{Fault: faultproxy.RST, At: 200}}))
//	... clients connect to p.Addr() ...
//	p.Cut(faultproxy.Blackhole)
//
// It is for tests.
package faultproxy

import (
	"fmt"
	"net"
	"sync"
	"time"
)

// A Proxy is safe for concurrent use.
type Proxy struct {
	l *net.TCPListener

	mu     sync.Mutex
	target string
	plan   Planner
	refuse bool
	eager  bool
	links  map[*link]struct{}
	made   int
	closed bool
	wg     sync.WaitGroup
}

// Listen returns a proxy on a free port of the loopback that leads to target,
// "host:port". Connections have the zero [Plan] until [Proxy.Plan]. It panics if
// there is no port to be had.
func Listen(target string) *Proxy {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		panic(fmt.Sprintf("faultproxy: %v", err))
	}
	p := &Proxy{l: l, target: target, plan: Always(Plan{}), links: make(map[*link]struct{})}
	p.wg.Go(p.acceptLoop)
	return p
}

// Addr returns "host:port" for clients.
func (p *Proxy) Addr() string { return p.l.Addr().String() }

// URL returns Addr as an http URL.
func (p *Proxy) URL() string { return "http://" + p.Addr() }

// Plan sets what happens to connections from now on.
func (p *Proxy) Plan(f Planner) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan = f
}

// Target sets where connections lead from now on, as after the restart of a
// server on another port.
func (p *Proxy) Target(addr string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = addr
}

// Eager has connections from now on lead to the target at once, where the server speaks
// first. Their [Planner] is told of no opening.
func (p *Proxy) Eager() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.eager = true
}

func (p *Proxy) isEager() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.eager
}

// Refuse resets connections from now on as soon as they are made, as if nobody
// listened; or ends that.
func (p *Proxy) Refuse(yes bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = yes
}

// Cut does f to all connections that there are, at once, and returns how many
// there were. [HalfClose] ends the way to the client.
func (p *Proxy) Cut(f Fault) int {
	links := p.live()
	for _, k := range links {
		k.hit(f, down)
	}
	return len(links)
}

// Release ends every [Stall].
func (p *Proxy) Release() {
	for _, k := range p.live() {
		k.release()
	}
}

// Links returns how many connections there are. One that ended on either side
// is gone shortly after; one in a black hole stays until
// both sides have given up.
func (p *Proxy) Links() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.links)
}

// Made returns how many connections have been given a plan so far.
func (p *Proxy) Made() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.made
}

// Close resets all connections and returns when everything has ended.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	_ = p.l.Close()
	for _, k := range p.live() {
		k.end(true)
	}
	p.wg.Wait()
}

func (p *Proxy) live() []*link {
	p.mu.Lock()
	defer p.mu.Unlock()
	links := make([]*link, 0, len(p.links))
	for k := range p.links {
		links = append(links, k)
	}
	return links
}

func (p *Proxy) acceptLoop() {
	for {
		c, err := p.l.AcceptTCP()
		if err != nil {
			p.mu.Lock()
			closed := p.closed
			p.mu.Unlock()
			if closed {
				return
			}
			time.Sleep(10 * time.Millisecond) // out of descriptors: some will be free again
			continue
		}
		k := &link{p: p, client: c, ended: make(chan struct{})}
		p.mu.Lock()
		if p.refuse || p.closed {
			p.mu.Unlock()
			_ = c.SetLinger(0)
			_ = c.Close()
			continue
		}
		p.links[k] = struct{}{}
		p.wg.Go(k.serve)
		p.mu.Unlock()
	}
}

// admit numbers a connection and returns its plan and where it leads.
func (p *Proxy) admit(opening string) (Plan, string) {
	p.mu.Lock()
	n, plan, target := p.made, p.plan, p.target
	p.made++
	p.mu.Unlock()
	return plan(n, opening), target
}

func (p *Proxy) forget(k *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, k)
}

// CutSome does f to at most n of the connections, whichever, and returns to how
// many.
func (p *Proxy) CutSome(f Fault, n int) int {
	links := p.live()
	links = links[:min(n, len(links))]
	for _, k := range links {
		k.hit(f, down)
	}
	return len(links)
}
