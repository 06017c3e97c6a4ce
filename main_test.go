package socketio_test

import (
	"testing"

	"github.com/sockeye-go/socketio/internal/leak"
)

// What the tests of this package start, they end.
func TestMain(m *testing.M) {
	leak.Main(m, func() {
		for _, end := range exampleServers {
			end()
		}
	})
}
