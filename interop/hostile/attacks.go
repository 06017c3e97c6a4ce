package hostile

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/sockeye-go/socketio/internal/ws"
)

// An attack does its worst and returns. An error is something that the server
// must not do, beyond dying or leaving the bystander alone; the control is not
// held to it.
type attack struct {
	name string
	run  func(*arena) error
}

var attacks = []attack{
	{"frames that break RFC 6455, before and after joining", brokenFrames},
	{"packets that break the protocol, over WebSocket", brokenPackets},
	{"packets that break the protocol, over polling", brokenPayloads},
	{"packets that break the protocol, while upgrading", brokenProbes},
	{"reset at each byte of a WebSocket handshake", cutAtEachByte(upgradeRequest(""), (*socket).reset)},
	{"end at each byte of a WebSocket handshake", cutAtEachByte(upgradeRequest(""), func(s *socket) { s.Close() })},
	{"half-close at each byte of a WebSocket handshake", cutAtEachByte(upgradeRequest(""), halfClose)},
	{"reset at each byte of an upgrade", cutUpgrades((*socket).reset)},
	{"half-close at each byte of an upgrade", cutUpgrades(halfClose)},
	{"twenty upgrades of one session at a time", racingUpgrades},
	{"ids that are guessed, used again, used elsewhere", foreignSIDs},
	{"overlapping and pipelined polls", overlaps},
	{"headers and callbacks that carry line breaks and scripts", injection},
	{"paths that lead out of the static files", pathTricks},
	{"requests that promise one length and have another", lengths},
	{"thousands of headers, and one of a megabyte", hugeHeaders},
	{"compression bombs", bombs},
	{"attachments that never come", missingAttachments},
	{"deep, wide and long JSON", bigJSON},
	{"heads of requests that trickle", slowHeads},
	{"bodies that trickle", slowBodies},
	{"frames that never end", slowFrames},
	{"a flood of pings and pongs", pings},
	{"a flood of events", events},
	{"echoes that nobody reads", unread},
	{"joining and leaving over and over", joinAndLeave},
	{"namespaces that do not exist", unknownNamespaces},
	{"sessions that are opened and forgotten", forgotten},
	{"handlers that panic", panics},
	{"handlers that never return", hangs},
}

func halfClose(s *socket) {
	_ = s.CloseWrite()
	readFor(s, 5*time.Millisecond)
	_ = s.Close()
}

// together runs f n times, some of them at a time.
func together(n, atOnce int, f func(i int)) {
	var all sync.WaitGroup
	next := make(chan int)
	for range atOnce {
		all.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	all.Wait()
}

func frame(first byte, payload string) []byte {
	b := ws.AppendMasked(nil, ws.Text, []byte(payload), [4]byte{1, 2, 3, 4})
	b[0] = first
	return b
}

func closeFrame(code uint16) []byte {
	return frame(0x88, string(binary.BigEndian.AppendUint16(nil, code)))
}

func brokenFrames(a *arena) error {
	unmasked := ws.AppendFrame(nil, ws.Text, []byte("4x"))
	long := func(n uint64) []byte {
		return append(binary.BigEndian.AppendUint64([]byte{0x81, 0xff}, n), 0, 0, 0, 0)
	}
	frames := map[string][]byte{
		"RSV1": frame(0xc1, "4x"), "RSV2": frame(0xa1, "4x"), "RSV3": frame(0x91, "4x"), "all of them": frame(0xf1, "4x"),
		"opcode 3": frame(0x83, "4x"), "opcode 7": frame(0x87, "4x"), "opcode 11": frame(0x8b, ""), "opcode 15": frame(0x8f, ""),
		"no mask": unmasked, "fragmented ping": frame(0x09, ""), "fragmented close": frame(0x08, ""),
		"long ping": frame(0x89, strings.Repeat("x", 126)), "continuation of nothing": frame(0x80, "x"),
		"message in a message": append(frame(0x01, "4x"), frame(0x81, "4y")...),
		"half a close code":    frame(0x88, "\x03"), "close 0": closeFrame(0), "close 999": closeFrame(999), "close 1004": closeFrame(1004),
		"close 1005": closeFrame(1005), "close 1006": closeFrame(1006), "close 1015": closeFrame(1015), "close 65535": closeFrame(65535),
		"text that is not UTF-8": frame(0x81, "4\xff\xfe"), "a surrogate": frame(0x81, "4\xed\xa0\x80"),
		"reason that is not UTF-8": frame(0x88, "\x03\xe8\xff"),
		"2^63 bytes":               long(1 << 63), "2^64-1 bytes": long(1<<64 - 1), "2^62 bytes": long(1 << 62), "2 MB": long(2_000_000),
		"5 bytes in the longest form": append(long(5), "4xxxx"...),
	}
	var wrong []string
	for name, b := range frames {
		for _, open := range []func() *socket{func() *socket { return a.ws("") }, a.joined} {
			s := open()
			if s == nil {
				return fmt.Errorf("%s: no WebSocket", name)
			}
			_, _ = s.Write(b)
			if !s.ended() {
				wrong = append(wrong, name)
			}
			s.Close()
		}
		// In the same segment as the handshake.
		a.raw(upgradeRequest("")+string(b), 5*time.Millisecond)
	}
	return notEnded(wrong)
}

func notEnded(wrong []string) error {
	if len(wrong) > 0 {
		return fmt.Errorf("goes on after %q", wrong)
	}
	return nil
}

// packets that are none, or not at this time. Each must end its connection.
var packets = []string{
	"", "9", "x", "0", "4", "49", "4x", "2", "42", "42x", `42{}`, `42[]`, `42[null]`, `42[{"toString":"x"}]`, `42["connect"]`, `42["disconnect"]`,
	`42["newListener"]`, `42["x"`, `42["x"]]`, `42["x"]x`, "43[]", "43", `44{"message":"x"}`, `41[]`, `40{`, "40[]", `42/nowhere,["x"]`, "41/nowhere,",
	"45", "451-", `451-["x"]x`, `450-["x"]`, `4511-["x"]`, `45999999999999-["x"]`, `45-1-["x"]`, `451e1-["x"]`, "45" + strings.Repeat("9", 100_000),
	`451-["x",{"_placeholder":true,"num":"splice"}]`, `451-["x",{"_placeholder":true,"num":1}]`, `451-["x",{"_placeholder":true,"num":-1}]`,
	`451-["x",{"_placeholder":true,"num":1e999}]`, `46-[]`, "42" + strings.Repeat("1", 100_000) + `["x"]`, `42["` + strings.Repeat("x", 5000) + `"]`,
	`42["x",` + strings.Repeat("[", 100_000), "b!!!!", "bAAAA", "40", "5", "2probe", "3probe",
}

func brokenPackets(a *arena) error {
	together(2*len(packets), 8, func(i int) {
		p := packets[i/2]
		open := a.joined
		if i%2 == 0 {
			open = func() *socket { return a.ws("") }
		}
		s := open()
		if s == nil {
			return
		}
		s.text(p)
		s.binary([]byte{1}) // an attachment nobody waits for, or one too many
		s.text(`42["x"]`)
		readFor(s, 20*time.Millisecond)
		s.Close()
	})
	return nil
}

func brokenPayloads(a *arena) error {
	together(len(packets), 8, func(i int) {
		for _, body := range []string{packets[i], "40\x1e" + packets[i] + "\x1e" + packets[i], strings.Repeat("\x1e", 1000) + packets[i]} {
			if sid := a.polling(); sid != "" {
				a.post(sid, body)
				a.post(sid, "1")
			}
		}
	})
	sid := a.polling()
	if status := a.post(sid, "\x00\x01\xff4x", "Content-Type", "application/octet-stream"); status != 400 {
		return fmt.Errorf("octet-stream = %d; want 400", status)
	}
	sid = a.polling()
	a.post(sid, strings.Repeat("4\x1e", 400_000))
	a.post(sid, "1")
	sid = a.polling()
	a.post(sid, string(bytes.Repeat([]byte{0xff, 0x1e}, 10_000)))
	a.post(sid, "1")
	return nil
}

func brokenProbes(a *arena) error {
	together(len(packets), 8, func(i int) {
		sid := a.polling()
		if s := a.ws(sid); s != nil {
			s.text(packets[i], "5", "2probe")
			readFor(s, 5*time.Millisecond)
			s.Close()
		}
		if s := a.ws(sid); s != nil {
			s.text("2probe", packets[i], "5")
			s.binary([]byte("5"))
			readFor(s, 5*time.Millisecond)
			s.reset()
		}
		a.post(sid, "1")
	})
	return nil
}

func cutAtEachByte(request string, cut func(*socket)) func(*arena) error {
	return func(a *arena) error {
		// Behind the handshake comes a frame, cut as well.
		in := request + string(frame(0x81, `40`))
		together(len(in), 16, func(n int) {
			if c := a.tcp(); c != nil {
				_, _ = io.WriteString(c, in[:n+1])
				cut(&socket{TCPConn: c})
			}
		})
		return nil
	}
}

func cutUpgrades(cut func(*socket)) func(*arena) error {
	return func(a *arena) error {
		in := upgradeRequest(strings.Repeat("x", 20)) + string(frame(0x81, "2probe")) + string(frame(0x81, "5"))
		together(len(in)/2, 16, func(n int) {
			sid := a.polling()
			in := upgradeRequest(sid) + string(frame(0x81, "2probe")) + string(frame(0x81, "5"))
			if c := a.tcp(); c != nil {
				_, _ = io.WriteString(c, in[:min(2*n, len(in))])
				cut(&socket{TCPConn: c})
			}
			a.post(sid, "40")
			a.post(sid, "1")
		})
		return nil
	}
}

func racingUpgrades(a *arena) error {
	for range 10 {
		sid := a.polling()
		a.post(sid, "40")
		together(20, 20, func(int) {
			if s := a.ws(sid); s != nil {
				s.text("2probe")
				readFor(s, 20*time.Millisecond)
				s.text("5", `42["echo",1]`)
				readFor(s, 20*time.Millisecond)
				s.Close()
			}
		})
		a.post(sid, "1")
	}
	return nil
}

func foreignSIDs(a *arena) error {
	guessed := 0
	var mu sync.Mutex
	together(1000, 16, func(i int) {
		var b [15]byte
		_, _ = rand.Read(b[:])
		for _, sid := range []string{base64.URLEncoding.EncodeToString(b[:])} {
			if status, _ := a.do("GET", engine+"polling&sid="+sid, nil); status != 400 {
				mu.Lock()
				guessed++
				mu.Unlock()
			}
		}
	})
	for _, sid := range []string{"__proto__", "constructor", "%00", "..", strings.Repeat("A", 100_000), "'%20OR%201=1", "a&sid=b"} {
		a.do("GET", engine+"polling&sid="+sid, nil)
		a.raw(upgradeRequest(sid), 5*time.Millisecond)
	}
	if guessed > 0 {
		return fmt.Errorf("%d guessed ids were taken", guessed)
	}
	sid := a.polling()
	a.post(sid, "1")
	if status := a.post(sid, "40"); status != 400 {
		return fmt.Errorf("a session that ended takes a POST: %d", status)
	}
	if s := a.ws(sid); s != nil {
		s.Close()
		return fmt.Errorf("a session that ended can be upgraded")
	}
	return nil
}

func overlaps(a *arena) error {
	together(20, 20, func(int) {
		sid := a.polling()
		poll := get(engine + "polling&sid=" + sid)
		a.raw(strings.Repeat(poll, 200), 5*time.Millisecond)
		together(5, 5, func(int) { a.raw(poll, 5*time.Millisecond) })
		together(5, 5, func(int) { a.post(sid, `42["x"]`) })
		post := "POST " + engine + "polling&sid=" + sid + " HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n4"
		together(5, 5, func(int) { a.raw(post, 5*time.Millisecond) })
	})
	return nil
}

func injection(a *arena) error {
	const mark = "<script>alert(1)</script>"
	for _, in := range []string{mark, "x\r\nSet-Cookie: evil=1", "x%0d%0aSet-Cookie:%20evil=1", "\u2028alert(1)", "___eio[0]();alert"} {
		q := url.QueryEscape(in)
		for _, path := range []string{
			engine + q, engine + "polling&sid=" + q, engine + "polling&j=" + q, "/socket.io/?EIO=" + q + "&transport=polling",
			engine + "polling&b64=" + q, "/socket.io/" + q, engine + "polling&t=" + q,
		} {
			status, body := a.do("GET", path, nil)
			if strings.Contains(body, "<script>") || strings.Contains(body, "alert(1)") {
				return fmt.Errorf("GET %s = %d reflects it: %.200q", path, status, body)
			}
		}
		for _, header := range []string{"Origin", "Cookie", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "Access-Control-Request-Headers", "X-Forwarded-For", "User-Agent"} {
			for _, request := range []string{get(engine+"polling", header+": "+in), get(engine+"websocket", upgrading, header+": "+in)} {
				if got := a.raw(request, 5*time.Millisecond); strings.Contains(got, "evil=1") || strings.Contains(got, "<script>") {
					return fmt.Errorf("%s reflects it: %.200q", header, got)
				}
			}
		}
	}
	return nil
}

func pathTricks(a *arena) error {
	for _, p := range []string{
		"/socket.io/../../../../etc/passwd", "/socket.io/..%2f..%2f..%2fetc%2fpasswd", "/socket.io/%2e%2e/%2e%2e/etc/passwd", "/socket.io//etc/passwd",
		"/socket.io/socket.io.js/../../../../etc/passwd", "/socket.io/..\\..\\etc\\passwd", "/socket.io/socket.io.js%00.map", "/socket.io/socket.io.js/",
		"/socket.io/./socket.io.js", "/socket.io/go.mod", "/socket.io/web.go", "/socket.io/" + strings.Repeat("../", 5000) + "etc/passwd", "//socket.io/", "/socket.io/%", "*",
	} {
		got := a.raw(get(p, "Connection: close"), 100*time.Millisecond)
		if strings.Contains(got, "root:") || strings.Contains(got, "module github.com") || strings.Contains(got, "package web") {
			return fmt.Errorf("GET %s leads out: %.200q", p, got)
		}
	}
	return nil
}

func lengths(a *arena) error {
	sid := a.polling()
	post := func(headers, body string) string {
		return "POST " + engine + "polling&sid=" + sid + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n\r\n" + body
	}
	for _, in := range []string{
		post("Content-Length: 99999999999999999999", "4"), post("Content-Length: -1", "4"), post("Content-Length: 5\r\nContent-Length: 6", "4xxxxx"),
		post("Content-Length: 4\r\nTransfer-Encoding: chunked", "0\r\n\r\n"), post("Transfer-Encoding: chunked", "ffffffffffffffff\r\n4"),
		post("Transfer-Encoding: chunked", strings.Repeat("1\r\n4\r\n", 10_000)), post("Transfer-Encoding: gzip, chunked", "1\r\n4\r\n0\r\n\r\n"),
		post("Content-Length: 1000000", "4"), post("Expect: 100-continue\r\nContent-Length: 10", ""), post("Content-Length: 0", ""),
		post("Content-Length: 1000001", "4"),
	} {
		a.raw(in, 5*time.Millisecond)
		if a.post(sid, `4x`) != 200 {
			sid = a.polling()
		}
	}
	if status := a.post(a.polling(), strings.Repeat("4", 1_000_001)); status != 413 {
		return fmt.Errorf("a body that is too large = %d; want 413", status)
	}
	a.do("POST", engine+"polling&sid="+a.polling(), io.LimitReader(endless{}, 50<<20))
	return nil
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func hugeHeaders(a *arena) error {
	for _, request := range []func(...string) string{
		func(h ...string) string { return get(engine+"polling", h...) },
		func(h ...string) string { return get(engine+"websocket", append(h, upgrading)...) },
	} {
		a.raw(request("X: "+strings.Repeat("x", 1<<20)), 20*time.Millisecond)
		a.raw(request(strings.Repeat("X: x\r\n", 5000)+"Y: y"), 20*time.Millisecond)
		a.raw(request("Sec-WebSocket-Protocol: a"+strings.Repeat(" ", 50_000)+"a"), 20*time.Millisecond)
		a.raw(request("Sec-WebSocket-Extensions: "+strings.Repeat("permessage-deflate,", 2000)+"constructor"), 20*time.Millisecond)
		a.raw(request("Cookie: "+strings.Repeat("a=b;", 10_000)), 20*time.Millisecond)
		a.raw(request("Accept-Encoding: "+strings.Repeat("gzip;q=0.5,", 4000)), 20*time.Millisecond)
	}
	return nil
}

func bombs(a *arena) error {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	for range 100 {
		_, _ = z.Write(make([]byte, 1<<20))
	}
	_ = z.Close()
	for range 10 {
		a.post(a.polling(), b.String(), "Content-Encoding", "gzip")
	}
	// Raw deflate is what gzip has between its header and its trailer.
	deflated := string(b.Bytes()[10 : b.Len()-8])
	together(20, 10, func(int) {
		c := a.tcp()
		if c == nil {
			return
		}
		defer c.Close()
		_, _ = io.WriteString(c, get(engine+"websocket", upgrading, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"))
		_, _ = c.Write(frame(0xc1, deflated))
		readFor(c, 50*time.Millisecond)
	})
	return nil
}

func missingAttachments(a *arena) error {
	// What they hold together is bounded by how many they are: see
	// docs/rough_edges.md.
	all := make([]*socket, 20)
	together(len(all), 10, func(i int) {
		s := a.joined()
		if s == nil {
			return
		}
		all[i] = s
		s.text(`4510-["x"]`)
		for range 9 {
			s.binary(make([]byte, 100_000))
		}
	})
	defer closeAll(all)
	// Beyond the limit, and binary out of turn.
	if s := a.joined(); s != nil {
		s.text(`4510-["x"]`)
		for range 20 {
			s.binary(make([]byte, 900_000))
		}
		s.Close()
	}
	return nil
}

func closeAll(all []*socket) {
	for _, s := range all {
		if s != nil {
			s.Close()
		}
	}
}

func bigJSON(a *arena) error {
	long := strings.Repeat
	for _, p := range []string{
		`42["echo",` + long("[", 499_000) + long("]", 499_000) + "]", `42["echo",` + long(`{"a":`, 100_000) + "1" + long("}", 100_000) + "]",
		`42["echo"` + long(",1", 400_000) + "]", `42["echo",{` + long(`"a":1,`, 100_000) + `"b":1}]`, `42["echo",` + long("9", 900_000) + "]",
		`42["echo",1e` + long("9", 100_000) + "]", `42["echo","` + long(`\u0000`, 160_000) + `"]`, `42["echo","` + long(`\ud800`, 160_000) + `"]`,
		`42["` + long("x", 900_000) + `"]`, "40/" + long("x", 900_000) + ",", `40` + `{"token":"` + long("x", 900_000) + `"}`, `42["echo",` + long(" ", 900_000) + "1]",
	} {
		for range 3 {
			if s := a.joined(); s != nil {
				s.text(p)
				readFor(s, 50*time.Millisecond)
				s.Close()
			}
		}
	}
	return nil
}

// hold opens n connections, has each send a little and then a byte now and
// again, for a while.
func hold(a *arena, n int, begin, drip string) {
	all := make([]*socket, n)
	together(n, 32, func(i int) {
		if c := a.tcp(); c != nil {
			all[i] = &socket{TCPConn: c}
			_, _ = io.WriteString(c, begin)
		}
	})
	defer closeAll(all)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for range 10 {
		<-tick.C
		for _, s := range all {
			if s != nil {
				_, _ = io.WriteString(s, drip)
			}
		}
	}
}

func slowHeads(a *arena) error {
	hold(a, 400, "GET "+engine+"polling HTTP/1.1\r\nX: ", "x")
	return nil
}

func slowBodies(a *arena) error {
	sid := a.polling()
	hold(a, 1, "POST "+engine+"polling&sid="+sid+" HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n4", "x")
	sids := make([]string, 200)
	together(len(sids), 16, func(i int) { sids[i] = a.polling() })
	all := make([]*socket, len(sids))
	defer closeAll(all)
	together(len(sids), 32, func(i int) {
		if c := a.tcp(); c != nil {
			all[i] = &socket{TCPConn: c}
			_, _ = io.WriteString(c, "POST "+engine+"polling&sid="+sids[i]+" HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n4")
		}
	})
	<-time.After(500 * time.Millisecond)
	return nil
}

func slowFrames(a *arena) error {
	hold(a, 300, upgradeRequest("")+"\x81\xfe\xff\xff\x00\x00\x00\x004", "x")
	return nil
}

// flood writes b again and again for a while, or until the server cuts it.
func flood(s *socket, b []byte, d time.Duration) {
	if s == nil {
		return
	}
	defer s.Close()
	pour(s, b, d)
}

// pour writes b again and again, until it cannot.
func pour(w interface {
	io.Writer
	SetWriteDeadline(time.Time) error
}, b []byte, d time.Duration) {
	end := time.Now().Add(d)
	for time.Now().Before(end) {
		_ = w.SetWriteDeadline(end)
		if _, err := w.Write(b); err != nil {
			return
		}
	}
}

func pings(a *arena) error {
	ping, pong := bytes.Repeat(frame(0x89, strings.Repeat("x", 100)), 100), bytes.Repeat(frame(0x8a, ""), 1000)
	engine := bytes.Repeat(ws.AppendMasked(nil, ws.Text, []byte("3"), [4]byte{}), 1000)
	together(9, 9, func(i int) { flood(a.joined(), [][]byte{ping, pong, engine}[i%3], time.Second) })
	return nil
}

func events(a *arena) error {
	b := bytes.Repeat(ws.AppendMasked(nil, ws.Text, []byte(`42["nobody listens",{"a":[1,2,3]}]`), [4]byte{}), 500)
	together(8, 8, func(int) { flood(a.joined(), b, time.Second) })
	return nil
}

func unread(a *arena) error {
	b := ws.AppendMasked(nil, ws.Text, []byte(`42["echo","`+strings.Repeat("x", 50_000)+`"]`), [4]byte{})
	together(20, 20, func(int) {
		s := a.joined()
		if s != nil {
			_ = s.SetReadBuffer(4096)
		}
		flood(s, b, time.Second)
	})
	return nil
}

func joinAndLeave(a *arena) error {
	b := bytes.Repeat(append(ws.AppendMasked(nil, ws.Text, []byte("41"), [4]byte{}), ws.AppendMasked(nil, ws.Text, []byte("40"), [4]byte{})...), 200)
	together(4, 4, func(int) {
		s := a.joined()
		if s == nil {
			return
		}
		go func() { _, _ = io.Copy(io.Discard, s.in) }()
		flood(s, b, time.Second)
	})
	return nil
}

func unknownNamespaces(a *arena) error {
	together(4, 4, func(i int) {
		s := a.ws("")
		if s == nil {
			return
		}
		go func() { _, _ = io.Copy(io.Discard, s.in) }()
		var b []byte
		for n := range 1000 {
			b = ws.AppendMasked(b, ws.Text, fmt.Appendf(nil, "40/%d-%d,", i, n), [4]byte{})
		}
		flood(s, b, time.Second)
	})
	return nil
}

func forgotten(a *arena) error {
	var mu sync.Mutex
	var sids []string
	together(2000, 16, func(int) {
		sid := a.polling()
		mu.Lock()
		sids = append(sids, sid)
		mu.Unlock()
	})
	// They would time out in due course; the account wants it now.
	together(len(sids), 16, func(i int) { a.post(sids[i], "1") })
	return nil
}

func panics(a *arena) error {
	together(50, 8, func(int) {
		if s := a.joined(); s != nil {
			s.text(`42["panic"]`, `421["panic"]`)
			readFor(s, 5*time.Millisecond)
			s.Close()
		}
	})
	return nil
}

func hangs(a *arena) error {
	all := make([]*socket, 50)
	defer closeAll(all)
	together(len(all), 8, func(i int) {
		if s := a.joined(); s != nil {
			all[i] = s
			s.text(`42["hang"]`)
			for range 100 {
				s.text(`42["echo",1]`)
			}
		}
	})
	<-time.After(300 * time.Millisecond)
	return nil
}
