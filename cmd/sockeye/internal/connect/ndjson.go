package connect

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/itchyny/gojq"

	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
)

// ndjson writes each record as a line, or what a jq filter makes of it.
type ndjson struct {
	out    io.Writer
	filter *gojq.Code
	sent   bool // what the user does is written too
	err    error
}

func (n *ndjson) put(r record) {
	if n.err != nil || !n.sent && (r.Type == typeEmit || r.Type == typeAnswer) {
		return
	}
	b, err := r.encode()
	if err != nil {
		return // it came as JSON, so it is JSON
	}
	if n.filter == nil {
		_, n.err = n.out.Write(append(b, '\n'))
		return
	}
	var v any
	if json.Unmarshal(b, &v) != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), filterTime)
	defer cancel()
	results := n.filter.RunWithContext(ctx, v)
	for n.err == nil {
		v, ok := results.Next()
		if !ok || isError(v) {
			return
		}
		text, err := gojq.Marshal(v)
		if err != nil {
			return
		}
		_, n.err = n.out.Write(append(text, '\n'))
	}
}

// maxLine is the longest line of input, or of a recording.
const maxLine = 64 << 20

// readRecords calls do with each record of a stream, and returns how many there
// were. A line that is none is told by its number.
func readRecords(in io.Reader, do func(record) error) (n int, err error) {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 4096), maxLine)
	for number := 1; lines.Scan(); number++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		r, err := decodeRecord(lines.Bytes())
		if err != nil {
			err = fmt.Errorf("line %d: %w", number, err)
		} else {
			err = do(r)
		}
		if err != nil {
			return n, err
		}
		n++
	}
	return n, lines.Err()
}

// record makes the file of a recording. Others may not read it: what is said to a
// server may be secret.
func createRecording(path string, t *cli.Target) (*os.File, *ndjson, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, nil, cli.Usagef("", "--record: %v", err)
	}
	to := &ndjson{out: f, sent: true}
	// The query of a URL may hold a token.
	to.put(record{Type: typeRecording, Version: 1, URL: t.URL.Scheme + "://" + t.URL.Host, Namespace: t.Namespace, Time: time.Now().UTC().Format(time.RFC3339)})
	return f, to, nil
}
