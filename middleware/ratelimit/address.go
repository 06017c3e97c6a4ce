package ratelimit

import (
	"net/http"
	"net/netip"
	"strings"
)

// ClientAddr returns the address that a request comes from: that of the
// connection, or behind the proxies the rightmost in X-Forwarded-For that is not
// one of them. What is left of it anybody could have written. It is invalid if the
// request has no address that can be read.
func ClientAddr(r *http.Request, proxies []netip.Prefix) netip.Addr {
	addr, ok := parseAddr(r.RemoteAddr)
	if !ok || !trusted(addr, proxies) {
		return addr
	}
	values := r.Header["X-Forwarded-For"]
	for i := len(values) - 1; i >= 0; i-- {
		for rest, more := values[i], true; more; {
			var one string
			if at := strings.LastIndexByte(rest, ','); at >= 0 {
				rest, one = rest[:at], rest[at+1:]
			} else {
				one, more = rest, false
			}
			next, ok := parseAddr(strings.TrimSpace(one))
			if !ok {
				return addr // no proxy of ours writes that; what is before it is no better
			}
			if addr = next; !trusted(addr, proxies) {
				return addr
			}
		}
	}
	return addr
}

// parseAddr reads an address with or without a port, and without its zone. IPv4
// in the clothes of IPv6 is IPv4.
func parseAddr(s string) (netip.Addr, bool) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	return a.Unmap().WithZone(""), err == nil
}

func trusted(a netip.Addr, proxies []netip.Prefix) bool {
	for _, p := range proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// addressKey is what an address counts as: of IPv6 its first bits, since one
// customer has a network of them.
func addressKey(a netip.Addr, bits int) string {
	if a.Is6() {
		if p, err := a.Prefix(bits); err == nil {
			return p.String()
		}
	}
	return a.String()
}
