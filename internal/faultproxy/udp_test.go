package faultproxy

import (
	"net"
	"testing"
	"time"
)

// echoUDP answers each datagram with itself.
func echoUDP(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		buf := make([]byte, 100)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = c.WriteTo(buf[:n], from)
		}
	}()
	return c.LocalAddr().String()
}

// TestUDP: each kind of chaos does what it says, and the same by the same seed.
func TestUDP(t *testing.T) {
	const sent = 200
	// ask sends one datagram after the other, so that the order in which they come is
	// certain, and returns how many answers came, and behind which number none did.
	ask := func(t *testing.T, c DatagramChaos, cut bool) (answers, last int) {
		p, err := ListenUDP("127.0.0.1:0", echoUDP(t))
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		p.Plan(c)
		client, err := net.Dial("udp", p.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		buf := make([]byte, 100)
		patience := 30 * time.Second // for what will come
		if c.Lost > 0 || c.Lifetime > 0 || cut {
			patience = 20 * time.Millisecond
		}
		for i := range sent {
			if cut && i == sent/2 && p.Cut() != 1 {
				t.Error("there was no flow to cut")
			}
			if _, err := client.Write([]byte{byte(i)}); err != nil {
				t.Fatal(err)
			}
			for got := false; !got; {
				_ = client.SetReadDeadline(time.Now().Add(patience))
				n, err := client.Read(buf)
				if err != nil {
					break
				}
				answers++
				got = n == 1 && buf[0] == byte(i)
				last = i
			}
			if c.Lifetime > 0 && last < i-3 || cut && last < i-3 {
				break // it is dead
			}
		}
		return answers, last
	}
	if n, _ := ask(t, DatagramChaos{}, false); n != sent {
		t.Errorf("without chaos %d of %d answers", n, sent)
	}
	if n, _ := ask(t, DatagramChaos{Repeated: 0.5}, false); n <= sent {
		t.Errorf("with repetitions %d answers to %d", n, sent)
	}
	if n, _ := ask(t, DatagramChaos{Late: 0.5, MaxDelay: time.Millisecond}, false); n != sent {
		t.Errorf("with delays %d of %d answers", n, sent)
	}
	if n, _ := ask(t, DatagramChaos{Lost: 0.2}, false); n >= sent {
		t.Errorf("with losses %d of %d answers", n, sent)
	}
	if _, last := ask(t, DatagramChaos{Lifetime: 50}, false); last >= 50 {
		t.Errorf("the flow lived until datagram %d", last)
	}
	if _, last := ask(t, DatagramChaos{}, true); last >= sent/2 {
		t.Errorf("after the cut the flow lived until datagram %d", last)
	}
}
