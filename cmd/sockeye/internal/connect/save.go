package connect

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxSaved is how many files a session saves.
const maxSaved = 100_000

// saver writes received attachments to files.
type saver struct {
	dir string // "" saves nothing
	n   int
}

// save returns a record for each file.
func (s *saver) save(r record) (list []record) {
	if s.dir == "" || r.Type != typeEvent && r.Type != typeAck {
		return nil
	}
	for b := range attachments(r.Args) {
		saved := record{Type: typeSaved, Event: r.Event}
		path, err := s.write(r.Event, b)
		if err != nil {
			saved.Error = err.Error()
		} else {
			saved.Path = path
		}
		list = append(list, saved)
	}
	return list
}

// attachments yields the bytes in a value.
func attachments(v any) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) { walk(v, yield) }
}

func walk(v any, yield func([]byte) bool) bool {
	switch v := v.(type) {
	case []byte:
		return yield(v)
	case []any:
		for _, e := range v {
			if !walk(e, yield) {
				return false
			}
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if !walk(v[k], yield) {
				return false
			}
		}
	}
	return true
}

// write makes a new file: it never overwrites one.
func (s *saver) write(event string, b []byte) (string, error) {
	for s.n < maxSaved {
		s.n++
		path := filepath.Join(s.dir, fmt.Sprintf("%s-%d%s", fileName(event), s.n, extension(b)))
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if os.IsExist(err) {
			continue
		}
		if err != nil {
			return "", err
		}
		_, err = f.Write(b)
		return path, errors.Join(err, f.Close())
	}
	return "", fmt.Errorf("%s: there are %d files already", s.dir, maxSaved)
}

// fileName makes a name of that of an event, which the server chose.
func fileName(event string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '_'
	}, event)
	return name[:min(len(name), 64)]
}

func extension(b []byte) string {
	switch kind, _, _ := strings.Cut(http.DetectContentType(b), ";"); kind {
	case "image/png", "image/gif", "image/webp", "image/bmp":
		return "." + strings.TrimPrefix(kind, "image/")
	case "image/jpeg":
		return ".jpg"
	case "application/pdf":
		return ".pdf"
	case "application/zip":
		return ".zip"
	case "application/x-gzip":
		return ".gz"
	case "text/plain":
		return ".txt"
	}
	return ".bin"
}
