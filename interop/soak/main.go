// Command soak runs a server under mixed load for a while, over a network that
// fails now and then, and looks whether anything grows: memory, goroutines,
// descriptors. Before that it measures how much each kind of bad neighbour
// costs the others. It writes a page with figures and a plot, and exits with 1
// if, in the end, not everything is back.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/internal/faultproxy"
	"github.com/sockeye-go/socketio/internal/leak"
	"github.com/sockeye-go/socketio/interop/internal/page"
)

func main() {
	log.SetFlags(log.Ltime)
	length := flag.Duration("for", 30*time.Minute, "how long the load lasts")
	calm := flag.Duration("neighbours", 20*time.Second, "how long each kind of bad neighbour is measured; 0 for none")
	out := flag.String("o", "", "a file for the page, of which the parts that are not run stay; standard output without")
	only := flag.String("only", "", "run this part alone: neighbours or load")
	heap := flag.String("heap", "", "a file for the profile of what is on the heap in the end")
	flag.Parse()
	if name := os.Getenv(roleVariable); name != "" {
		if err := play(name); err != nil {
			log.Fatal(err)
		}
		return
	}
	var err error
	switch *only {
	case "":
		if *calm > 0 {
			err = measured(*out, alone, func(b *strings.Builder) error { return neighbours(b, *calm) })
		}
		err = errors.Join(err, measured(*out, loaded, func(b *strings.Builder) error { return soak(b, *length, *heap) }))
	case "neighbours":
		err = measured(*out, alone, func(b *strings.Builder) error { return neighbours(b, *calm) })
	case "load":
		err = measured(*out, loaded, func(b *strings.Builder) error { return soak(b, *length, *heap) })
	default:
		err = fmt.Errorf("-only %s: there are neighbours and load", *only)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// The parts of the page.
const alone, loaded = "Bad neighbours", "Load"

var results = page.Page{
	Head:  "# Soak\n\n`make soak` writes this page, with `ARGS=\"-only neighbours\"` or `ARGS=\"-only load\"` one part of it.\n",
	Parts: []string{alone, loaded},
}

// measured writes what f measures.
func measured(path, part string, f func(*strings.Builder) error) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s, %d cores.\n", time.Now().UTC().Format("2006-01-02 15:04"), runtime.Version(), runtime.NumCPU())
	err := f(&b)
	if path == "" {
		fmt.Print(b.String())
		return err
	}
	return errors.Join(err, results.Write(path, part, b.String()))
}

// The bounds for what is left in the end.
const (
	moreGoroutines  = 5
	moreDescriptors = 2
	moreHeap        = 5 << 20
	quiet           = 15 * time.Second
)

// soak runs the load and writes what the process held meanwhile, and afterwards.
func soak(b *strings.Builder, length time.Duration, heap string) error {
	srv := newServer(true)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	hs := &http.Server{Handler: srv, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	socketio.ConfigureServer(hs)
	go hs.Serve(l)
	defer hs.Close()
	defer srv.Close()
	proxy := faultproxy.Listen(l.Addr().String())
	defer proxy.Close()

	load(proxy, 3*time.Second) // what is made once and kept
	awaitNobody(srv)
	before := settle()
	samples, events, cuts := load(proxy, length)
	var after sample
	for deadline := time.Now().Add(quiet); ; {
		after = settle()
		if back(before, after) == nil && srv.Connections() == 0 || time.Now().After(deadline) {
			break
		}
		<-time.After(200 * time.Millisecond)
	}
	err = errors.Join(back(before, after), profile(heap))
	if n := srv.Connections(); n != 0 {
		err = errors.Join(err, fmt.Errorf("%d connections are left", n))
	}
	st := srv.Stats()
	fmt.Fprintf(b, "%v of echoes with acks, broadcasts to rooms, attachments of 20 KB and clients that come and go, over WebSocket,\n"+
		"polling and polling with the upgrade; a fault every fifth of a second, %d in all. %d echoes, %d connections, %d upgrades.\n"+
		"Server, clients and network are one process.\n\n",
		length, cuts, events, st.Engine.Opened, st.Engine.Upgraded)
	fmt.Fprintf(b, "| | before | after |\n|---|---:|---:|\n| goroutines | %d | %d |\n| descriptors | %d | %d |\n| heap, KB | %d | %d |\n\n",
		before.goroutines, after.goroutines, before.files, after.files, before.heap>>10, after.heap>>10)
	b.WriteString(plot("heap, MB", samples, func(s sample) float64 { return float64(s.heap) / 1e6 }))
	b.WriteString(plot("goroutines", samples, func(s sample) float64 { return float64(s.goroutines) }))
	b.WriteString(plot("descriptors", samples, func(s sample) float64 { return float64(s.files) }))
	if err == nil {
		err = flat(samples)
	}
	return err
}

func newServer(recovery bool) *socketio.Server {
	o := &socketio.Options{PingInterval: time.Second, PingTimeout: 2 * time.Second, Logger: slog.New(slog.DiscardHandler)}
	if recovery {
		o.Recovery = &socketio.Recovery{MaxDuration: 5 * time.Second}
	}
	srv := socketio.NewServer(o)
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) error {
		s.On("echo", func(_ context.Context, m *socketio.Message) error {
			var v any
			if err := m.Decode(&v); err != nil {
				return err
			}
			return m.Ack(v)
		})
		s.On("say", func(_ context.Context, m *socketio.Message) error {
			var room, text string
			if err := m.Decode(&room, &text); err != nil {
				return err
			}
			if err := s.Join(room); err != nil {
				return err
			}
			return s.To(room).Emit("said", text)
		})
		s.On("leave", func(context.Context, *socketio.Message) error { s.Leave(s.Rooms()...); return nil })
		s.On("file", func(_ context.Context, m *socketio.Message) error {
			var b []byte
			if err := m.Decode(&b); err != nil {
				return err
			}
			return m.Ack(b)
		})
		badNeighbour(srv, s)
		return nil
	})
	return srv
}

// awaitNobody waits until the last client is gone.
func awaitNobody(srv *socketio.Server) {
	for deadline := time.Now().Add(quiet); srv.Connections() > 0 && time.Now().Before(deadline); {
		<-time.After(10 * time.Millisecond)
	}
}

// profile writes the heap, if there is a file to write it to.
func profile(path string) error {
	if path == "" {
		return nil
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(pprof.WriteHeapProfile(f), f.Close())
}

// A sample is what the process holds at a moment.
type sample struct {
	at         time.Duration
	heap       uint64
	goroutines int
	files      int
}

func measure() sample {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s := sample{heap: m.HeapAlloc, goroutines: runtime.NumGoroutine()}
	if entries, err := os.ReadDir("/proc/self/fd"); err == nil {
		s.files = len(entries)
	}
	return s
}

// settle measures what is left when the garbage is gone.
func settle() sample {
	runtime.GC()
	debug.FreeOSMemory()
	s := measure()
	s.goroutines = leak.Count() // without those that rest until there is work for them
	return s
}

func back(before, after sample) error {
	var errs []error
	if n := after.goroutines - before.goroutines; n > moreGoroutines {
		errs = append(errs, fmt.Errorf("%d goroutines more than before", n))
	}
	if n := after.files - before.files; n > moreDescriptors {
		errs = append(errs, fmt.Errorf("%d descriptors more than before", n))
	}
	if after.heap > before.heap+moreHeap {
		errs = append(errs, fmt.Errorf("%d KB of heap more than before", (after.heap-before.heap)>>10))
	}
	return errors.Join(errs...)
}

// flat compares the second quarter of the samples with the last: what leaks
// under load grows between them.
func flat(samples []sample) error {
	if len(samples) < 40 {
		return nil // too short a time to tell
	}
	q := len(samples) / 4
	second, last := samples[q:2*q], samples[3*q:]
	mean := func(s []sample, f func(sample) float64) (sum float64) {
		for _, x := range s {
			sum += f(x) / float64(len(s))
		}
		return sum
	}
	var errs []error
	for name, f := range map[string]func(sample) float64{
		"heap":        func(s sample) float64 { return float64(s.heap) },
		"goroutines":  func(s sample) float64 { return float64(s.goroutines) },
		"descriptors": func(s sample) float64 { return float64(s.files) },
	} {
		if a, b := mean(second, f), mean(last, f); b > 1.5*a {
			errs = append(errs, fmt.Errorf("%s grew from %.0f to %.0f under load", name, a, b))
		}
	}
	return errors.Join(errs...)
}

// plot draws a curve as text: it is to be read where the figures are.
func plot(name string, samples []sample, f func(sample) float64) string {
	const width, height = 72, 8
	if len(samples) == 0 {
		return ""
	}
	cells := make([]float64, width)
	counts := make([]int, width)
	for i, s := range samples {
		x := i * width / len(samples)
		cells[x] += f(s)
		counts[x]++
	}
	most := 0.0
	for x := range cells {
		if counts[x] > 0 {
			cells[x] /= float64(counts[x])
		} else if x > 0 {
			cells[x] = cells[x-1]
		}
		most = max(most, cells[x])
	}
	var b strings.Builder
	fmt.Fprintf(&b, "```\n%s, over %v\n", name, samples[len(samples)-1].at.Round(time.Second))
	for y := height; y > 0; y-- {
		label := "        "
		if y == height {
			label = fmt.Sprintf("%7.1f ", most)
		} else if y == 1 {
			label = "      0 "
		}
		b.WriteString(label + "|")
		for x := range cells {
			switch level := cells[x] / most * height; {
			case level >= float64(y):
				b.WriteByte('#')
			case level >= float64(y)-0.5:
				b.WriteByte('.')
			default:
				b.WriteByte(' ')
			}
		}
		b.WriteByte('\n')
	}
	b.WriteString("```\n\n")
	return b.String()
}
