package webtransport

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

// TestVerifiesUnderLoad: while many handshakes go on, who comes has to show where it
// is; and is served.
func TestVerifiesUnderLoad(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	for _, flood := range []bool{false, true} {
		s := NewServer(http.NotFoundHandler(), &Options{TLSConfig: config})
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- s.Serve(pc) }()
		if flood { // handshakes that nobody goes on with
			for range maxUnverified {
				ctx, end := context.WithCancel(context.Background())
				defer end()
				if _, err := s.gate.admit(ctx, &quic.ClientInfo{RemoteAddr: pc.LocalAddr()}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if s.gate.doubts(nil) != flood {
			t.Errorf("after %+v: doubts are %v", s.Stats(), !flood)
		}
		c, err := quic.DialAddr(t.Context(), pc.LocalAddr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h3"}}, &quic.Config{EnableDatagrams: true})
		if err != nil {
			t.Fatalf("flood %v: %v", flood, err)
		}
		_ = c.CloseWithError(0, "")
		_ = s.Close()
		<-served
		_ = pc.Close()
	}
}
