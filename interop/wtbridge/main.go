// Command wtbridge gives programs without QUIC a WebTransport: a connection to its TCP
// port begins with a line, the URL, is answered by a line, "ok" or why not, and is from
// then on the stream of a session. Its end is that of the session, both ways. It trusts
// every certificate: it is for tests on one machine.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strings"
	"time"

	"github.com/sockeye-go/socketio/engineio/webtransport"
)

func main() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ln.Addr().(*net.TCPAddr).Port)
	go func() { // until the parent ends
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	for {
		nc, err := ln.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go bridge(nc.(*net.TCPConn))
	}
}

func bridge(nc *net.TCPConn) {
	defer nc.Close()
	in := bufio.NewReader(nc)
	url, err := in.ReadString('\n')
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	stream, _, err := new(webtransport.Dialer).DialStream(ctx, strings.TrimSpace(url), nil, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		fmt.Fprintln(nc, strings.ReplaceAll(err.Error(), "\n", " "))
		return
	}
	defer stream.Close()
	fmt.Fprintln(nc, "ok")
	go func() {
		_, _ = io.Copy(stream, in)
		// What was sent is still to arrive; then the session ends too.
		if half, ok := stream.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
	}()
	_, _ = io.Copy(nc, stream)
}
