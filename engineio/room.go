package engineio

import "context"

// AwaitRoom waits until at most half of Options.MaxQueuedBytes waits for the
// client. It returns [ErrClosed] when the session has ended, or the cause of
// ctx. What others send meanwhile can fill the queue again.
func (s *Session) AwaitRoom(ctx context.Context) error {
	for {
		drained, err := s.drained()
		if drained == nil || err != nil {
			return err
		}
		select {
		case <-drained:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// drained returns what is closed when there is room; nil if there is.
func (s *Session) drained() (<-chan struct{}, error) {
	low := s.srv.opts.MaxQueuedBytes / 2
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != open {
		return nil, ErrClosed
	}
	if t := s.ws.Load(); t != nil {
		return t.conn.Drained(low), nil
	}
	p := s.polling
	if p.bytes <= low && len(p.queue) <= s.srv.opts.MaxQueuedPackets/2 {
		return nil, nil
	}
	if p.drained == nil {
		p.drained = make(chan struct{})
	}
	return p.drained, nil
}
