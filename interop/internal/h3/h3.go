// Package h3 serves a handler over HTTP/3 with a certificate that is made on the spot.
package h3

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"time"

	"github.com/sockeye-go/socketio/engineio/webtransport"
)

// Serve serves h over HTTP/3 until the server is closed, on the UDP port of the number
// that TCP has. The certificate is for nobody to verify: that of o is set.
func Serve(addr string, h http.Handler, o webtransport.Options) (*webtransport.Server, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	pc, err := net.ListenPacket("udp", addr)
	if err != nil {
		return nil, err
	}
	o.TLSConfig = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	server := webtransport.NewServer(h, &o)
	go func() {
		if err := server.Serve(pc); !errors.Is(err, http.ErrServerClosed) {
			slog.Error("HTTP/3", "error", err)
		}
	}()
	return server, nil
}
