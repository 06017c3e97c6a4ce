package main

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockeye-go/socketio/client"
	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/internal/faultproxy"
)

// steady is how many clients stay, and visitors how many come and go at a time.
const steady, visitors = 60, 4

// load has clients talk for a while over a network that fails, and returns what
// the process held meanwhile, once a second.
func load(proxy *faultproxy.Proxy, length time.Duration) (samples []sample, echoes, cuts int) {
	ctx, stop := context.WithTimeout(context.Background(), length)
	defer stop()
	var n atomic.Int64
	var all sync.WaitGroup
	for i := range steady {
		all.Go(func() { talk(ctx, proxy.URL(), i, &n) })
	}
	for i := range visitors {
		all.Go(func() {
			for ctx.Err() == nil {
				visit, leave := context.WithTimeout(ctx, time.Duration(50+rand.IntN(500))*time.Millisecond)
				talk(visit, proxy.URL(), i, &n)
				leave()
			}
		})
	}
	all.Go(func() {
		rng := rand.New(rand.NewPCG(1, 1))
		proxy.Plan(faultproxy.Chaos{Seed: 1, Spare: 0.8, Spread: 256 << 10, Shape: true}.Plan)
		faults := []faultproxy.Fault{faultproxy.RST, faultproxy.FIN, faultproxy.HalfClose, faultproxy.Blackhole, faultproxy.Stall}
		for pause(ctx, 200*time.Millisecond) {
			f := faults[rng.IntN(len(faults))]
			cuts += proxy.CutSome(f, 3)
			if f == faultproxy.Stall {
				pause(ctx, 50*time.Millisecond)
				proxy.Release()
			}
		}
	})
	begin := time.Now()
	for pause(ctx, time.Second) {
		s := measure()
		s.at = time.Since(begin)
		samples = append(samples, s)
		if len(samples)%60 == 0 {
			log.Printf("%v: heap %d MB, %d goroutines, %d descriptors, %d echoes", s.at.Round(time.Second), s.heap>>20, s.goroutines, s.files, n.Load())
		}
	}
	all.Wait()
	proxy.Plan(faultproxy.Always(faultproxy.Plan{}))
	proxy.Cut(faultproxy.RST)
	return samples, int(n.Load()), cuts
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

var transports = [][]string{{engineio.WebSocket}, {engineio.Polling}, {engineio.Polling, engineio.WebSocket}}

// talk is one client, until ctx ends.
func talk(ctx context.Context, url string, i int, echoes *atomic.Int64) {
	m, err := client.New(url, &client.Options{
		Path: "/", Transports: transports[i%3], DisableUpgrades: i%3 == 1, RetryConnect: true,
		Timeout: 2 * time.Second, ReconnectionDelay: 20 * time.Millisecond, ReconnectionDelayMax: 200 * time.Millisecond,
	})
	if err != nil {
		panic(err)
	}
	defer m.Close()
	s := m.Socket("/")
	if s.Connect(ctx) != nil {
		return
	}
	file := make([]byte, 20_000)
	for k := 0; pause(ctx, time.Duration(20+rand.IntN(60))*time.Millisecond); k++ {
		answer, done := context.WithTimeout(ctx, 2*time.Second)
		switch k % 10 {
		case 0:
			_, err = s.EmitWithAck(answer, "file", file)
		case 1:
			err = s.Emit("say", fmt.Sprint("room ", rand.IntN(20)), "hello")
		case 2:
			err = s.Emit("leave")
		default:
			_, err = s.EmitWithAck(answer, "echo", k)
		}
		done()
		if err == nil {
			echoes.Add(1)
		}
	}
}
