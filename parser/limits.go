package parser

// Limits bound what Decode and a Reassembler accept. A field that is zero, and
// a nil *Limits, stand for the default. What goes beyond a limit is an
// [*Error]; nothing has been allocated for it by then.
type Limits struct {
	// MaxAttachments per packet. Default 10, as in the original.
	MaxAttachments int
	// MaxAttachmentBytes of all attachments of a packet together.
	// Default 10 MB: ten messages of the default size.
	MaxAttachmentBytes int64
	// MaxArguments per packet. Default 4096.
	MaxArguments int
	// MaxDepth of arrays and objects in a payload; the list of arguments is
	// the first level. Default 512.
	MaxDepth int
	// MaxEventName in bytes. Default 4096.
	MaxEventName int
	// MaxNamespace in bytes, with the query string that may be part of it.
	// Default 4096.
	MaxNamespace int
}

var defaultLimits = Limits{
	MaxAttachments:     10,
	MaxAttachmentBytes: 10_000_000,
	MaxArguments:       4096,
	MaxDepth:           512,
	MaxEventName:       4096,
	MaxNamespace:       4096,
}

// OrDefault returns the limits with every default filled in; l may be nil.
func (l *Limits) OrDefault() Limits {
	return Limits{
		MaxAttachments:     limit(l, maxAttachments),
		MaxAttachmentBytes: limit(l, maxAttachmentBytes),
		MaxArguments:       limit(l, maxArguments),
		MaxDepth:           limit(l, maxDepth),
		MaxEventName:       limit(l, maxEventName),
		MaxNamespace:       limit(l, maxNamespace),
	}
}

// limit returns the value of a field, or its default.
func limit[T int | int64](l *Limits, field func(*Limits) T) T {
	if l != nil {
		if v := field(l); v > 0 {
			return v
		}
	}
	return field(&defaultLimits)
}

func maxAttachments(l *Limits) int       { return l.MaxAttachments }
func maxAttachmentBytes(l *Limits) int64 { return l.MaxAttachmentBytes }
func maxArguments(l *Limits) int         { return l.MaxArguments }
func maxDepth(l *Limits) int             { return l.MaxDepth }
func maxEventName(l *Limits) int         { return l.MaxEventName }
func maxNamespace(l *Limits) int         { return l.MaxNamespace }
