package engineio

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// HTTPCompression compresses the responses to long-polling requests whose client
// accepts it. Its zero value is the default.
type HTTPCompression struct {
	// Disabled sends all as it is.
	Disabled bool
	// Threshold is the size in bytes from which on a response is compressed.
	// Default 1024.
	Threshold int
	// Encodings that are offered, the best first. Default gzip and deflate, of
	// the standard library at its fastest; package engineio/compress has br and
	// zstd.
	Encodings []Encoding
}

// An Encoding is a content coding of HTTP.
type Encoding struct {
	// Name in the headers: "gzip".
	Name string
	// Append appends the compressed form of src to dst. It is called
	// concurrently.
	Append func(dst, src []byte) ([]byte, error)
	// NewReader undoes it, for the bodies that clients send; nil accepts none.
	// It must not hold on to more memory than a window.
	NewReader func(io.Reader) (io.Reader, error)
}

func (o *HTTPCompression) withDefaults() *HTTPCompression {
	var c HTTPCompression
	if o != nil {
		c = *o
	}
	setNumber(&c.Threshold, 1024, "HTTPCompression.Threshold")
	if c.Encodings == nil {
		c.Encodings = []Encoding{gzipEncoding, deflateEncoding}
	}
	for _, e := range c.Encodings {
		if e.Name == "" || e.Append == nil {
			panic("engineio: Options.HTTPCompression.Encodings: one without Name or Append")
		}
	}
	return &c
}

var (
	gzipEncoding = Encoding{
		Name: "gzip",
		Append: Appender(func() EncodingWriter {
			w, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
			return w
		}),
		NewReader: func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
	}
	deflateEncoding = Encoding{ // which is zlib
		Name: "deflate",
		Append: Appender(func() EncodingWriter {
			w, _ := zlib.NewWriterLevel(io.Discard, zlib.BestSpeed)
			return w
		}),
		NewReader: func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) },
	}
)

// An EncodingWriter compresses what is written to it: as *gzip.Writer does.
type EncodingWriter interface {
	io.WriteCloser
	Reset(io.Writer)
}

// Appender makes an [Encoding.Append] of writers, which are used again.
func Appender(writer func() EncodingWriter) func(dst, src []byte) ([]byte, error) {
	writers := sync.Pool{New: func() any { return writer() }}
	return func(dst, src []byte) ([]byte, error) {
		w := writers.Get().(EncodingWriter)
		defer writers.Put(w)
		out := bytes.NewBuffer(dst)
		w.Reset(out)
		_, err := w.Write(src)
		if err = errors.Join(err, w.Close()); err != nil {
			return dst, err
		}
		return out.Bytes(), nil
	}
}

// choose returns the encoding that suits the Accept-Encoding of a request best, nil
// if none does. What a client likes more goes before what we do.
func (o *HTTPCompression) choose(r *http.Request) *Encoding {
	if o.Disabled {
		return nil
	}
	var best *Encoding
	var most float64
	for i := range o.Encodings {
		if q := quality(r.Header["Accept-Encoding"], o.Encodings[i].Name); q > most {
			best, most = &o.Encodings[i], q
		}
	}
	return best
}

// compress returns the compressed payload and says so in h, or what it was given.
func (o *HTTPCompression) compress(h http.Header, r *http.Request, payload []byte) []byte {
	e := o.choose(r)
	if e == nil {
		return payload
	}
	out, err := e.Append(make([]byte, 0, len(payload)/2), payload)
	if err != nil || len(out) >= len(payload) {
		return payload
	}
	h.Set("Content-Encoding", e.Name)
	return out
}

// quality is the weight that an encoding has in the header ("12.5.3
// Accept-Encoding" of RFC 9110). A name counts more than the star.
func quality(accept []string, name string) float64 {
	q, star := -1.0, 0.0
	for _, line := range accept {
		for item := range strings.SplitSeq(line, ",") {
			coding, params, _ := strings.Cut(item, ";")
			weight := 1.0
			for param := range strings.SplitSeq(params, ";") {
				if key, value, ok := strings.Cut(param, "="); ok && strings.EqualFold(strings.TrimSpace(key), "q") {
					f, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
					if err != nil {
						f = 0
					}
					weight = f
				}
			}
			switch coding = strings.TrimSpace(coding); {
			case strings.EqualFold(coding, name):
				q = weight
			case coding == "*":
				star = weight
			}
		}
	}
	if q < 0 {
		q = star
	}
	return q
}

var (
	errEncoding   = errors.New("unknown Content-Encoding")
	errNotEncoded = errors.New("body is not what its Content-Encoding says")
)

// bodyReader undoes the Content-Encoding of a request's body. What it reads of the
// compressed body ends at limit as well, as such a body can be without end and
// contain nothing.
func (o *HTTPCompression) bodyReader(r *http.Request, limit int64) (body io.Reader, encoded bool, err error) {
	name := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding")))
	if name == "" || name == "identity" {
		return r.Body, false, nil
	}
	for _, e := range o.Encodings {
		if !o.Disabled && e.Name == name && e.NewReader != nil {
			body, err := e.NewReader(io.LimitReader(r.Body, limit))
			if err != nil {
				err = fmt.Errorf("%w: %w", errNotEncoded, err)
			}
			return body, true, err
		}
	}
	return nil, true, errEncoding
}
