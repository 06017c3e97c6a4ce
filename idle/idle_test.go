package idle_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/idle"
	"github.com/sockeye-go/socketio/internal/lab"
	"github.com/sockeye-go/socketio/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestSweep(t *testing.T) {
	lab.Run(t, nil, func(t *testing.T, l *lab.Lab) {
		kept := ""
		tracker := idle.New(l.Namespace, &idle.Options{
			Keep:   func(s *socketio.Socket) bool { return s.ID() == kept },
			OnIdle: func(s *socketio.Socket, a idle.Activity) { _ = s.Emit("bye", a.Messages) },
		})
		defer tracker.Close()
		lab.Wait(time.Minute)
		silent, talks, exempt, touched := l.Join("/", ""), l.Join("/", ""), l.Join("/", ""), l.Join("/", "")
		kept = exempt.ID
		silent.Emit("one")
		lab.Wait(30 * time.Minute)
		talks.Emit("two", 1)
		lab.Wait(2 * time.Minute)
		s, _ := l.Socket(touched.ID)
		tracker.Touch(s)
		lab.Wait(32*time.Minute - 1) // to the sweep at 1:05
		silent.Want()
		lab.Wait(1)
		silent.Want(`["bye",1]`, "disconnect", "end")
		lab.Wait(24 * time.Minute) // to 1:29; the next at 1:30 finds 59 min
		talks.Want()
		lab.Wait(10 * time.Minute)
		talks.Want(`["bye",1]`, "disconnect", "end")
		lab.Wait(24 * time.Hour)
		exempt.Want()
		touched.Want(`["bye",0]`, "disconnect", "end")
		if r := tracker.Report(); r.ActiveSockets != 1 || r.Disconnected != 3 || r.Messages != 2 {
			t.Errorf("report %+v", r)
		}
	})
}

func TestReport(t *testing.T) {
	lab.Run(t, nil, func(t *testing.T, l *lab.Lab) {
		tracker := idle.New(l.Namespace, &idle.Options{MaxIdle: -1})
		start := time.Now()
		var clients []*lab.Client
		for i := range 15 {
			c := l.Join("/", "")
			clients = append(clients, c)
			for range i {
				c.Emit("x", "1234567") // a name and 9 bytes of JSON
			}
		}
		lab.Wait(2 * time.Hour)
		rec := httptest.NewRecorder()
		tracker.ServeHTTP(rec, nil)
		var r idle.Report
		if err := json.Unmarshal(rec.Body.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		if r.ActiveSockets != 15 || r.Messages != 105 || r.Bytes != 10*105 || r.Uptime != 2*time.Hour || r.HeapBytes == 0 || r.Goroutines == 0 {
			t.Errorf("report %+v", r)
		}
		if len(r.Busiest) != 10 || r.Busiest[0].ID != clients[14].ID || r.Busiest[9].Messages != 5 {
			t.Errorf("busiest %+v", r.Busiest)
		}
		s, _ := l.Socket(clients[3].ID)
		a, ok := tracker.Of(s)
		if !ok || a.Messages != 3 || !a.ConnectTime.Equal(start) || !a.LastActivity.Equal(start) {
			t.Errorf("activity %+v, %v", a, ok)
		}
		clients[3].Cut()
		if _, ok := tracker.Of(s); ok {
			t.Error("one that left is still followed")
		}
		if n := tracker.Sweep(); n != 0 {
			t.Errorf("%d were disconnected where nobody shall be", n)
		}
	})
}

func TestBadOptions(t *testing.T) {
	defer func() {
		if text := fmt.Sprint(recover()); !strings.HasPrefix(text, "idle: Options.Interval:") {
			t.Errorf("panic %q", text)
		}
	}()
	idle.New(socketio.NewServer(nil).Namespace, &idle.Options{Interval: -1})
}
