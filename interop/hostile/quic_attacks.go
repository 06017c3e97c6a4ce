package hostile

import (
	"bytes"
	"context"
	crand "crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	wt "github.com/quic-go/webtransport-go"
)

// quicAttacks are those over WebTransport, and what is below it.
var quicAttacks = []attack{
	{"WebTransport: frames that are none, before and after joining", brokenStreams},
	{"WebTransport: packets that break the protocol", brokenStreamPackets},
	{"WebTransport: packets that break the protocol, while upgrading", brokenStreamProbes},
	{"WebTransport: an end at each stage of the handshake", cutHandshakes},
	{"WebTransport: an end at each byte of the opening", cutOpenings},
	{"WebTransport: an end at each byte of an upgrade", cutStreamUpgrades},
	{"WebTransport: streams and datagrams that nobody wants", unwantedStreams},
	{"WebTransport: streams of sessions that do not exist", foreignStreams},
	{"WebTransport: streams that end as if their session did", sessionsGone},
	{"WebTransport: twenty upgrades of one session at a time", racingStreamUpgrades},
	{"WebTransport: ids that are guessed, used again, used elsewhere", foreignStreamSIDs},
	{"WebTransport: frames that never end", slowStreams},
	{"WebTransport: sessions that say nothing", silentStreams},
	{"WebTransport: a flood of events", streamEvents},
	{"WebTransport: a flood of tiny frames", tinyStreamFrames},
	{"WebTransport: echoes that nobody reads", unreadStreams},
	{"HTTP/3 that is none", brokenHTTP3},
	{"HTTP/3: heads of requests that trickle", slowHeads3},
	{"HTTP/3: bodies that trickle", slowBodies3},
	{"QUIC: datagrams of rubbish", rubbish},
	{"QUIC: handshakes that nobody goes on with", halfHandshakes},
}

// endings are the ways to leave, and whether the server is told.
var endings = []func(*stream){
	func(s *stream) { _ = s.s.Close(); s.wait(5 * time.Millisecond); s.close() },      // half-close
	func(s *stream) { s.s.CancelWrite(1); s.wait(5 * time.Millisecond); s.close() },   // reset of the stream
	func(s *stream) { s.s.CancelRead(1); _ = s.wt.CloseWithError(9, "x"); s.close() }, // of the session
	func(s *stream) { s.close() },  // of the connection
	func(s *stream) { s.vanish() }, // no word
}

func brokenStreams(a *arena) error {
	frames := map[string]string{
		"no packet": "\x00", "2^63 bytes": "\x7f\x80\x00\x00\x00\x00\x00\x00\x00", "2^64-1 bytes": "\xff\xff\xff\xff\xff\xff\xff\xff\xff",
		"2^62 bytes": "\x7f\x40\x00\x00\x00\x00\x00\x00\x00", "2 MB": "\x7f\x00\x00\x00\x00\x00\x1e\x84\x80", "2 MB, binary": "\xff\x00\x00\x00\x00\x00\x1e\x84\x80",
		"no packet, in the longest form": "\x7f\x00\x00\x00\x00\x00\x00\x00\x00", "no packet behind one": "\x014\x00",
		"unknown type": "\x019", "not UTF-8": "\x03\xff\xfe\xfd", "a pong nobody asked for, and a ping": "\x013\x012",
	}
	type try struct {
		name, bytes string
		open        func() *stream
	}
	var all []try
	for name, b := range frames {
		all = append(all, try{name, b, func() *stream { return a.opened("0") }}, try{name, b, a.joinedQUIC})
	}
	for _, b := range []string{"\x00", "\x7f\xff\xff\xff\xff\xff\xff\xff\xff", "\x80", "\x81x", "\x7e\xff\xff", "\x01\xff", "\x015", "\x062probe", "\x040{x}", "\x020[", "\x090{\"sid\":1}", "\x0c0{\"sid\":\"\"}\n"} {
		all = append(all, try{fmt.Sprintf("%q first", b), b, a.stream})
	}
	var mu sync.Mutex
	var wrong []string
	together(len(all), 8, func(i int) {
		s := all[i].open()
		if s == nil {
			mu.Lock()
			wrong = append(wrong, all[i].name+" (no session)")
			mu.Unlock()
			return
		}
		defer s.close()
		_, _ = io.WriteString(s.s, all[i].bytes)
		if !s.ended(2 * quiet) {
			mu.Lock()
			wrong = append(wrong, all[i].name)
			mu.Unlock()
		}
	})
	return notEnded(wrong)
}

func brokenStreamPackets(a *arena) error {
	together(3*len(packets), 8, func(i int) {
		open := []func() *stream{a.stream, func() *stream { return a.opened("0") }, a.joinedQUIC}[i%3]
		s := open()
		if s == nil {
			return
		}
		defer s.close()
		s.text(packets[i/3])
		s.binary("\x01") // an attachment nobody waits for, or one too many
		s.binary("")
		s.text(`42["x"]`)
		s.wait(20 * time.Millisecond)
	})
	return nil
}

// asking is the packet by which a stream asks for a session.
func asking(sid string) string { return fmt.Sprintf(`0{"sid":%q}`, sid) }

func brokenStreamProbes(a *arena) error {
	together(len(packets), 8, func(i int) {
		sid := a.polling()
		for _, say := range [][]string{{packets[i], "5", "2probe"}, {"2probe", packets[i], "5"}} {
			if s := a.stream(); s != nil {
				s.text(asking(sid))
				s.text(say...)
				s.binary("5")
				s.wait(5 * time.Millisecond)
				endings[i%len(endings)](s)
			}
		}
		a.post(sid, "1")
	})
	return nil
}

func cutHandshakes(a *arena) error {
	together(60, 8, func(i int) {
		q := a.quic()
		if q == nil {
			return
		}
		leave := []func(){q.close, q.vanish}[i%2]
		switch i / 2 % 6 {
		case 0: // nothing but QUIC
		case 1: // half of what HTTP/3 says first
			if s, err := q.OpenUniStream(); err == nil {
				_, _ = s.Write([]byte{0})
			}
		case 2: // settings that allow nothing
			if s, err := q.OpenUniStream(); err == nil {
				_, _ = s.Write([]byte{0, 4, 0})
			}
		case 3: // a request of which there is half
			if s, err := q.OpenStream(); err == nil {
				_, _ = s.Write([]byte{1, 0x40, 200, 0, 0})
			}
		case 4: // a session, and no stream
			q.close()
			if s := a.session(); s != nil {
				leave = []func(){s.close, s.vanish}[i%2]
			} else {
				leave = func() {}
			}
		case 5: // one whose request is reset at once
			var t wt.Transport
			if c, err := t.NewClientConn(q.Conn); err == nil {
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rand.IntN(3))*time.Millisecond)
				stop := context.AfterFunc(ctx, leave)
				_, _, _ = c.Dial(ctx, "https://"+a.s.addr+"/socket.io/?EIO=4&transport=webtransport", nil)
				stop()
				cancel()
			}
		}
		leave()
		q.vanish()
	})
	return nil
}

func cutOpenings(a *arena) error {
	in := string(streamFrame(false, "0")) + string(streamFrame(false, "40")) + string(streamFrame(false, `42["echo",1]`))
	together((len(in)+1)*len(endings), 8, func(i int) {
		if s := a.stream(); s != nil {
			_, _ = io.WriteString(s.s, in[:i/len(endings)])
			endings[i%len(endings)](s)
			s.vanish()
		}
	})
	return nil
}

func cutStreamUpgrades(a *arena) error {
	size := len(streamFrame(false, asking(strings.Repeat("x", 20)))) + len("_2probe_5")
	together(size/2+1, 8, func(n int) {
		sid := a.polling()
		in := string(streamFrame(false, asking(sid))) + string(streamFrame(false, "2probe")) + string(streamFrame(false, "5"))
		if s := a.stream(); s != nil {
			_, _ = io.WriteString(s.s, in[:min(2*n, len(in))])
			endings[n%len(endings)](s)
			s.vanish()
		}
		a.post(sid, "40")
		a.post(sid, "1")
	})
	return nil
}

func unwantedStreams(a *arena) error {
	const sessions = 20
	wrong := make([]error, sessions)
	together(sessions, 5, func(i int) {
		s := a.joinedQUIC()
		if s == nil {
			wrong[i] = errors.New("no session")
			return
		}
		defer s.close()
		two, one := 0, 0
		for range 1000 {
			if str, err := s.wt.OpenStream(); err == nil {
				two++
				_ = str.SetWriteDeadline(time.Now().Add(5 * time.Millisecond))
				_, _ = str.Write(append(streamFrame(false, "0"), streamFrame(false, `42["echo",1]`)...))
				if two%2 == 0 {
					str.CancelWrite(1)
					str.CancelRead(1)
				}
			}
			if str, err := s.wt.OpenUniStream(); err == nil {
				one++
				_ = str.SetWriteDeadline(time.Now().Add(5 * time.Millisecond))
				_, _ = str.Write(make([]byte, 2000))
				if one%2 == 0 {
					str.CancelWrite(1)
				}
			}
			_ = s.wt.SendDatagram(make([]byte, 1000))
		}
		// All that is beside the point: the session goes on.
		s.text(`421["echo","still"]`)
		if p, err := s.packet(); err != nil || p != `431["still"]` {
			wrong[i] = fmt.Errorf("beside %d streams: echo = %q, %v", two+one, p, err)
		}
	})
	return errors.Join(wrong...)
}

func foreignStreams(a *arena) error {
	for _, id := range []uint64{0, 4, 400, 1<<62 - 4, 1, 2, 3, 1<<62 - 1} { // a session has the number of a request
		q := a.quic()
		if q == nil {
			return errors.New("no QUIC")
		}
		for range 50 {
			if s, err := q.OpenStream(); err == nil {
				_, _ = s.Write(append(varints(0x41, id), streamFrame(false, "0")...))
			}
			if s, err := q.OpenUniStream(); err == nil {
				_, _ = s.Write(append(varints(0x54, id), make([]byte, 1000)...))
			}
			_ = q.SendDatagram(append(varints(id/4), make([]byte, 1000)...))
		}
		q.vanish()
	}
	return nil
}

// sessionsGone reset their stream with the code that only the end of a session has.
func sessionsGone(a *arena) error {
	together(40, 8, func(i int) {
		s := a.session()
		if s == nil {
			return
		}
		defer s.close()
		if str, err := s.OpenStream(); err == nil { // the session is that of request 0
			_, _ = str.Write(append(varints(0x41, 0), streamFrame(false, "0")...))
			_ = str.SetReadDeadline(time.Now().Add(2 * quiet))
			_, _ = str.Read(make([]byte, 100))
			str.CancelWrite(wt.WTSessionGoneErrorCode)
			if i%2 == 0 {
				str.CancelRead(wt.WTSessionGoneErrorCode)
			}
			_ = str.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
			_, _ = io.Copy(io.Discard, str)
		}
	})
	return nil
}

func racingStreamUpgrades(a *arena) error {
	for range 3 {
		sid := a.polling()
		a.post(sid, "40")
		together(20, 20, func(i int) {
			if i%4 == 0 { // and to a WebSocket
				if s := a.ws(sid); s != nil {
					s.text("2probe", "5", `42["echo",1]`)
					readFor(s, 20*time.Millisecond)
					s.Close()
				}
				return
			}
			if s := a.stream(); s != nil {
				s.text(asking(sid), "2probe")
				s.wait(20 * time.Millisecond)
				s.text("5", `42["echo",1]`)
				s.wait(20 * time.Millisecond)
				s.close()
			}
		})
		a.post(sid, "1")
	}
	return nil
}

func foreignStreamSIDs(a *arena) error {
	refused := func(what, packet string) error {
		s := a.stream()
		if s == nil {
			return fmt.Errorf("%s: no stream", what)
		}
		defer s.close()
		s.text(packet, "2probe")
		if p, err := s.packet(); err == nil {
			return fmt.Errorf("%s is taken: %q", what, p)
		}
		return nil
	}
	guesses := []string{`"__proto__"`, `"constructor"`, `"\u0000"`, `null`, `{}`, `["x"]`, `1e400`, `"` + strings.Repeat("A", 3000) + `"`, `"` + strings.Repeat("A", 100_000) + `"`}
	for range 40 {
		var b [15]byte
		_, _ = crand.Read(b[:])
		guesses = append(guesses, `"`+base64.URLEncoding.EncodeToString(b[:])+`"`)
	}
	wrong := make([]error, len(guesses))
	together(len(guesses), 8, func(i int) {
		wrong[i] = refused("a guessed id", `0{"sid":`+guesses[i]+`}`)
	})
	if err := errors.Join(wrong...); err != nil {
		return err
	}
	// One that has ended.
	sid := a.polling()
	a.post(sid, "1")
	if err := refused("the id of a session that ended", asking(sid)); err != nil {
		return err
	}
	// One that is over WebTransport already, from elsewhere.
	s := a.stream()
	if s == nil {
		return errors.New("no stream")
	}
	defer s.close()
	s.text("0", "40")
	open, err := s.packet()
	_, rest, ok := strings.Cut(open, `"sid":"`)
	if err != nil || !ok {
		return fmt.Errorf("open packet %q, %v", open, err)
	}
	sid, _, _ = strings.Cut(rest, `"`)
	if err := refused("the id of a session over WebTransport", asking(sid)); err != nil {
		return err
	}
	if status, _ := a.do("GET", engine+"polling&sid="+sid, nil); status == 200 {
		return errors.New("a session over WebTransport can be polled")
	}
	if status := a.post(sid, "40"); status == 200 {
		return errors.New("a session over WebTransport takes a POST")
	}
	if w := a.ws(sid); w != nil {
		w.text("2probe", "5", `42["echo","stolen"]`)
		got, _ := w.frame() // that which closes
		w.Close()
		if strings.Contains(got, "probe") {
			return fmt.Errorf("a session over WebTransport can be upgraded to a WebSocket: %q", got)
		}
	}
	s.text(`421["echo","still"]`)
	for {
		p, err := s.packet()
		if err != nil {
			return fmt.Errorf("whose session was to be taken: %w", err)
		}
		if p == `431["still"]` {
			return nil
		}
	}
}

// many opens n of something and closes them in the end.
func many(n int, open func(i int) *stream, meanwhile func(all []*stream) error) error {
	all := make([]*stream, n)
	together(n, 16, func(i int) { all[i] = open(i) })
	defer func() {
		together(n, 16, func(i int) {
			if all[i] != nil {
				all[i].close()
			}
		})
	}()
	return meanwhile(all)
}

func slowStreams(a *arena) error {
	return many(100, func(int) *stream { return a.joinedQUIC() }, func(all []*stream) error {
		for i, s := range all {
			if s != nil {
				_, _ = s.s.Write(append([]byte{0x7f, 0, 0, 0, 0, 0, 0x0d, 0xbb, 0xa0}, make([]byte, 1000*(i%10))...)) // 900,000 bytes
			}
		}
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for range 10 {
			<-tick.C
			for _, s := range all {
				if s != nil {
					_, _ = s.s.Write([]byte{'x'})
				}
			}
		}
		return nil
	})
}

// silentStreams have nothing to say: no packet, half a packet, no namespace. None may
// stay.
func silentStreams(a *arena) error {
	ways := []string{"no packet", "half a packet", "no namespace", "packets, and no namespace"}
	return many(80, func(i int) *stream {
		s := a.stream()
		if s == nil {
			return nil
		}
		switch i % len(ways) {
		case 1:
			_, _ = s.s.Write([]byte{1})
		case 2:
			s.text("0")
		case 3:
			s.text("0", "3", "3")
		}
		return s
	}, func(all []*stream) error {
		wrong := make([]error, len(all))
		together(len(all), len(all), func(i int) {
			if s := all[i]; s == nil {
				wrong[i] = errors.New("no stream")
			} else if !s.ended(2 * quiet) {
				wrong[i] = fmt.Errorf("who has said %s stays", ways[i%len(ways)])
			}
		})
		return errors.Join(wrong...)
	})
}

// floodStream writes b again and again for a while, or until the server cuts it.
func floodStream(s *stream, b []byte, d time.Duration) {
	if s == nil {
		return
	}
	defer s.close()
	pour(s.s, b, d)
}

func streamEvents(a *arena) error {
	b := bytes.Repeat(streamFrame(false, `42["nobody listens",{"a":[1,2,3]}]`), 500)
	together(8, 8, func(int) { floodStream(a.joinedQUIC(), b, time.Second) })
	return nil
}

func tinyStreamFrames(a *arena) error {
	pongs, empty := bytes.Repeat(streamFrame(false, "3"), 2000), bytes.Repeat(streamFrame(true, ""), 2000)
	together(8, 8, func(i int) { floodStream(a.joinedQUIC(), [][]byte{pongs, empty}[i%2], time.Second) })
	return nil
}

func unreadStreams(a *arena) error {
	b := streamFrame(false, `42["echo","`+strings.Repeat("x", 50_000)+`"]`)
	together(20, 20, func(int) { floodStream(a.joinedQUIC(), b, time.Second) })
	return nil
}

func brokenHTTP3(a *arena) error {
	long := bytes.Repeat([]byte{0}, 5000)
	requests := [][]byte{
		{0, 3, 'a', 'b', 'c'},         // DATA first
		{4, 0}, {7, 1, 0}, {13, 1, 0}, // SETTINGS, GOAWAY, MAX_PUSH_ID on a request
		{2, 0}, {6, 0}, {8, 0}, {9, 0}, // those of HTTP/2
		{1, 0}, {1, 3, 0xff, 0xff, 0xff}, {1, 4, 0, 0, 0x3f, 0xff}, // heads that are none
		append(varints(1, 1<<62-1), long...), append(varints(1, 65<<10), long...),
		append(varints(0x21, 4000), long...),            // a reserved type
		bytes.Repeat(varints(0x21, 0), 2000),            // many of them
		{1, 10, 0, 0, 0xd1, 0xd7, 0xc1, 0, 0, 0, 0, 0},  // GET without an authority
		{1, 4, 0, 0, 0xcf, 0xcf}, {1, 4, 0, 0, 15, 255}, // CONNECT twice, and half a reference
	}
	streams := [][]byte{
		{0}, {0, 4, 0, 4, 0}, {0, 4, 2, 1, 1, 4, 2, 1, 1}, {0, 4, 4, 8, 5, 8, 5}, append([]byte{0}, varints(4, 1<<62-1)...),
		{0, 0, 0}, {0, 1, 0}, {0, 5, 0}, {0, 7, 1, 3}, {1}, {2, 0xff, 0xff, 0xff, 0xff}, {3, 0xff}, varints(0x21), varints(1<<62 - 1),
		append([]byte{0, 4, 0}, bytes.Repeat(varints(0xf0700, 1, 0), 1000)...),
	}
	together(len(requests)+2*len(streams), 8, func(i int) {
		q := a.quic()
		if q == nil {
			return
		}
		defer q.vanish()
		if i < len(requests) {
			if s, err := q.OpenUniStream(); err == nil {
				_, _ = s.Write([]byte{0, 4, 0})
			}
			if s, err := q.OpenStream(); err == nil {
				_ = s.SetDeadline(time.Now().Add(20 * time.Millisecond))
				_, _ = s.Write(requests[i])
				_ = s.Close()
				_, _ = io.Copy(io.Discard, s)
			}
			return
		}
		i -= len(requests)
		for range 1 + i%2 { // again, too
			if s, err := q.OpenUniStream(); err == nil {
				_ = s.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
				_, _ = s.Write(streams[i/2])
				if i%2 == 0 {
					_ = s.Close()
				}
			}
		}
		select {
		case <-q.Context().Done():
		case <-time.After(10 * time.Millisecond):
		}
	})
	return nil
}

// trickle opens n connections, has each begin some requests, and waits until the
// server has closed them.
func trickle(a *arena, n int, begin []byte) error {
	all := make([]*quicConn, n)
	together(n, 16, func(i int) {
		q := a.quic()
		if q == nil {
			return
		}
		all[i] = q
		if s, err := q.OpenUniStream(); err == nil {
			_, _ = s.Write([]byte{0, 4, 0})
		}
		for range 8 {
			if s, err := q.OpenStream(); err == nil {
				_, _ = s.Write(begin)
			}
		}
	})
	late, begun := 0, 0
	deadline := time.After(2 * quiet)
	for _, q := range all {
		if q == nil {
			continue
		}
		begun++
		select {
		case <-q.Context().Done():
		case <-deadline:
			late++
		}
		q.vanish()
	}
	if begun == 0 {
		return errors.New("no QUIC")
	}
	if late > 0 {
		return fmt.Errorf("%d of %d may stay", late, begun)
	}
	return nil
}

func slowHeads3(a *arena) error { return trickle(a, 100, varints(1, 200, 0, 0)) }

// slowBodies3 are POSTs to sessions over polling whose bodies stop in the middle.
func slowBodies3(a *arena) error {
	together(20, 8, func(int) {
		sid := a.polling()
		q := a.quic()
		if q == nil {
			return
		}
		defer q.vanish()
		if s, err := q.OpenUniStream(); err == nil {
			_, _ = s.Write([]byte{0, 4, 0})
		}
		literal := func(name, value string) []byte { // a field of QPACK that refers to nothing
			b := []byte{0x20 | byte(min(len(name), 7))}
			if len(name) >= 7 {
				b = append(b, byte(len(name)-7))
			}
			b = append(b, name...)
			b = append(b, 0x7f&byte(min(len(value), 127)))
			if len(value) >= 127 {
				b = append(b, byte(len(value)-127))
			}
			return append(b, value...)
		}
		head := []byte{0, 0}
		for _, f := range [][2]string{{":method", "POST"}, {":scheme", "https"}, {":authority", "x"}, {":path", engine + "polling&sid=" + sid}, {"content-length", "900000"}} {
			head = append(head, literal(f[0], f[1])...)
		}
		if s, err := q.OpenStream(); err == nil {
			_ = s.SetDeadline(time.Now().Add(500 * time.Millisecond))
			_, _ = s.Write(append(append(varints(1, uint64(len(head))), head...), varints(0, 800_000)...))
			_, _ = s.Write([]byte("4xxx"))
			_, _ = io.Copy(io.Discard, s)
		}
		a.post(sid, "1")
	})
	return nil
}

// udp sends n datagrams that f makes, from a few sockets.
func udp(a *arena, n int, f func(i int) []byte) error {
	var sockets []net.Conn
	for range 8 {
		c, err := net.Dial("udp", a.s.addr)
		if err != nil {
			return err
		}
		defer c.Close()
		sockets = append(sockets, c)
	}
	for i := range n {
		_, _ = sockets[i%len(sockets)].Write(f(i))
		if i%100 == 99 {
			<-time.After(time.Millisecond) // the kernel would throw them away
		}
	}
	return nil
}

func noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}

func rubbish(a *arena) error {
	return udp(a, 20_000, func(i int) []byte {
		switch i % 5 {
		case 0:
			return noise(rand.IntN(1400))
		case 1: // an Initial that nobody can open
			return append([]byte{0xc3, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, byte(i), 4, 9, 9, 9, 9, 0, 0x44, 0xb0}, noise(1200)...)
		case 2: // of a version that does not exist
			return append([]byte{0xc3, 0x1a, 0x2a, 0x3a, 0x4a, 8, 1, 2, 3, 4, 5, 6, 7, byte(i), 0}, noise(1200)...)
		case 3: // of a connection that does not exist
			return append([]byte{0x40}, noise(60)...)
		}
		return []byte{0xc0, 0, 0, 0, 1, 255, byte(i)} // ids longer than there may be
	})
}

// halfHandshakes begin a real one each, and do not hear the answer.
func halfHandshakes(a *arena) error {
	together(400, 16, func(int) {
		socket, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			return
		}
		t := &quic.Transport{Conn: deaf{socket}}
		addr, err := net.ResolveUDPAddr("udp", a.s.addr)
		if err == nil {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
			_, _ = t.Dial(ctx, addr, clientTLS(), &quic.Config{EnableDatagrams: true})
			cancel()
		}
		_ = socket.Close()
		_ = t.Close()
	})
	return nil
}

// deaf sends and hears nothing.
type deaf struct{ net.PacketConn }

func (d deaf) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		if _, addr, err := d.PacketConn.ReadFrom(b); err != nil {
			return 0, addr, err
		}
	}
}
