// Package h3 serves a handler over HTTP/3 for tests.
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

// Certificate is one that is made on the spot, for nobody to verify.
func Certificate() (*tls.Config, error) {
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
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, nil
}

// Serve serves h over HTTP/3 until the server is closed, on the UDP port of the number
// that TCP has. Without a TLSConfig it has a Certificate.
func Serve(addr string, h http.Handler, o webtransport.Options) (*webtransport.Server, error) {
	if o.TLSConfig == nil {
		config, err := Certificate()
		if err != nil {
			return nil, err
		}
		o.TLSConfig = config
	}
	pc, err := net.ListenPacket("udp", addr)
	if err != nil {
		return nil, err
	}
	server := webtransport.NewServer(h, &o)
	go func() {
		if err := server.Serve(pc); !errors.Is(err, http.ErrServerClosed) {
			slog.Error("HTTP/3", "error", err)
		}
	}()
	return server, nil
}
