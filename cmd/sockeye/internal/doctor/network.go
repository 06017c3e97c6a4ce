package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
)

// maxAddresses is how many addresses of a name are tried.
const maxAddresses = 4

func (e *examination) dns(ctx context.Context) verdict {
	host := e.target.URL.Hostname()
	if net.ParseIP(host) != nil {
		e.addresses = []string{host}
		return ok("%s is an address, there is no name to look up", host)
	}
	ctx, cancel := context.WithTimeout(ctx, e.target.Timeout)
	defer cancel()
	list, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		v := fail("Is the name spelled right, and known to the resolver of this machine?", "%s does not resolve: %v", host, err)
		v.fatal = true
		return v
	}
	e.addresses = list[:min(len(list), maxAddresses)]
	return ok("%s is %s", host, strings.Join(list, ", "))
}

func (e *examination) port() string {
	if p := e.target.URL.Port(); p != "" {
		return p
	}
	if e.target.URL.Scheme == "https" {
		return "443"
	}
	return "80"
}

func (e *examination) tcp(ctx context.Context) verdict {
	var failed []error
	var fastest time.Duration
	for _, address := range e.addresses {
		start := time.Now()
		dialing, cancel := context.WithTimeout(ctx, e.target.Timeout)
		nc, err := new(net.Dialer).DialContext(dialing, "tcp", net.JoinHostPort(address, e.port()))
		cancel()
		if err != nil {
			failed = append(failed, err)
			continue
		}
		if took := time.Since(start); fastest == 0 || took < fastest {
			fastest = took
		}
		nc.Close()
	}
	switch {
	case len(failed) == len(e.addresses):
		v := fail("Is the server running, is this its port, and does a firewall let it through?", "no connection: %v", failed[0])
		v.fatal = true
		return v
	case len(failed) > 0:
		return warn("Some clients try this address first, and wait before they take the next.",
			"%d of %d addresses take no connection: %v", len(failed), len(e.addresses), failed[0])
	}
	return ok("port %s takes connections, in %.1f ms", e.port(), ms(fastest))
}

// soon is how near to its end a certificate is worth a word.
const soon = 14 * 24 * time.Hour

func (e *examination) tlsCheck(ctx context.Context) verdict {
	if e.target.URL.Scheme != "https" {
		if ip := net.ParseIP(e.target.URL.Hostname()); e.target.URL.Hostname() == "localhost" || ip != nil && (ip.IsLoopback() || ip.IsPrivate()) {
			return skip("no TLS, which is fine on this machine and in private networks")
		}
		return warn("Some proxies of companies and mobile networks break WebSockets without TLS, and pages of https may not use them.", "no TLS")
	}
	host := e.target.URL.Hostname()
	dialing, cancel := context.WithTimeout(ctx, e.target.Timeout)
	defer cancel()
	d := &tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, ServerName: host}} // verified below, to say what is wrong
	nc, err := d.DialContext(dialing, "tcp", net.JoinHostPort(host, e.port()))
	if err != nil {
		v := fail("Does the server speak TLS on this port? If not, the address begins with http://.", "the TLS handshake fails: %v", err)
		v.fatal = true
		return v
	}
	defer nc.Close()
	st := nc.(*tls.Conn).ConnectionState()
	leaf := st.PeerCertificates[0]
	roots := x509.NewCertPool()
	for _, c := range st.PeerCertificates[1:] {
		roots.AddCert(c)
	}
	_, err = leaf.Verify(x509.VerifyOptions{DNSName: host, Intermediates: roots})
	until := leaf.NotAfter.UTC().Format("2006-01-02")
	if err != nil {
		// The other checks go on regardless.
		e.tls = &tls.Config{InsecureSkipVerify: true}
		if e.target.Insecure {
			return warn("--insecure was given.", "the certificate would be refused: %v", err)
		}
		return certificateFault(err, host, until)
	}
	name := tls.VersionName(st.Version)
	if st.Version < tls.VersionTLS12 {
		return warn("Browsers refuse anything older than TLS 1.2.", "%s", name)
	}
	if left := time.Until(leaf.NotAfter); left < soon {
		return warn("Is its renewal automatic, and does the proxy read the new one?", "%s, but the certificate ends on %s", name, until)
	}
	return ok("%s, the certificate is good for %s until %s", name, host, until)
}

func certificateFault(err error, host, until string) verdict {
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fail("Renew it and reload the proxy; or the clock of this machine is wrong.", "the certificate ended on %s (or begins later)", until)
	case errors.As(err, &name):
		return fail("Ask for one with this name, or use the name that it has.", "the certificate is not for %s: %v", host, err)
	case errors.As(err, &unknown):
		return fail("It is signed by itself or by an unknown authority, or the proxy does not send the intermediate one: it needs the full chain (nginx: ssl_certificate fullchain.pem).",
			"the certificate is signed by nobody this machine trusts")
	}
	return fail("", "the certificate is refused: %v", err)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// examination is the state that checks hand on.
type examination struct {
	*probe
	options   *options
	style     cli.Style
	addresses []string
	proxy     string
	first     *handshake
	offset    time.Duration // of the server's clock
	dated     bool
	sticky    stickiness
}
