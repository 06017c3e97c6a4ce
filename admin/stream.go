package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/sockeye-go/socketio"
)

// A stream tells a viewer what happens, as server-sent events: a connection of its
// own, so that the page also shows a server that takes no clients any more.
type stream struct {
	w   http.ResponseWriter
	out *http.ResponseController
}

// writeTime is how long a viewer may take for one event.
const writeTime = 10 * time.Second

// enter counts a viewer, unless there are too many. It comes before whatever is done
// for one.
func (d *Dashboard) enter() (leave func(), err error) {
	if d.viewers.Add(1) > int64(d.opts.MaxViewers) {
		d.viewers.Add(-1)
		return nil, &statusError{http.StatusServiceUnavailable, "too many viewers: see MaxViewers"}
	}
	return func() { d.viewers.Add(-1) }, nil
}

// stream begins one. The context ends with the viewer, the dashboard, or the right to
// look, which a logout takes at once and Authorize within recheckTime.
func (d *Dashboard) stream(w http.ResponseWriter, r *http.Request) (*stream, context.Context, func()) {
	_, until := d.login.access(r)
	if until.IsZero() {
		until = time.Now().Add(d.opts.SessionTime)
	}
	ctx, cancel := context.WithDeadline(r.Context(), until)
	unlink := context.AfterFunc(d.ending, cancel)
	watched := make(chan struct{})
	asked := r.Clone(ctx) // the handler may change its own
	go func() {
		defer close(watched)
		defer cancel()
		defer func() {
			if v := recover(); v != nil {
				d.opts.Logger.Error("dashboard: DashboardOptions.Authorize panicked", "panic", v, "stack", string(debug.Stack()))
			}
		}()
		d.login.holds(ctx, asked)
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // for nginx
	s := &stream{w, http.NewResponseController(w)}
	return s, ctx, func() { unlink(); cancel(); <-watched }
}

func (s *stream) send(event string, data []byte) error {
	_ = s.out.SetWriteDeadline(time.Now().Add(writeTime)) // where there is none, TCP has its own
	if _, err := fmt.Fprintf(s.w, "event: %s\ndata: %s\n\n", event, data); err != nil {
		return err
	}
	return s.out.Flush()
}

func (s *stream) sendJSON(event string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return s.send(event, b)
}

// serveStream tells what was, and from then on what is, once a second.
func (d *Dashboard) serveStream(w http.ResponseWriter, r *http.Request) error {
	leave, err := d.enter()
	if err != nil {
		return err
	}
	defer leave()
	s, ctx, end := d.stream(w, r)
	defer end()
	history, latest, news, away := d.sampler.look()
	defer away()
	err = s.sendJSON("history", history)
	if err == nil && latest != nil {
		err = s.send("sample", latest)
	}
	for err == nil {
		select {
		case b := <-news:
			err = s.send("sample", b)
		case <-ctx.Done():
			return nil
		}
	}
	return nil // the viewer has left
}

// tapRate is how many packets of a socket are shown in a second.
const tapRate = 50

// A tapView is a packet as the page shows it.
type tapView struct {
	Time        int64  `json:"t"`
	Out         bool   `json:"out"`
	Type        string `json:"type"`
	Event       string `json:"event,omitempty"`
	ID          *int64 `json:"id,omitempty"`
	Args        string `json:"args,omitempty"`
	Bytes       int    `json:"bytes"`
	Attachments int    `json:"attachments,omitempty"`
	Skipped     int    `json:"skipped,omitempty"`
}

func viewOf(p socketio.TappedPacket) tapView {
	v := tapView{
		Time: p.Time.UnixMilli(), Out: p.Out, Type: p.Type, Event: p.Event, Args: maskText(p.Args),
		Bytes: p.Bytes, Attachments: p.Attachments, Skipped: p.Skipped,
	}
	if p.ID >= 0 {
		v.ID = &p.ID
	}
	return v
}

// serveTap shows the packets of a socket until the viewer leaves, or the socket
// does.
func (d *Dashboard) serveTap(w http.ResponseWriter, r *http.Request) error {
	n, err := d.namespace(r.FormValue("ns"))
	if err != nil {
		return err
	}
	leave, err := d.enter()
	if err != nil {
		return err
	}
	defer leave()
	id := r.FormValue("id")
	sock, ok := n.Socket(id)
	if !ok {
		return d.serveFarTap(w, r, n.Name(), id)
	}
	s, ctx, end := d.stream(w, r)
	defer end()
	packets := make(chan socketio.TappedPacket, 4*tapRate)
	defer d.srv.Tap(sock, tapRate, func(p socketio.TappedPacket) {
		select {
		case packets <- p:
		default: // the viewer is slow; nobody waits for him
		}
	})()
	d.opts.Logger.Info("dashboard: tap", "remote", r.RemoteAddr, "socket", sock)
	err = s.tapping()
	for err == nil {
		select {
		case p := <-packets:
			err = s.sendJSON("packet", viewOf(p))
		case <-sock.Context().Done():
			for len(packets) > 0 && err == nil {
				err = s.sendJSON("packet", viewOf(<-packets))
			}
			_ = s.left(leftReason(sock))
			return nil
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// serveFarTap is serveTap for a socket of another node.
func (d *Dashboard) serveFarTap(w http.ResponseWriter, r *http.Request, namespace, id string) error {
	gone := notFound("there is no socket %s on any node that has a dashboard", strings.ToValidUTF8(id, "?"))
	count, cancel := context.WithTimeout(r.Context(), nodeTime)
	defer cancel()
	if n, err := d.srv.ServerCount(count); err == nil && n < 2 {
		return gone
	}
	heard, stop := d.taps.ask(namespace, id)
	defer stop()
	first := time.NewTimer(nodeTime)
	defer first.Stop()
	var p tapped
	select {
	case p = <-heard:
	case <-first.C:
		return gone
	case <-r.Context().Done():
		return nil
	}
	s, ctx, end := d.stream(w, r)
	defer end()
	d.opts.Logger.Info("dashboard: tap on another node", "remote", r.RemoteAddr, "nsp", namespace, "id", id)
	err := s.tapping()
	for err == nil {
		for _, one := range p.Packets {
			err = s.sendJSON("packet", one)
		}
		if p.Left != "" {
			_ = s.left(p.Left)
			return nil
		}
		select {
		case p = <-heard:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

func (s *stream) tapping() error {
	return s.sendJSON("tapping", struct {
		Rate int `json:"rate"`
	}{tapRate})
}

func (s *stream) left(reason string) error {
	return s.sendJSON("left", struct {
		Reason string `json:"reason"`
	}{reason})
}

func leftReason(s *socketio.Socket) string {
	if reason, ok := errors.AsType[socketio.DisconnectReason](context.Cause(s.Context())); ok {
		return string(reason)
	}
	return "disconnected"
}
