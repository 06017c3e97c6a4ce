package socketio

import "encoding/json"

// A Key is a typed place for data on sockets, socket.data in the JavaScript
// API. Declare it once, as a package variable. Values must encode as JSON,
// since other nodes may ask for them.
type Key[T any] struct{ name string }

// NewKey names a key. Two keys of one name share a place.
func NewKey[T any](name string) Key[T] { return Key[T]{name} }

// Set stores v on s.
func (k Key[T]) Set(s *Socket, v T) {
	defer s.dataChanged()
	s.mu.Lock()
	defer s.mu.Unlock()
	rare := s.need()
	if rare.data == nil {
		rare.data = make(map[string]any)
	}
	rare.data[k.name] = v
}

// Get returns the value of s, and whether there is one of this type.
func (k Key[T]) Get(s *Socket) (T, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	data := s.look().data
	v, ok := data[k.name].(T)
	if ok {
		return v, true
	}
	// What the socket had on another node is decoded when it is asked for.
	if raw, isRaw := data[k.name].(json.RawMessage); isRaw && json.Unmarshal(raw, &v) == nil {
		data[k.name] = v
		return v, true
	}
	return v, false
}

// Delete removes the value from s.
func (k Key[T]) Delete(s *Socket) {
	defer s.dataChanged()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.look().data, k.name)
}

// dataChanged tells an adapter that keeps what sockets have.
func (s *Socket) dataChanged() {
	if s.kept() != nil {
		s.nsp.recoverer.Changed(s)
	}
}

// A LocalKey is a place for data that stays on this node: connections to
// databases, channels, functions. Each key is a place of its own.
type LocalKey[T any] struct{ place *byte }

// NewLocalKey makes a key.
func NewLocalKey[T any]() LocalKey[T] { return LocalKey[T]{new(byte)} }

// Set stores v on s.
func (k LocalKey[T]) Set(s *Socket, v T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rare := s.need()
	if rare.local == nil {
		rare.local = make(map[any]any)
	}
	rare.local[k.place] = v
}

// Get returns the value of s, and whether there is one.
func (k LocalKey[T]) Get(s *Socket) (T, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.look().local[k.place].(T)
	return v, ok
}

// Delete removes the value from s.
func (k LocalKey[T]) Delete(s *Socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.look().local, k.place)
}
