package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Options configure a [Guard]. At least one key is needed: a Secret, PublicKeys
// or KeySets. The other fields may be zero.
type Options struct {
	// Secret verifies HS256, HS384 and HS512, as far as it is long enough: 32,
	// 48 and 64 bytes (RFC 7518, 3.2).
	Secret []byte
	// PublicKeys verify RS, PS, ES and EdDSA by the type of the key:
	// *rsa.PublicKey of at least 2048 bits, *ecdsa.PublicKey, ed25519.PublicKey.
	PublicKeys []PublicKey
	// KeySets are the addresses of JWK sets, https unless the host is loopback.
	// Each is fetched when it is first needed, kept for an hour, and fetched
	// again for a key that it does not have, at most once a minute.
	KeySets []string
	// HTTPClient fetches them; it should not follow redirects. Default one that
	// does not, with a timeout of 10 s.
	HTTPClient *http.Client

	// Algorithms that a token may use, such as "ES256". Default all that the
	// keys are for; with KeySets, those of RS, PS, ES and EdDSA.
	Algorithms []string
	// Issuer and Audience must be those of the token. Default: not looked at.
	Issuer, Audience string
	// RequireExpiry refuses tokens that never end.
	RequireExpiry bool
	// Leeway is how far the clocks of issuer and server may differ, for tokens
	// that are not valid yet and for those that have just ended. Default 0.
	Leeway time.Duration
	// WarnBefore is how long before the end of its token a client gets
	// "auth expiring". Default 1 minute.
	WarnBefore time.Duration

	// Logger is told of key sets that cannot be fetched. Default slog.Default().
	Logger *slog.Logger
}

// A PublicKey verifies signatures.
type PublicKey struct {
	// ID is the kid of the tokens it is for; "" is tried for all.
	ID  string
	Key crypto.PublicKey
}

var (
	hmacAlgorithms       = []jose.SignatureAlgorithm{jose.HS256, jose.HS384, jose.HS512}
	rsaAlgorithms        = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512}
	ecAlgorithms         = map[string]jose.SignatureAlgorithm{"P-256": jose.ES256, "P-384": jose.ES384, "P-521": jose.ES512}
	asymmetricAlgorithms = append(slices.Clone(rsaAlgorithms), jose.ES256, jose.ES384, jose.ES512, jose.EdDSA)
)

const (
	minSecret  = 32   // bytes
	minRSABits = 2048 // as RFC 7518 wants it
)

// algorithmsOf returns what a public key may verify, and nothing for a key that
// is of no use. ES256 is for P-256 alone, and so on.
func algorithmsOf(key crypto.PublicKey) []jose.SignatureAlgorithm {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if k != nil && k.N != nil && k.N.BitLen() >= minRSABits {
			return rsaAlgorithms
		}
	case *ecdsa.PublicKey:
		if k != nil && k.Curve != nil {
			if a, ok := ecAlgorithms[k.Curve.Params().Name]; ok {
				return []jose.SignatureAlgorithm{a}
			}
		}
	case ed25519.PublicKey:
		if len(k) == ed25519.PublicKeySize {
			return []jose.SignatureAlgorithm{jose.EdDSA}
		}
	}
	return nil
}

// verifier panics with the field's name on options that make no sense.
func (o *Options) verifier() *verifier {
	bad := func(field, format string, args ...any) {
		panic(fmt.Sprintf("auth: Options.%s: %s", field, fmt.Sprintf(format, args...)))
	}
	v := &verifier{secret: o.Secret, issuer: o.Issuer, audience: o.Audience, leeway: o.Leeway, requireExpiry: o.RequireExpiry, wall: time.Now}
	if len(o.Secret) > 0 {
		if len(o.Secret) < minSecret {
			bad("Secret", "%d bytes, of which at least %d are needed", len(o.Secret), minSecret)
		}
		for i, a := range hmacAlgorithms {
			if len(o.Secret) >= minSecret+16*i {
				v.algorithms = append(v.algorithms, a)
			}
		}
	}
	for i, k := range o.PublicKeys {
		algorithms := algorithmsOf(k.Key)
		if algorithms == nil {
			bad("PublicKeys", "key %d (%T) is of no type and size that can be used", i, k.Key)
		}
		v.keys = append(v.keys, signingKey{k.ID, k.Key, algorithms})
		v.algorithms = append(v.algorithms, algorithms...)
	}
	logger := o.Logger
	if logger == nil {
		logger = slog.Default()
	}
	client := o.HTTPClient
	if client == nil {
		client = &http.Client{
			Timeout:       10 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	for _, address := range o.KeySets {
		u, err := url.Parse(address)
		switch {
		case err != nil || u.Host == "":
			bad("KeySets", "%q is no address", address)
		case u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname())):
			bad("KeySets", "%q is not https", address)
		}
		v.sets = append(v.sets, &keySet{url: address, client: client, log: logger})
		v.algorithms = append(v.algorithms, asymmetricAlgorithms...)
	}
	if len(v.algorithms) == 0 {
		bad("Secret", "there is no key at all: set it, PublicKeys or KeySets")
	}
	if len(o.Algorithms) > 0 {
		possible := v.algorithms
		v.algorithms = nil
		for _, name := range o.Algorithms {
			if !slices.Contains(possible, jose.SignatureAlgorithm(name)) {
				bad("Algorithms", "no key is for %q", name)
			}
			v.algorithms = append(v.algorithms, jose.SignatureAlgorithm(name))
		}
	}
	if o.Leeway < 0 {
		bad("Leeway", "%v is negative", o.Leeway)
	}
	if o.WarnBefore < 0 {
		bad("WarnBefore", "%v is negative", o.WarnBefore)
	}
	return v
}
