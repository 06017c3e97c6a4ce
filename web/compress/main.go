// Command compress writes web/compressed: the files that the server hands out,
// as brotli and gzip. With -check it only compares. Run it after web/build.
package main

import (
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"runtime"

	"github.com/andybalholm/brotli"

	"github.com/sockeye-go/socketio/web"
)

func main() {
	log.SetFlags(0)
	check := flag.Bool("check", false, "fail if a file is not what web/dist has")
	flag.Parse()
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		log.Fatal("compress: where am I?")
	}
	dir := filepath.Join(filepath.Dir(filepath.Dir(file)), "compressed")
	if err := run(dir, *check); err != nil {
		log.Fatal(err)
	}
}

func run(dir string, check bool) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, f := range web.Files() {
		for suffix, compress := range map[string]func([]byte) []byte{".br": asBrotli, ".gz": asGzip} {
			name := filepath.Join(dir, f.Name+suffix)
			if !check {
				if err := os.WriteFile(name, compress(f.Data), 0o644); err != nil {
					return err
				}
				continue
			}
			have, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			// By content: the compressors of other versions may do as well.
			if plain, err := decompress(suffix, have); err != nil || !bytes.Equal(plain, f.Data) {
				return fmt.Errorf("%s is stale: run go run ./web/compress", name)
			}
		}
	}
	return nil
}

func asBrotli(b []byte) []byte {
	var out bytes.Buffer
	w := brotli.NewWriterLevel(&out, brotli.BestCompression)
	_, _ = w.Write(b) // a Buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

func asGzip(b []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression) // a valid level
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

func decompress(suffix string, b []byte) ([]byte, error) {
	if suffix == ".br" {
		return io.ReadAll(brotli.NewReader(bytes.NewReader(b)))
	}
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
