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
	ok, err = r.AddTo(&p, codec, data, binary, lim)
	return p, ok, err
}

// AddTo is Add into *p. The memory of p.Args is used if the codec has a method
// DecodeTo(*Packet, []byte, bool, *Limits) error, as that of JSON does.
func (r *Reassembler) AddTo(p *Packet, codec Parser, data []byte, binary bool, lim *Limits) (ok bool, err error) {
	w := r.waiting
	if w == nil {
		if c, can := codec.(decoderTo); can {
			err = c.DecodeTo(p, data, binary, lim)
		} else {
			*p, err = codec.Decode(data, binary, lim)
		}
		if err != nil || p.Pending == 0 {
			return err == nil, err
		}
		r.waiting = &waiting{packet: p.Clone()}
		*p = Packet{}
		return false, nil
	}
	if !binary {
		r.Reset()
		return false, ErrUnexpectedText
	}
	if w.size += int64(len(data)); w.size > limit(lim, maxAttachmentBytes) {
		r.Reset()
		return false, ErrAttachmentsTooLarge
	}
	attachment := bytes.Clone(data)
	if attachment == nil {
		attachment = []byte{} // an empty attachment is not a missing one
	}
	w.packet.Attachments = append(w.packet.Attachments, attachment)
	if w.packet.Pending--; w.packet.Pending > 0 {
		return false, nil
	}
	r.waiting = nil
	*p = w.packet
	return true, nil
}

type decoderTo interface {
	DecodeTo(p *Packet, data []byte, binary bool, lim *Limits) error
}

// Waiting reports whether a packet lacks attachments.
func (r *Reassembler) Waiting() bool { return r.waiting != nil }

// Size returns the bytes of attachments that wait for others.
func (r *Reassembler) Size() int64 {
	if r.waiting == nil {
		return 0
	}
	return r.waiting.size
}

// Reset drops the packet that waits, if any.
func (r *Reassembler) Reset() { r.waiting = nil }
