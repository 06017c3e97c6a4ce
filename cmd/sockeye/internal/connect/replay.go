package connect

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
)

// loadRecording reads what a user did from a file: the emits and answers, with
// their times. Those of the server are left out, since it says them again.
func loadRecording(path string) ([]record, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, cli.Usagef("", "--replay: %v", err)
	}
	defer f.Close()
	var list []record
	_, err = readRecords(f, func(r record) error {
		if r.Type == typeRecording && r.Version > 1 {
			return fmt.Errorf("it is of version %d, from a newer sockeye", r.Version)
		}
		if r.Type == typeEmit || r.Type == typeAnswer {
			list = append(list, r)
		}
		return nil
	})
	if err != nil {
		return nil, cli.Usagef("a recording is made by sockeye connect --record FILE", "--replay: %s: %v", path, err)
	}
	if len(list) == 0 {
		return nil, cli.Usagef("", "--replay: nothing was sent in %s", path)
	}
	return list, nil
}

// replay does again what was recorded: speed 1 with the pauses of then, 2 in half
// the time, 0 without pauses.
func (s *session) replay(ctx context.Context, list []record, speed float64, do func(record) error) error {
	begin, first := time.Now(), list[0].T
	for _, r := range list {
		if speed > 0 {
			due := begin.Add(time.Duration((r.T - first) / speed * float64(time.Millisecond)))
			select {
			case <-time.After(time.Until(due)):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		if err := do(r); err != nil {
			s.problem("%v", err)
		}
	}
	return nil
}
