// Package compress has the compressors that are not in the standard library, for
// servers that want them: Brotli and Zstandard for long-polling, and a DEFLATE that
// is twice as fast, for both. Who does not import it does not link them.
//
//	&socketio.Options{
//		PerMessageDeflate: &socketio.PerMessageDeflate{NewWriter: compress.Deflate(1)},
//		HTTPCompression: &socketio.HTTPCompression{
//			Encodings: []engineio.Encoding{compress.Zstd(), compress.Brotli(4), compress.Gzip(1)},
//		},
//	}
//
// The functions panic on a level that there is not.
package compress

import (
	"fmt"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/sockeye-go/socketio/engineio"
)

// maxWindow is how far back a compressed body may refer: what reading it takes.
const maxWindow = 8 << 20

// Deflate makes compressors for WebSocket messages. Levels are 1 (fast) to 9.
func Deflate(level int) func() engineio.DeflateWriter {
	if _, err := flate.NewWriter(io.Discard, level); err != nil || level < 1 {
		panic(fmt.Sprintf("compress: Deflate: level %d is not between 1 and 9", level))
	}
	return func() engineio.DeflateWriter {
		w, _ := flate.NewWriter(io.Discard, level)
		return w
	}
}

// Gzip is the encoding "gzip". Levels are 1 (fast) to 9.
func Gzip(level int) engineio.Encoding {
	if _, err := gzip.NewWriterLevel(io.Discard, level); err != nil || level < 1 {
		panic(fmt.Sprintf("compress: Gzip: level %d is not between 1 and 9", level))
	}
	return engineio.Encoding{
		Name: "gzip",
		Append: engineio.Appender(func() engineio.EncodingWriter {
			w, _ := gzip.NewWriterLevel(io.Discard, level)
			return w
		}),
		NewReader: func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
	}
}

// Brotli is the encoding "br", which browsers accept over HTTPS. Levels are 0
// (fast) to 11, which is far too slow for what is sent once.
func Brotli(level int) engineio.Encoding {
	if level < brotli.BestSpeed || level > brotli.BestCompression {
		panic(fmt.Sprintf("compress: Brotli: level %d is not between 0 and 11", level))
	}
	return engineio.Encoding{
		Name:   "br",
		Append: engineio.Appender(func() engineio.EncodingWriter { return brotli.NewWriterLevel(io.Discard, level) }),
		// Nothing is read: its window, of 16 MB, is the sender's choice.
	}
}

// Zstd is the encoding "zstd", at its fastest.
func Zstd() engineio.Encoding {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	if err != nil {
		panic("compress: Zstd: " + err.Error())
	}
	return engineio.Encoding{
		Name:   "zstd",
		Append: func(dst, src []byte) ([]byte, error) { return w.EncodeAll(src, dst), nil },
		NewReader: func(r io.Reader) (io.Reader, error) {
			d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(maxWindow))
			if err != nil {
				return nil, err
			}
			return d, nil
		},
	}
}
