// Package web is the browser client: its sources in TypeScript, and the built
// files, embedded, so that a server can hand them out.
package web

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed dist/*.js dist/*.map
var dist embed.FS

// A File is one file of the client.
type File struct {
	Name        string
	Data        []byte // must not be changed
	ContentType string
	ETag        string // quoted; changes with Data
}

// names are those of the official server ("Client file serving"), as far as
// there are such files.
var files = load("socket.io.js", "socket.io.min.js", "socket.io.esm.min.js", "socket.io.msgpack.min.js")

func load(names ...string) map[string]File {
	files := make(map[string]File)
	for _, name := range names {
		for _, f := range []File{
			{Name: name, ContentType: "application/javascript; charset=utf-8"},
			{Name: name + ".map", ContentType: "application/json; charset=utf-8"},
		} {
			data, err := fs.ReadFile(dist, path.Join("dist", f.Name))
			if err != nil {
				continue
			}
			sum := sha256.Sum256(data)
			f.Data, f.ETag = data, `"`+base64.RawURLEncoding.EncodeToString(sum[:12])+`"`
			files[f.Name] = f
		}
	}
	return files
}

// Lookup returns a file by its exact name.
func Lookup(name string) (File, bool) {
	f, ok := files[name]
	return f, ok
}

// Serve answers r with the file that the last segment of its path names, and
// reports whether there is such a file.
func Serve(w http.ResponseWriter, r *http.Request) bool {
	f, ok := Lookup(path.Base(r.URL.Path))
	if !ok {
		return false
	}
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=0")
	h.Set("X-Content-Type-Options", "nosniff")
	for tag := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		if strings.TrimPrefix(strings.TrimSpace(tag), "W/") == f.ETag {
			w.WriteHeader(http.StatusNotModified)
			return true
		}
	}
	h.Set("Content-Type", f.ContentType)
	h.Set("ETag", f.ETag)
	h.Set("Content-Length", strconv.Itoa(len(f.Data)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(f.Data)
	}
	return true
}
