// Package files is a place to drop files for all who are there: in pieces, so that a
// large one neither fills the memory of the server nor holds up what else a socket
// sends, and so that a cut costs one piece and not the file.
package files

import (
	"context"
	"errors"
	"log/slog"

	"github.com/sockeye-go/socketio"
)

// Chunk is how large the pieces are, in bytes.
const Chunk = 64 << 10

// maxUploads is how many one socket has under way.
const maxUploads = 4

// The form of the tutorials: a whole file in one event, as large as MaxPayload.
var (
	fileUpload    = socketio.NewEvent[Whole]("file upload")
	uploadSuccess = socketio.NewEvent[string]("upload success") // the name
	uploadError   = socketio.NewEvent[string]("upload error")   // a message
	requestFile   = socketio.NewEvent[string]("request file")   // a name
	fileData      = socketio.NewEvent[Whole]("file data")
	fileError     = socketio.NewEvent[string]("file error") // a message
	newFile       = socketio.NewEvent[Info]("new file")
)

// In pieces. The sender waits for the ack of a piece before it sends one more, or a
// few: that is the backpressure, in both directions.
var (
	uploadBegin   = socketio.NewEventWithAck[Begin, Begun]("upload begin")
	uploadChunk   = socketio.NewEventWithAck[Piece, Progress]("upload chunk")
	uploadEnd     = socketio.NewEventWithAck[End, Info]("upload end")
	uploadAbort   = socketio.NewEvent[string]("upload abort") // an id
	fileList      = socketio.NewEventWithAck[socketio.None, []Info]("file list")
	downloadBegin = socketio.NewEventWithAck[string, Begun]("download begin")
	downloadChunk = socketio.NewEventWithAck[Range, []byte]("download chunk")
	thumbnail     = socketio.NewEventWithAck[string, []byte]("thumbnail")
)

// A Whole is a file in one event: emit("file upload", name, bytes).
type Whole struct {
	socketio.Positional
	Name string
	Data []byte
}

// A Begin announces an upload, or goes on with one whose id the client has.
type Begin struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
	ID   string `json:"id"`
}

// A Begun is what a transfer goes by.
type Begun struct {
	ID     string `json:"id,omitempty"` // of an upload
	Offset int64  `json:"offset"`       // so much is here
	Chunk  int    `json:"chunk"`        // the size of a piece
	Info   *Info  `json:"file,omitempty"`
}

// A Piece is emit("upload chunk", id, offset, bytes).
type Piece struct {
	socketio.Positional
	ID     string
	Offset int64
	Data   []byte
}

// A Progress says how much is here.
type Progress struct {
	Offset int64 `json:"offset"`
}

// An End makes a file of an upload.
type End struct {
	ID     string `json:"id"`
	SHA256 string `json:"sha256"` // in hex, "" if it is not known
}

// A Range is emit("download chunk", name, offset).
type Range struct {
	socketio.Positional
	Name   string
	Offset int64
}

// uploads are those that a socket began; they outlive it, for whoever has their ids.
var uploads = socketio.NewLocalKey[map[string]bool]()

// New registers the files on n. The server needs no other options: a piece is far
// below MaxPayload.
func New(n *socketio.Namespace, store *Store) {
	fileUpload.Handle(n, func(_ context.Context, s *socketio.Socket, in Whole) error {
		info, err := store.Put(in.Name, s.ID(), in.Data)
		if err != nil {
			return uploadError.Emit(s, describe(s, err).Message)
		}
		return errors.Join(uploadSuccess.Emit(s, info.Name), newFile.Emit(s.Broadcast(), info))
	})
	requestFile.Handle(n, func(_ context.Context, s *socketio.Socket, name string) error {
		info, err := store.Stat(name)
		if err == nil && info.Size > maxWhole {
			err = ErrTooLarge // in one event; in pieces it goes
		}
		var data []byte
		if err == nil {
			data, err = store.Read(name, 0, maxWhole)
		}
		if err != nil {
			return fileError.Emit(s, describe(s, err).Message)
		}
		return fileData.Emit(s, Whole{Name: name, Data: data})
	})

	uploadBegin.Handle(n, func(_ context.Context, s *socketio.Socket, in Begin) (Begun, error) {
		mine, _ := uploads.Get(s)
		if mine == nil {
			mine = make(map[string]bool) // handlers of a socket run one at a time
			uploads.Set(s, mine)
		}
		if in.ID != "" {
			offset, err := store.Offset(in.ID)
			return Begun{ID: in.ID, Offset: offset, Chunk: Chunk}, ackError(s, err)
		}
		for id := range mine {
			if _, err := store.Offset(id); err != nil { // refused since, or waited too long
				delete(mine, id)
			}
		}
		if len(mine) >= maxUploads {
			return Begun{}, ackError(s, ErrTooMany)
		}
		id, err := store.Begin(in.Name, s.ID(), in.Size)
		if err != nil {
			return Begun{}, ackError(s, err)
		}
		mine[id] = true
		return Begun{ID: id, Chunk: Chunk}, nil
	})
	uploadChunk.Handle(n, func(_ context.Context, s *socketio.Socket, in Piece) (Progress, error) {
		offset, err := store.Write(in.ID, in.Offset, in.Data)
		if errors.Is(err, ErrBadType) {
			store.Abort(in.ID)
		}
		return Progress{offset}, ackError(s, err)
	})
	uploadEnd.Handle(n, func(_ context.Context, s *socketio.Socket, in End) (Info, error) {
		info, err := store.Finish(in.ID, in.SHA256)
		if err != nil {
			if errors.Is(err, ErrChecksum) {
				store.Abort(in.ID)
			}
			return Info{}, ackError(s, err)
		}
		forget(s, in.ID)
		return info, newFile.Emit(s.Broadcast(), info)
	})
	uploadAbort.Handle(n, func(_ context.Context, s *socketio.Socket, id string) error {
		store.Abort(id)
		forget(s, id)
		return nil
	})
	fileList.Handle(n, func(context.Context, *socketio.Socket, socketio.None) ([]Info, error) { return store.List(), nil })
	downloadBegin.Handle(n, func(_ context.Context, s *socketio.Socket, name string) (Begun, error) {
		info, err := store.Stat(name)
		return Begun{Chunk: Chunk, Info: &info}, ackError(s, err)
	})
	downloadChunk.Handle(n, func(_ context.Context, s *socketio.Socket, in Range) ([]byte, error) {
		data, err := store.Read(in.Name, in.Offset, Chunk)
		return data, ackError(s, err)
	})
	thumbnail.Handle(n, func(_ context.Context, s *socketio.Socket, name string) ([]byte, error) {
		data, err := store.Thumbnail(name)
		return data, ackError(s, err)
	})
}

// maxWhole is how large a file "request file" sends in one event.
const maxWhole = 1_000_000

func forget(s *socketio.Socket, id string) {
	mine, _ := uploads.Get(s)
	delete(mine, id)
}

// describe makes of any error one that a client may see.
func describe(s *socketio.Socket, err error) *socketio.AckError {
	for code, known := range map[string]error{
		"bad_name": ErrBadName, "bad_type": ErrBadType, "too_large": ErrTooLarge, "no_space": ErrNoSpace, "not_found": ErrNotFound,
		"no_upload": ErrNoUpload, "bad_offset": ErrBadOffset, "too_many": ErrTooMany, "checksum": ErrChecksum,
	} {
		if errors.Is(err, known) {
			return &socketio.AckError{Code: code, Message: known.Error()}
		}
	}
	slog.Error("files", "socket", s, "error", err)
	return &socketio.AckError{Code: "internal", Message: "Something went wrong"}
}

func ackError(s *socketio.Socket, err error) error {
	if err == nil {
		return nil
	}
	return describe(s, err)
}
