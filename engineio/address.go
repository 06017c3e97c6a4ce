package engineio

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// ClientAddr returns the address that the client of r has, as far as it can be
// trusted: the peer of the TCP connection; or, if that is one of
// Options.TrustedProxies, the last address in X-Forwarded-For that is none of
// them. Whatever stands before it may have been made up by the client.
func (s *Server) ClientAddr(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if !s.trusted(host) {
		return host
	}
	for i := len(r.Header["X-Forwarded-For"]) - 1; i >= 0; i-- {
		line := r.Header["X-Forwarded-For"][i]
		for line != "" {
			var hop string
			line, hop = cutLast(line)
			addr, err := netip.ParseAddr(hop)
			if err != nil {
				return host // nothing left of what is no address can be trusted
			}
			host = addr.Unmap().String()
			if !s.trusted(host) {
				return host
			}
		}
	}
	return host
}

// cutLast takes the last element off a comma-separated list.
func cutLast(list string) (rest, last string) {
	i := strings.LastIndexByte(list, ',')
	return list[:max(i, 0)], strings.TrimSpace(list[i+1:])
}

func (s *Server) trusted(host string) bool {
	if len(s.opts.TrustedProxies) == 0 {
		return false
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	addr = addr.Unmap().WithZone("")
	for _, p := range s.opts.TrustedProxies {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// addressKey is what counts as one address for MaxConnectionsPerAddress: an IPv4
// address, or the /64 of IPv6, which is what one subscriber has.
func addressKey(host string) string {
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if addr = addr.Unmap().WithZone(""); addr.Is6() {
		if p, err := addr.Prefix(64); err == nil {
			return p.String()
		}
	}
	return addr.String()
}
