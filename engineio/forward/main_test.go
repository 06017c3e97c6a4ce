package forward_test

import (
	"net/http"
	"testing"

	"github.com/sockeye-go/socketio/internal/leak"
)

func TestMain(m *testing.M) {
	leak.Main(m, http.DefaultTransport.(*http.Transport).CloseIdleConnections)
}
