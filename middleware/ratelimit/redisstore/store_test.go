package redisstore

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/internal/leak"
	"github.com/sockeye-go/socketio/middleware/ratelimit"
)

func TestMain(m *testing.M) { leak.Main(m) }

// startRedis starts a real redis-server and returns n clients of it.
func startRedis(t *testing.T, n int) []*goredis.Client {
	t.Helper()
	if os.Getenv("SOCKEYE_PARTS") != "all" {
		t.Skip("needs redis-server: set SOCKEYE_PARTS=all")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	cmd := exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	var clients []*goredis.Client
	for range n {
		c := goredis.NewClient(&goredis.Options{Addr: "127.0.0.1:" + port})
		t.Cleanup(func() { c.Close() })
		clients = append(clients, c)
	}
	timeout, tick := time.After(10*time.Second), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for clients[0].Ping(context.Background()).Err() != nil {
		select {
		case <-tick.C:
		case <-timeout:
			t.Fatal("redis-server does not answer")
		}
	}
	return clients
}

// TestAsInMemory: by the same clock the script decides as ratelimit.Budget does.
func TestAsInMemory(t *testing.T) {
	c := startRedis(t, 1)[0]
	for i, r := range []ratelimit.Rate{
		{Events: 1, Per: time.Second}, {Events: 5, Per: time.Second}, {Events: 7, Per: 3 * time.Second},
		{Events: 1, Per: time.Second, Kind: ratelimit.TokenBucket}, {Events: 4, Per: time.Second, Kind: ratelimit.TokenBucket},
		{Events: 7, Per: time.Minute, Kind: ratelimit.TokenBucket},
	} {
		t.Run(fmt.Sprint(r), func(t *testing.T) {
			s, rng := New(c, nil), rand.New(rand.NewPCG(1, uint64(i)))
			var b ratelimit.Budget
			now := time.Now().Truncate(time.Microsecond)
			taken := 0
			for range 400 {
				switch rng.IntN(10) {
				case 0:
					now = now.Add(r.Per * time.Duration(rng.IntN(4)))
				default:
					now = now.Add(time.Duration(rng.Int64N(int64(r.Per) / int64(r.Events))).Truncate(time.Microsecond))
				}
				s.now = strconv.FormatInt(now.UnixMicro(), 10)
				if taken > 0 && rng.IntN(8) == 0 {
					b.Return(r)
					if err := s.Return(t.Context(), "k", r); err != nil {
						t.Fatal(err)
					}
					taken = 0
				}
				want := b.Take(r, now)
				got, err := s.Take(t.Context(), "k", r)
				if err != nil || got.OK != want.OK || (got.RetryAfter-want.RetryAfter).Abs() > 2*time.Microsecond {
					t.Fatalf("Take = %+v, %v; want %+v", got, err, want)
				}
				if got.OK {
					taken++
				}
			}
		})
	}
}

// TestShared has two nodes take at the same time: together they get what there is.
func TestShared(t *testing.T) {
	clients := startRedis(t, 2)
	for _, kind := range []ratelimit.Kind{ratelimit.Window, ratelimit.TokenBucket} {
		r := ratelimit.Rate{Events: 100, Per: 24 * time.Hour, Kind: kind}
		var ok, refused atomic.Int64
		var wg sync.WaitGroup
		for i := range 8 {
			s := New(clients[i%2], nil)
			wg.Go(func() {
				for range 25 {
					res, err := s.Take(context.Background(), "k", r)
					switch {
					case err != nil:
						t.Error(err)
					case res.OK:
						ok.Add(1)
					default:
						refused.Add(1)
						if res.RetryAfter <= 0 || res.RetryAfter > 2*r.Per {
							t.Errorf("RetryAfter = %v", res.RetryAfter)
						}
					}
				}
			})
		}
		wg.Wait()
		if ok.Load() != 100 || refused.Load() != 100 {
			t.Errorf("kind %d: %d were let through and %d not; want 100 each", kind, ok.Load(), refused.Load())
		}
	}
	for _, key := range clients[0].Keys(t.Context(), "*").Val() {
		if ttl := clients[0].PTTL(t.Context(), key).Val(); ttl <= 0 || ttl > 49*time.Hour {
			t.Errorf("%s lives for %v", key, ttl)
		}
	}
}

// TestTwoServers: an address that has used up its budget on one server is refused
// by the other, too, and while Redis is away as FailClosed says.
func TestTwoServers(t *testing.T) {
	clients := startRedis(t, 2)
	var urls []string
	for _, c := range clients {
		limits := ratelimit.NewConnections(&ratelimit.ConnectionOptions{
			Rate: ratelimit.Rate{Events: 5, Per: 24 * time.Hour}, Store: New(c, nil),
			FailClosed: true, Logger: slog.New(slog.DiscardHandler),
		})
		srv := socketio.NewServer(&socketio.Options{AllowRequest: limits.AllowRequest, Logger: slog.New(slog.DiscardHandler)})
		hs := httptest.NewServer(srv)
		defer hs.Close()
		defer srv.Close()
		urls = append(urls, hs.URL+"/socket.io/?EIO=4&transport=polling")
	}
	connect := func(i int) int {
		t.Helper()
		res, err := http.Get(urls[i])
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	var got []string
	for i := range 7 {
		got = append(got, strconv.Itoa(connect(i%2)))
	}
	if s := strings.Join(got, " "); s != "200 200 200 200 200 429 429" {
		t.Errorf("answers: %s", s)
	}
	clients[0].Close()
	if code := connect(0); code != 429 {
		t.Errorf("without Redis: %d; want 429, as it is FailClosed", code)
	}
	http.DefaultClient.CloseIdleConnections()
}
