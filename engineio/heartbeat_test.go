package engineio_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio/engineio"
)

// TestHeartbeat holds the server to its clock: a ping 25 s after the open
// packet, the next 25 s after each pong, the end 20 s after one that is not
// answered.
func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, stop := newBubble(t, nil)
		defer stop()
		start := time.Now()
		c, rec := h.openWS()
		at := func(want time.Duration, what string) {
			t.Helper()
			if got := time.Since(start); got != want {
				t.Fatalf("%s after %v; want %v", what, got, want)
			}
		}
		c.want("2")
		at(25*time.Second, "first ping")
		time.Sleep(7 * time.Second) // on the fake clock
		c.text("3")
		c.want("2")
		at(25*time.Second+7*time.Second+25*time.Second, "second ping")
		c.want("close 1005")
		at(57*time.Second+20*time.Second, "end")
		if got := rec.waitClosed(t); got != engineio.PingTimeout {
			t.Errorf("reason %q; want %q", got, engineio.PingTimeout)
		}
	})
}

// TestHeartbeatRearmedOnce: the first packet after a ping shows life and gives
// the pong its time again, later ones do not.
func TestHeartbeatRearmedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, stop := newBubble(t, nil)
		defer stop()
		start := time.Now()
		c, rec := h.openWS()
		c.want("2")
		time.Sleep(15 * time.Second)
		c.text("4alive") // at 40 s; a pong may now take until 60 s
		time.Sleep(15 * time.Second)
		c.text("4still") // at 55 s: does not count
		c.want("close 1005")
		if got := time.Since(start); got != 60*time.Second {
			t.Errorf("ended after %v; want 60s", got)
		}
		rec.waitClosed(t)
	})
}

// TestHeartbeatPaused: a reader that we paused ourselves cannot see the pong.
func TestHeartbeatPaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, stop := newBubble(t, nil)
		defer stop()
		c, rec := h.openWS()
		rec.session.Pause()
		c.want("2")
		// The first pong fills what the reader has already asked for; nothing
		// more is read.
		go func() { c.text("3"); c.text("3") }()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		select {
		case <-rec.closed:
			t.Fatal("a paused session was closed")
		default:
		}
		rec.session.Resume()
		c.want("2")
		c.text("4hello")
		if got := rec.waitMessages(t, 1); got[0] != "hello" {
			t.Errorf("got %q after the pause; want hello", got)
		}
	})
}

// TestHeartbeatPolling pings through the poll that waits and ends a session
// that does not answer.
func TestHeartbeatPolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, stop := newBubble(t, nil)
		defer stop()
		start := time.Now()
		q, rec := h.openPoll()
		if got := h.poll(q); got != "2" || time.Since(start) != 25*time.Second {
			t.Fatalf("poll = %q after %v; want a ping after 25s", got, time.Since(start))
		}
		h.post(q, "3")
		if got := h.poll(q); got != "2" || time.Since(start) != 50*time.Second {
			t.Fatalf("poll = %q after %v; want a ping after 50s", got, time.Since(start))
		}
		if got := h.poll(q); got != "1" || time.Since(start) != 70*time.Second {
			t.Fatalf("poll = %q after %v; want the end after 70s", got, time.Since(start))
		}
		if got := rec.waitClosed(t); got != engineio.PingTimeout {
			t.Errorf("reason %q; want %q", got, engineio.PingTimeout)
		}
		if res := h.do("GET", q, ""); res.status != 400 || !strings.HasPrefix(res.body, `{"code":1,"message":"Session ID unknown"`) {
			t.Errorf("poll after the end = %d %q", res.status, res.body)
		}
	})
}

// TestHeartbeatMany: one timer serves all, whoever leaves or answers early.
func TestHeartbeatMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, stop := newBubble(t, nil)
		defer stop()
		start := time.Now()
		var clients []*wsClient
		for i := range 10 {
			c, rec := h.openWS()
			if i%3 == 0 {
				rec.session.Close()
				c.want("close 1005")
				c.nc.Close()
				time.Sleep(time.Second)
				continue
			}
			clients = append(clients, c)
			time.Sleep(time.Second)
		}
		opened := []time.Duration{1, 2, 4, 5, 7, 8}
		for i, c := range clients {
			c.want("2")
			if got, want := time.Since(start), (opened[i]+25)*time.Second; got != want {
				t.Errorf("client %d: ping after %v; want %v", i, got, want)
			}
			c.text("3")
		}
		if n := h.srv.Sessions(); n != len(clients) {
			t.Errorf("%d sessions; want %d", n, len(clients))
		}
	})
}

// TestHeartbeatUpgrade: a pong that was owed on polling may have been lost there. It
// gets its full time again on the new transport, and without one the session ends.
func TestHeartbeatUpgrade(t *testing.T) {
	tests := []struct {
		name     string
		revision int
		answers  bool
		end      time.Duration // after the upgrade; 0 = goes on
	}{
		{"revision 4, no pong", 4, false, 20 * time.Second},
		{"revision 4, a pong", 4, true, 0},
		{"revision 3, no ping", 3, false, 45 * time.Second},
		{"revision 3, a ping", 3, true, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, stop := newBubble(t, eio3())
				defer stop()
				var q string
				var rec *recorder
				beat := "3"
				if tt.revision == 4 {
					if q, rec = h.openPoll(); h.poll(q) != "2" {
						t.Fatal("no ping")
					}
				} else {
					q, rec = h.openPoll3("")
					beat = "2"
					time.Sleep(25 * time.Second)
				}
				time.Sleep(15 * time.Second)
				c := h.dialWS(wsQuery(q))
				c.text("2probe")
				c.want("3probe")
				c.text("5")
				synctest.Wait()
				if tr := rec.session.Transport(); tr != "websocket" {
					t.Fatalf("transport %s", tr)
				}
				start := time.Now()
				if !tt.answers {
					<-rec.closed
					if took := time.Since(start); rec.reason != engineio.PingTimeout || took != tt.end {
						t.Errorf("ended with %q after %v; want %v", rec.reason, took, tt.end)
					}
					return
				}
				time.Sleep(19 * time.Second) // past the time of polling, within the new one
				c.text(beat)
				if beat == "2" {
					c.want("3")
				}
				time.Sleep(20 * time.Second)
				select {
				case <-rec.closed:
					t.Errorf("ended with %q", rec.reason)
				default:
				}
			})
		})
	}
}
