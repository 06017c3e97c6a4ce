package editor

import (
	"encoding/json"
	"time"

	"go.etcd.io/bbolt"
)

// A Saved is a document as it is stored.
type Saved struct {
	Content string `json:"content"`
	Version int    `json:"version"`
}

// A Store keeps documents in one file. It survives a crash: bbolt writes a page
// before it refers to it.
type Store struct{ db *bbolt.DB }

var bucket = []byte("documents")

// OpenStore opens a file, or makes it. Another process that has it open is an error.
func OpenStore(file string) (*Store, error) {
	db, err := bbolt.Open(file, 0o600, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		return nil, err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucket)
		return err
	})
	if err != nil {
		db.Close()
		return nil, err
	}
	return &Store{db}, nil
}

// Load returns a document, which is empty if there was none.
func (s *Store) Load(id string) (d Saved, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucket).Get([]byte(id))
		if b == nil {
			return nil
		}
		return json.Unmarshal(b, &d)
	})
	return d, err
}

// Save stores documents, all of them or none.
func (s *Store) Save(docs map[string]Saved) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		for id, d := range docs {
			b, err := json.Marshal(d)
			if err != nil {
				return err
			}
			if err := tx.Bucket(bucket).Put([]byte(id), b); err != nil {
				return err
			}
		}
		return nil
	})
}

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }
