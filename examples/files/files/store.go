package files

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// The errors that a client is told.
var (
	ErrBadName   = errors.New("File name is not allowed")
	ErrBadType   = errors.New("File type is not allowed")
	ErrTooLarge  = errors.New("File too large")
	ErrNoSpace   = errors.New("No space left")
	ErrNotFound  = errors.New("File not found")
	ErrNoUpload  = errors.New("There is no such upload")
	ErrBadOffset = errors.New("Chunk is not the next one")
	ErrTooMany   = errors.New("Too many uploads")
	ErrChecksum  = errors.New("Checksum does not match")
)

// Limits are those of a Store. Zero fields stand for their defaults.
type Limits struct {
	MaxFile  int64 // bytes; default 64 MiB
	MaxTotal int64 // bytes, unfinished uploads too; default 1 GiB
	MaxFiles int   // default 1,000
	// MaxUploads that are unfinished. Default 100.
	MaxUploads int
	// KeepUpload is how long one waits for its next chunk. Default 10 minutes.
	KeepUpload time.Duration
	// Allow decides by the type that the first bytes of a file have, not by what
	// its name says. Default: images, sound, video, plain text, PDF, archives and
	// what has no type that is known.
	Allow func(contentType string) bool
}

func allowed(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	family, _, _ := strings.Cut(kind, "/")
	return slices.Contains([]string{"image", "audio", "video", "font"}, family) ||
		slices.Contains([]string{"text/plain", "application/pdf", "application/zip", "application/x-gzip", "application/octet-stream"}, kind)
}

// An Info is what is known of a file.
type Info struct {
	Name       string `json:"fileName"`
	UploadedBy string `json:"uploadedBy"`
	Size       int64  `json:"size"`
	Type       string `json:"type"`
	SHA256     string `json:"sha256"`
	Time       int64  `json:"time"` // milliseconds since 1970
	Thumbnail  bool   `json:"thumbnail"`

	id string // the file's name on the disk
}

// A Store keeps files in a folder, under names of its own: those that clients give
// are never names on the disk. It is safe for concurrent use.
type Store struct {
	root   *os.Root
	limits Limits

	mu      sync.Mutex
	files   map[string]Info
	uploads map[string]*upload
	total   int64 // of files, and of uploads as they were announced
}

// An upload is a file on its way.
type upload struct {
	name, by string
	size     int64
	mu       sync.Mutex // held while a chunk is written
	file     *os.File
	sum      hash.Hash
	offset   int64
	expires  *time.Timer
	over     bool
}

// OpenStore opens a folder, or makes it; nil stands for the default limits.
func OpenStore(dir string, l *Limits) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	s := &Store{root: root, files: make(map[string]Info), uploads: make(map[string]*upload)}
	if l != nil {
		s.limits = *l
	}
	s.limits.MaxFile = cmp.Or(s.limits.MaxFile, 64<<20)
	s.limits.MaxTotal = cmp.Or(s.limits.MaxTotal, 1<<30)
	s.limits.MaxFiles = cmp.Or(s.limits.MaxFiles, 1000)
	s.limits.MaxUploads = cmp.Or(s.limits.MaxUploads, 100)
	s.limits.KeepUpload = cmp.Or(s.limits.KeepUpload, 10*time.Minute)
	if s.limits.Allow == nil {
		s.limits.Allow = allowed
	}
	if err := s.load(); err != nil {
		root.Close()
		return nil, err
	}
	return s, nil
}

// load finds the files of the last time. What has no description is an upload that
// was not finished.
func (s *Store) load() error {
	entries, err := fs.ReadDir(s.root.FS(), ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		id, isInfo := strings.CutSuffix(e.Name(), ".json")
		if !isInfo {
			if _, err := s.root.Stat(strings.TrimSuffix(e.Name(), ".thumb") + ".json"); errors.Is(err, fs.ErrNotExist) {
				_ = s.root.Remove(e.Name())
			}
			continue
		}
		b, err := s.root.ReadFile(e.Name())
		if err != nil {
			return err
		}
		var i Info
		if err := json.Unmarshal(b, &i); err != nil {
			return fmt.Errorf("%s: %w", e.Name(), err)
		}
		i.id = id
		s.files[i.Name] = i
		s.total += i.Size
	}
	return nil
}

// CleanName makes a name that is safe to show and to save as: the last part of a
// path, of printable characters, and not one that means something to a system.
func CleanName(name string) (string, error) {
	name = strings.ToValidUTF8(name, "")
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || strings.ContainsRune(`/:*?"<>|`, r) {
			return -1
		}
		return r
	}, name)
	name = strings.TrimRight(strings.TrimLeft(name, ". "), ". ")
	stem, _, _ := strings.Cut(strings.ToUpper(name), ".")
	if name == "" || utf8.RuneCountInString(name) > 120 ||
		slices.Contains([]string{"CON", "PRN", "AUX", "NUL"}, stem) ||
		len(stem) == 4 && (strings.HasPrefix(stem, "COM") || strings.HasPrefix(stem, "LPT")) {
		return "", ErrBadName
	}
	return name, nil
}

// Begin announces an upload and returns its id, which is all that it takes to go on
// with it.
func (s *Store) Begin(name, by string, size int64) (id string, err error) {
	name, err = CleanName(name)
	if err != nil {
		return "", err
	}
	if size < 0 || size > s.limits.MaxFile {
		return "", ErrTooLarge
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.total+size > s.limits.MaxTotal, len(s.files)+len(s.uploads) >= s.limits.MaxFiles:
		return "", ErrNoSpace
	case len(s.uploads) >= s.limits.MaxUploads:
		return "", ErrTooMany
	}
	id = rand.Text()
	f, err := s.root.OpenFile(id, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	s.total += size
	s.uploads[id] = &upload{name: name, by: by, size: size, file: f, sum: sha256.New(),
		expires: time.AfterFunc(s.limits.KeepUpload, func() { s.Abort(id) })}
	return id, nil
}

func (s *Store) upload(id string) (*upload, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.uploads[id]
	if u == nil {
		return nil, ErrNoUpload
	}
	u.expires.Reset(s.limits.KeepUpload)
	return u, nil
}

// Offset returns how much of an upload is here.
func (s *Store) Offset(id string) (int64, error) {
	u, err := s.upload(id)
	if err != nil {
		return 0, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.offset, nil
}

// Write adds the next chunk and returns how much there is. One that is here already
// is no error: its answer was lost.
func (s *Store) Write(id string, offset int64, chunk []byte) (int64, error) {
	u, err := s.upload(id)
	if err != nil {
		return 0, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	end := offset + int64(len(chunk))
	switch {
	case u.over:
		return 0, ErrNoUpload
	case offset >= 0 && end <= u.offset:
		return u.offset, nil
	case offset != u.offset:
		return u.offset, ErrBadOffset
	case end > u.size:
		return u.offset, ErrTooLarge
	}
	if offset == 0 && !s.limits.Allow(http.DetectContentType(chunk)) {
		return 0, ErrBadType
	}
	if _, err := u.file.WriteAt(chunk, offset); err != nil {
		return u.offset, err
	}
	u.sum.Write(chunk)
	u.offset = end
	return end, nil
}

// Finish makes a file of an upload that is complete. sum is its SHA-256 in hex, ""
// if the client does not know it. A name that is taken gets a number.
func (s *Store) Finish(id, sum string) (Info, error) {
	u, err := s.upload(id)
	if err != nil {
		return Info{}, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.over {
		return Info{}, ErrNoUpload
	}
	if u.offset != u.size {
		return Info{}, ErrBadOffset
	}
	info := Info{Name: u.name, UploadedBy: u.by, Size: u.size, SHA256: hex.EncodeToString(u.sum.Sum(nil)), Time: time.Now().UnixMilli(), id: id}
	if sum != "" && !strings.EqualFold(sum, info.SHA256) {
		return Info{}, ErrChecksum
	}
	head := make([]byte, 512)
	n, err := u.file.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return Info{}, err
	}
	info.Type = http.DetectContentType(head[:n])
	if err := s.thumbnail(u.file, info); err == nil {
		info.Thumbnail = true
	}
	if err := u.file.Close(); err != nil {
		return Info{}, err
	}
	u.over = true
	s.mu.Lock()
	defer s.mu.Unlock()
	info.Name = s.free(info.Name)
	b, err := json.Marshal(info)
	if err == nil {
		err = s.root.WriteFile(id+".json", b, 0o600)
	}
	u.expires.Stop()
	delete(s.uploads, id)
	if err != nil {
		s.total -= info.Size
		return Info{}, err
	}
	s.files[info.Name] = info
	return info, nil
}

// free returns a name that no file has. s.mu is held.
func (s *Store) free(name string) string {
	stem, ext := strings.TrimSuffix(name, path.Ext(name)), path.Ext(name)
	for n := 2; ; n++ {
		if _, taken := s.files[name]; !taken {
			return name
		}
		name = fmt.Sprintf("%s (%d)%s", stem, n, ext)
	}
}

// Abort forgets an upload.
func (s *Store) Abort(id string) {
	s.mu.Lock()
	u := s.uploads[id]
	if u == nil {
		s.mu.Unlock()
		return
	}
	delete(s.uploads, id)
	s.total -= u.size
	s.mu.Unlock()
	u.expires.Stop()
	u.mu.Lock()
	defer u.mu.Unlock()
	u.over = true
	_ = u.file.Close()
	_ = s.root.Remove(id)
	_ = s.root.Remove(id + ".thumb")
}

// Put stores a whole file.
func (s *Store) Put(name, by string, data []byte) (Info, error) {
	id, err := s.Begin(name, by, int64(len(data)))
	if err != nil {
		return Info{}, err
	}
	if _, err = s.Write(id, 0, data); err == nil {
		var info Info
		if info, err = s.Finish(id, ""); err == nil {
			return info, nil
		}
	}
	s.Abort(id)
	return Info{}, err
}

// List returns the files, the newest first.
func (s *Store) List() []Info {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Info, 0, len(s.files))
	for _, i := range s.files {
		list = append(list, i)
	}
	slices.SortFunc(list, func(a, b Info) int { return cmp.Or(cmp.Compare(b.Time, a.Time), cmp.Compare(a.Name, b.Name)) })
	return list
}

// Stat returns what is known of a file.
func (s *Store) Stat(name string) (Info, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, ok := s.files[name]
	if !ok {
		return Info{}, ErrNotFound
	}
	return i, nil
}

// Read returns a part of a file, shorter at its end.
func (s *Store) Read(name string, offset int64, n int) ([]byte, error) {
	i, err := s.Stat(name)
	if err != nil {
		return nil, err
	}
	if offset < 0 || offset > i.Size {
		return nil, ErrBadOffset
	}
	f, err := s.root.Open(i.id)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, min(int64(n), i.Size-offset))
	_, err = f.ReadAt(b, offset)
	return b, err
}

// Close forgets the uploads that are not finished.
func (s *Store) Close() error {
	s.mu.Lock()
	ids := make([]string, 0, len(s.uploads))
	for id := range s.uploads {
		ids = append(ids, id)
	}
	s.mu.Unlock()
	for _, id := range ids {
		s.Abort(id)
	}
	return s.root.Close()
}
