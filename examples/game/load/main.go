// Command load measures how well the games keep their time: many games of many
// players over real connections, the server on one core in a process of its own.
//
//	go run ./examples/game/load -games 100 -players 10 -for 30s
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/examples/game/game"
	"github.com/sockeye-go/socketio/internal/ws"
)

var (
	games   = flag.Int("games", 100, "how many games")
	players = flag.Int("players", 10, "how many players each has")
	length  = flag.Duration("for", 30*time.Second, "how long")
	rate    = flag.Int("inputs", 20, "inputs of a player per second")
	serve   = flag.Bool("serve", false, "be the server")
)

func main() {
	flag.Parse()
	run := measure
	if *serve {
		run = server
	}
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

// A result is what the server says of itself at the end.
type result struct {
	game.Timing
	CPU time.Duration
}

// server serves until its input ends.
func server() error {
	srv := socketio.NewServer(&socketio.Options{PingInterval: time.Hour})
	gs := game.New(srv.Of("/"), nil)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	hs := &http.Server{Handler: srv}
	go hs.Serve(ln)
	fmt.Println(ln.Addr())
	in := bufio.NewScanner(os.Stdin)
	in.Scan() // all games run now
	before, start := cpu(), gs.Clock.Timing()
	in.Scan()
	r := result{gs.Clock.Timing(), cpu() - before}
	r.Frames -= start.Frames
	r.Late -= start.Late
	r.Skipped -= start.Skipped
	return json.NewEncoder(os.Stdout).Encode(r)
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// received counts bytes of all players.
var received atomic.Int64

// A player plays without looking: what comes is counted and thrown away.
type player struct {
	nc net.Conn
	in *bufio.Reader
}

func dial(addr string) (*player, error) {
	nc, leftover, _, err := ws.Dial(context.Background(), "ws://"+addr+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		return nil, err
	}
	p := &player{nc: nc, in: bufio.NewReaderSize(io.MultiReader(strings.NewReader(string(leftover)), nc), 4096)}
	if err := p.send("40"); err != nil {
		return nil, err
	}
	_, err = p.until("40")
	return p, err
}

func (p *player) send(packet string) error {
	_, err := p.nc.Write(ws.AppendMasked(nil, ws.Text, []byte(packet), [4]byte{1, 2, 3, 4}))
	return err
}

// until reads frames until a text begins so.
func (p *player) until(prefix string) (string, error) {
	for {
		var head [2]byte
		if _, err := io.ReadFull(p.in, head[:]); err != nil {
			return "", err
		}
		n := int(head[1])
		if n == 126 {
			var long [2]byte
			if _, err := io.ReadFull(p.in, long[:]); err != nil {
				return "", err
			}
			n = int(long[0])<<8 | int(long[1])
		}
		body := make([]byte, n)
		if _, err := io.ReadFull(p.in, body); err != nil {
			return "", err
		}
		if text := string(body); strings.HasPrefix(text, prefix) {
			return text, nil
		}
	}
}

func measure() error {
	cmd := exec.Command(os.Args[0], "-serve")
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer cmd.Process.Kill()
	out := bufio.NewReader(stdout)
	addr, err := out.ReadString('\n')
	if err != nil {
		return err
	}
	addr = strings.TrimSpace(addr)

	var all []*player
	for range *games {
		first, err := dial(addr)
		if err != nil {
			return err
		}
		if err := first.send(fmt.Sprintf(`42["create game",{"maxPlayers":%d}]`, *players)); err != nil {
			return err
		}
		text, err := first.until(`42["game created"`)
		if err != nil {
			return err
		}
		var made []json.RawMessage
		var created game.Created
		if err := json.Unmarshal([]byte(text[2:]), &made); err != nil {
			return err
		}
		if err := json.Unmarshal(made[1], &created); err != nil {
			return err
		}
		for i := range *players {
			p := first
			if i > 0 {
				if p, err = dial(addr); err != nil {
					return err
				}
			}
			all = append(all, p)
			if err := p.send(fmt.Sprintf(`42["join game",{"gameId":%q,"binary":true}]`, created.GameID)); err != nil {
				return err
			}
			if _, err := p.until(`42["game state"`); err != nil {
				return err
			}
		}
	}
	for _, p := range all {
		if err := p.send(`42["player ready"]`); err != nil {
			return err
		}
	}
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for i, p := range all {
		wg.Go(func() {
			buf := make([]byte, 32<<10)
			for {
				n, err := p.in.Read(buf)
				received.Add(int64(n))
				if err != nil {
					return
				}
			}
		})
		wg.Go(func() {
			time.Sleep(time.Duration(i) * time.Second / time.Duration(*rate*len(all)))
			tick := time.NewTicker(time.Second / time.Duration(*rate))
			defer tick.Stop()
			for seq := 1; ; seq++ {
				select {
				case <-tick.C:
					keys := []int{0, 1, 5, 4, 6, 2, 10, 8, 9}[(seq/10+i)%9]
					if p.send(fmt.Sprintf(`42["input",%d,%d]`, seq%65536, keys)) != nil {
						return
					}
				case <-stop:
					return
				}
			}
		})
	}
	time.Sleep(2 * time.Second) // until all run
	fmt.Fprintln(stdin, "now")
	received.Store(0)
	begin := time.Now()
	time.Sleep(*length)
	bytes, took := received.Load(), time.Since(begin)
	fmt.Fprintln(stdin, "end")
	var r result
	if err := json.NewDecoder(out).Decode(&r); err != nil {
		return err
	}
	close(stop)
	for _, p := range all {
		p.nc.Close()
	}
	wg.Wait()
	fmt.Printf("%d games of %d players, %d inputs/s each, %v\n", *games, *players, *rate, took.Round(time.Second))
	fmt.Printf("frames      %d, %.1f a second and game (60 are due)\n", r.Frames, float64(r.Frames)/took.Seconds()/float64(*games))
	fmt.Printf("frame time  p50 %v, p99 %v from when it was due to when all was sent\n", r.P50, r.P99)
	fmt.Printf("late        %d frames (%.3f %%), %d skipped\n", r.Late, 100*float64(r.Late)/float64(max(1, r.Frames)), r.Skipped)
	fmt.Printf("wire        %.0f bytes per player and second\n", float64(bytes)/took.Seconds()/float64(len(all)))
	fmt.Printf("server CPU  %.0f %% of one core\n", 100*r.CPU.Seconds()/took.Seconds())
	return cmd.Wait()
}
