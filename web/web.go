// Package web is the browser client: its sources in TypeScript, and the built
// files, embedded, so that a server can hand them out.
package web

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed dist/socket.io*.js dist/socket.io*.map
var dist embed.FS

// compressed has the same files as brotli and gzip, made by web/compress.
//
//go:embed all:compressed
var compressed embed.FS

// A File is one file of the client.
type File struct {
	Name        string
	Data        []byte // must not be changed
	ContentType string
	ETag        string // quoted; changes with Data

	brotli, gzip []byte // nil if there is none
}

// names are those of the official server ("Client file serving"), as far as
// there are such files.
var names = []string{"socket.io.js", "socket.io.min.js", "socket.io.esm.min.js", "socket.io.msgpack.min.js"}

// files are read when somebody first asks for them: most servers hand out one of
// them or none, and what is read stays on the heap.
var files = listed()

func listed() map[string]func() File {
	files := make(map[string]func() File)
	for _, name := range names {
		for _, f := range []File{
			{Name: name, ContentType: "application/javascript; charset=utf-8"},
			{Name: name + ".map", ContentType: "application/json; charset=utf-8"},
		} {
			if _, err := fs.Stat(dist, f.path()); err == nil {
				files[f.Name] = sync.OnceValue(f.read)
			}
		}
	}
	return files
}

func (f File) path() string { return path.Join("dist", f.Name) }

// read returns f with what is in it.
func (f File) read() File {
	f.Data, _ = fs.ReadFile(dist, f.path())
	sum := sha256.Sum256(f.Data)
	f.ETag = `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	// Without them it is served as it is.
	f.brotli, _ = fs.ReadFile(compressed, path.Join("compressed", f.Name+".br"))
	f.gzip, _ = fs.ReadFile(compressed, path.Join("compressed", f.Name+".gz"))
	return f
}

// Lookup returns a file by its exact name.
func Lookup(name string) (File, bool) {
	read, ok := files[name]
	if !ok {
		return File{}, false
	}
	return read(), true
}

// Files returns all files, in the order of their names.
func Files() []File {
	all := make([]File, 0, len(files))
	for _, name := range slices.Sorted(maps.Keys(files)) {
		all = append(all, files[name]())
	}
	return all
}

// Serve answers r with the file that the last segment of its path names, and
// reports whether there is such a file. As in the original, any method gets it,
// and only HEAD no body.
func Serve(w http.ResponseWriter, r *http.Request) bool {
	f, ok := Lookup(path.Base(r.URL.Path))
	if !ok {
		return false
	}
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=0")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Add("Vary", "Accept-Encoding")
	for tag := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || strings.TrimPrefix(tag, "W/") == f.ETag {
			w.WriteHeader(http.StatusNotModified)
			return true
		}
	}
	data, encoding := f.encodedFor(r.Header.Values("Accept-Encoding"))
	etag := f.ETag
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
		etag = "W/" + etag // other bytes, the same file
	}
	h.Set("Content-Type", f.ContentType)
	h.Set("ETag", etag)
	h.Set("Content-Length", strconv.Itoa(len(data)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(data)
	}
	return true
}

// encodedFor returns the smallest form that a client takes, and its name.
func (f File) encodedFor(accept []string) (data []byte, encoding string) {
	switch {
	case f.brotli != nil && accepts(accept, "br"):
		return f.brotli, "br"
	case f.gzip != nil && accepts(accept, "gzip"):
		return f.gzip, "gzip"
	}
	return f.Data, ""
}

// accepts reports whether an Accept-Encoding names an encoding, and not with the
// weight 0. What "*" would take is served as it is.
func accepts(accept []string, encoding string) bool {
	for _, v := range accept {
		for part := range strings.SplitSeq(v, ",") {
			name, params, _ := strings.Cut(part, ";")
			if !strings.EqualFold(strings.TrimSpace(name), encoding) {
				continue
			}
			q, weighted := strings.CutPrefix(strings.TrimSpace(params), "q=")
			weight, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
			return !weighted || err == nil && weight > 0
		}
	}
	return false
}
