package faultproxy

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"
)

// A UDP is the same for datagrams: it loses, repeats, delays and swaps them, and kills
// flows, of which nobody is told, as when a NAT has forgotten them. A flow is what comes
// from one address of a client.
type UDP struct {
	front *net.UDPConn

	mu     sync.Mutex
	target *net.UDPAddr
	chaos  DatagramChaos
	flows  map[netip.AddrPort]*flow
	made   int
	closed bool
	wg     sync.WaitGroup
}

// A DatagramChaos says what happens to datagrams, by seed; the zero value nothing.
// Shares are of 1.
type DatagramChaos struct {
	Seed      uint64
	Lost      float64
	Repeated  float64
	Late      float64 // by up to MaxDelay, and so out of order
	MaxDelay  time.Duration
	Lifetime  int // a flow is dead after up to so many datagrams; 0 is for ever
	Surviving float64
}

// A flow has a socket towards the server.
type flow struct {
	back *net.UDPConn

	mu   sync.Mutex
	rng  *rand.Rand
	left int // datagrams until its death; negative for ever
	dead bool
}

// ListenUDP returns a proxy on an address of the loopback, "127.0.0.1:0" for any port,
// that leads to target.
func ListenUDP(addr, target string) (*UDP, error) {
	to, err := net.ResolveUDPAddr("udp", target)
	if err != nil {
		return nil, fmt.Errorf("faultproxy: %w", err)
	}
	at, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return nil, fmt.Errorf("faultproxy: %w", err)
	}
	front, err := net.ListenUDP("udp", at)
	if err != nil {
		return nil, fmt.Errorf("faultproxy: %w", err)
	}
	p := &UDP{front: front, target: to, flows: make(map[netip.AddrPort]*flow)}
	p.wg.Go(p.up)
	return p, nil
}

// Addr returns "host:port" for clients.
func (p *UDP) Addr() string { return p.front.LocalAddr().String() }

// Plan sets what happens to flows from now on. Those that there are keep how long they
// live.
func (p *UDP) Plan(c DatagramChaos) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.chaos = c
}

// Target sets where new flows lead.
func (p *UDP) Target(addr string) error {
	to, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return fmt.Errorf("faultproxy: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = to
	return nil
}

// Cut kills all flows that there are, and returns how many lived.
func (p *UDP) Cut() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.flows {
		f.mu.Lock()
		if !f.dead {
			f.dead = true
			n++
		}
		f.mu.Unlock()
	}
	return n
}

// Close ends it.
func (p *UDP) Close() {
	p.mu.Lock()
	p.closed = true
	for _, f := range p.flows {
		_ = f.back.Close()
	}
	p.mu.Unlock()
	_ = p.front.Close()
	p.wg.Wait()
}

// up carries what clients send.
func (p *UDP) up() {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := p.front.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		if f := p.flow(from); f != nil {
			p.carry(f, buf[:n], func(b []byte) { _, _ = f.back.Write(b) })
		}
	}
}

// flow finds that of a client, or begins it. nil when there is none to be had.
func (p *UDP) flow(from netip.AddrPort) *flow {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f := p.flows[from]; f != nil || p.closed {
		return f
	}
	back, err := net.DialUDP("udp", nil, p.target)
	if err != nil {
		return nil
	}
	f := &flow{back: back, rng: rand.New(rand.NewPCG(p.chaos.Seed, uint64(p.made))), left: -1}
	if c := p.chaos; c.Lifetime > 0 && f.rng.Float64() >= c.Surviving {
		f.left = 1 + f.rng.IntN(c.Lifetime)
	}
	p.made++
	p.flows[from] = f
	p.wg.Go(func() { p.down(f, from) })
	return f
}

// down carries what the server sends on one flow.
func (p *UDP) down(f *flow, to netip.AddrPort) {
	buf := make([]byte, 64<<10)
	for {
		n, err := f.back.Read(buf)
		if err != nil {
			p.mu.Lock()
			closed := p.closed
			p.mu.Unlock()
			if closed {
				return
			}
			continue // the server's port was shut for a moment
		}
		p.carry(f, buf[:n], func(b []byte) { _, _ = p.front.WriteToUDPAddrPort(b, to) })
	}
}

// carry has happen to one datagram what is to happen.
func (p *UDP) carry(f *flow, b []byte, send func([]byte)) {
	p.mu.Lock()
	c := p.chaos
	p.mu.Unlock()
	f.mu.Lock()
	// Drawn in any case, so that one setting does not shift the others.
	lost, repeated, late, delay := f.rng.Float64(), f.rng.Float64(), f.rng.Float64(), f.rng.Float64()
	if f.left == 0 {
		f.dead = true
	} else if f.left > 0 {
		f.left--
	}
	dead := f.dead
	f.mu.Unlock()
	if dead || lost < c.Lost {
		return
	}
	if repeated < c.Repeated {
		send(b)
	}
	if late < c.Late && c.MaxDelay > 0 {
		b := append([]byte(nil), b...)
		time.AfterFunc(time.Duration(delay*float64(c.MaxDelay)), func() { send(b) })
		return
	}
	send(b)
}
