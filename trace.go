package socketio

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/internal/component"
	"github.com/sockeye-go/socketio/parser"
)

// loggers are those of the components of this layer; Options.Logger becomes that
// of the server itself.
type loggers struct {
	client, socket, packets, adapter *slog.Logger
}

func newLoggers(base *slog.Logger) loggers {
	return loggers{
		client:  component.Logger(base, component.Client),
		socket:  component.Logger(base, component.Socket),
		packets: component.Logger(base, component.Parser),
		adapter: component.Logger(base, component.Adapter),
	}
}

// tracing reports whether every packet is logged. It is asked for each, so that
// the level can be changed while the server runs.
func (l *loggers) tracing() bool {
	return l.packets.Enabled(context.Background(), slog.LevelDebug)
}

// send hands a packet to the engine.
func (c *connection) send(p *engineio.Prepared, f engineio.Flags) error {
	if c.srv.log.tracing() {
		c.traceSent(p.Messages())
	}
	if w := c.srv.watch.Load(); w != nil {
		w.out(c, p.Messages())
	}
	return c.sess.Send(p, f)
}

// sendMessages is send for a packet to this client alone, whose bytes may be
// changed afterwards.
func (c *connection) sendMessages(f engineio.Flags, msgs ...engineio.Message) error {
	if c.srv.log.tracing() {
		c.traceSent(slices.Clone(msgs))
	}
	if w := c.srv.watch.Load(); w != nil {
		w.out(c, slices.Clone(msgs))
	}
	return c.sess.SendMessages(f, msgs...)
}

func (c *connection) traceSent(msgs []engineio.Message) {
	p, err := c.decodeSent(msgs)
	if err != nil {
		c.srv.log.packets.Debug("packet that does not decode", "dir", "out", "connection", c.sess, "bytes", len(msgs[0].Data), "error", err)
		return
	}
	c.trace("out", &p)
}

// decodeSent reads a packet of our own, for people.
func (c *connection) decodeSent(msgs []engineio.Message) (parser.Packet, error) {
	lim := parser.Limits{MaxAttachments: len(msgs), MaxArguments: 1 << 20, MaxDepth: 1 << 20, MaxEventName: 1 << 20, MaxNamespace: 1 << 20}
	p, err := c.srv.opts.Parser.Decode(append([]byte(nil), msgs[0].Data...), msgs[0].Binary, &lim)
	for _, m := range msgs[1:] {
		p.Attachments = append(p.Attachments, m.Data)
	}
	return p, err
}

// trace logs a packet in one line.
func (c *connection) trace(dir string, p *parser.Packet) {
	attrs := make([]slog.Attr, 0, 8)
	attrs = append(attrs, slog.String("dir", dir), slog.String("type", p.Type.String()), slog.String("nsp", string(p.Namespace)))
	if p.ID != parser.NoID {
		attrs = append(attrs, slog.Int64("ack", p.ID))
	}
	if p.Type == parser.Event {
		attrs = append(attrs, slog.String("event", string(p.Event)))
	}
	switch {
	case p.Type == parser.Connect && len(p.Args) > 0:
		// A token, of the application's or of recovery: not for the log.
		attrs = append(attrs, slog.String("payload", fmt.Sprintf("%d bytes, not shown", len(p.Args[0]))))
	case len(p.Args) > 0:
		attrs = append(attrs, slog.String("args", c.srv.readable(p, maxTraced)))
	}
	if len(p.Attachments) > 0 {
		attrs = append(attrs, slog.Int("attachments", len(p.Attachments)), slog.Int("bytes", attachmentBytes(*p)))
	}
	attrs = append(attrs, slog.Any("connection", c.sess))
	c.srv.log.packets.LogAttrs(context.Background(), slog.LevelDebug, "packet", attrs...)
}

// maxTraced is how much of a packet's arguments is shown, in bytes.
const maxTraced = 400

// readable shows the arguments of a packet, limit bytes of them at the most: JSON
// as it came, and what is not text as Go prints it.
func (srv *Server) readable(p *parser.Packet, limit int) string {
	var b strings.Builder
	for i, arg := range p.Args {
		if i > 0 {
			b.WriteString(", ")
		}
		if utf8.Valid(arg) && srv.opts.Parser == parser.JSON {
			b.Write(arg[:min(len(arg), limit)])
		} else {
			var v any
			if err := srv.opts.Parser.Unmarshal(arg, p.Attachments, &v); err != nil {
				v = err
			}
			fmt.Fprint(&b, v)
		}
		if b.Len() > limit {
			return strings.ToValidUTF8(b.String()[:limit], "") + "… (" + strconv.Itoa(len(p.Args)) + " arguments)"
		}
	}
	return b.String()
}
