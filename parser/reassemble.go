package parser

import "bytes"

// A Reassembler puts the messages of one connection together to packets. It
// holds the one packet that waits for attachments, if any; otherwise it is the
// size of a pointer. The zero value is ready. It must not be used
// concurrently.
type Reassembler struct {
	waiting *waiting
}

type waiting struct {
	packet Packet
	size   int64
}

// Add takes the next message. ok reports that a packet is complete; without
// attachments its slices point into data. With attachments everything has been
// copied, so data may be reused either way once the packet has been dealt
// with. After an error, of type [*Error], the connection should be closed.
func (r *Reassembler) Add(codec Parser, data []byte, binary bool, lim *Limits) (p Packet, ok bool, err error) {
	w := r.waiting
	if w == nil {
		p, err = codec.Decode(data, binary, lim)
		if err != nil || p.Pending == 0 {
			return p, err == nil, err
		}
		r.waiting = &waiting{packet: p.Clone()}
		return Packet{}, false, nil
	}
	if !binary {
		r.Reset()
		return Packet{}, false, ErrUnexpectedText
	}
	if w.size += int64(len(data)); w.size > limit(lim, maxAttachmentBytes) {
		r.Reset()
		return Packet{}, false, ErrAttachmentsTooLarge
	}
	attachment := bytes.Clone(data)
	if attachment == nil {
		attachment = []byte{} // an empty attachment is not a missing one
	}
	w.packet.Attachments = append(w.packet.Attachments, attachment)
	if w.packet.Pending--; w.packet.Pending > 0 {
		return Packet{}, false, nil
	}
	r.waiting = nil
	return w.packet, true, nil
}

// Waiting reports whether a packet lacks attachments.
func (r *Reassembler) Waiting() bool { return r.waiting != nil }

// Reset drops the packet that waits, if any.
func (r *Reassembler) Reset() { r.waiting = nil }
