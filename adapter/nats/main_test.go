package nats_test

import (
	"testing"

	"github.com/nats-io/nats-server/v2/server/ats"

	"github.com/sockeye-go/socketio/internal/leak"
)

func TestMain(m *testing.M) {
	// All servers of a process have one clock for ages. A bubble must not be the
	// one that starts it.
	ats.Register()
	leak.Main(m)
}
