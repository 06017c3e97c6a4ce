package socketio_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/sockeye-go/socketio"
)

var update = flag.Bool("update", false, "rewrite golden files")

type (
	contractNode struct {
		Name     string          `json:"name"`
		Children []*contractNode `json:"children,omitempty"`
	}
	contractFile struct {
		Name  string         `json:"name"`
		Data  []byte         `json:"data"`
		Tags  map[string]int `json:"tags"`
		At    time.Time      `json:"at"`
		Extra any            `json:"extra"`
		Raw   json.RawMessage
		Size  int64    `json:"size,string"`
		Owner *string  `json:"owner"`
		Ratio *float64 `json:"ratio,omitempty"`
		With  struct {
			Dash bool `json:"with-dash"`
		} `json:"with"`
		hidden int
	}
	contractMove struct {
		socketio.Positional
		X, Y    float64
		Default []string
	}
)

// TestContractTypeScript holds the file that the compiler tests of web check, with
// ours and with the official client, to the Go types.
func TestContractTypeScript(t *testing.T) {
	const golden = "testdata/contract/events.ts"
	_ = contractFile{hidden: 1}
	c := socketio.Contract{
		ClientToServer: []socketio.AnyEvent{
			socketio.NewEventWithAck[contractNode, struct{ Count int }]("join"),
			socketio.NewEvent[contractMove]("move"),
			socketio.NewEventWithAck[contractFile, socketio.None]("file upload"),
			socketio.NewEventWithAck[socketio.None, contractMove]("where am I"),
			socketio.NewEvent[socketio.None]("it's \"quoted\""),
		},
		ServerToClient: []socketio.AnyEvent{
			socketio.NewEvent[contractFile]("new file"),
			socketio.NewEvent[[]contractNode]("tree"),
			socketio.NewEventWithAck[[]*bool, int]("question"),
		},
	}
	var got bytes.Buffer
	if err := c.WriteTypeScript(&got); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s is stale (%v): run go test -run Contract -update. Now it is\n%s", golden, err, &got)
	}
}
