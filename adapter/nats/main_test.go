package nats_test

import (
	"testing"

	"github.com/sockeye-go/socketio/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }
