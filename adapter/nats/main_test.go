package nats_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats-server/v2/server/ats"

	"github.com/sockeye-go/socketio/internal/leak"
)

func TestMain(m *testing.M) {
	if port := os.Getenv("TEST_NATS_PORT"); port != "" {
		serveNATS(port, os.Getenv("TEST_NATS_DIR"))
	}
	// All servers of a process have one clock for ages. A bubble must not be the
	// one that starts it.
	ats.Register()
	leak.Main(m)
}

// serveNATS makes of this process a nats-server, until it is killed.
func serveNATS(port, dir string) {
	o := &server.Options{Host: "127.0.0.1", NoSigs: true, NoLog: true, JetStream: dir != "", StoreDir: dir}
	_, _ = fmt.Sscan(port, &o.Port)
	s, err := server.NewServer(o)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		fmt.Fprintln(os.Stderr, "nats-server is not ready")
		os.Exit(1)
	}
	_, _ = os.Stdin.Read(make([]byte, 1)) // its end is the end of the test
	os.Exit(0)
}
