package auth

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// maxToken limits, in bytes, what is parsed at all.
const maxToken = 16 << 10

// Claims are what a valid token says.
type Claims struct {
	Subject   string
	Issuer    string
	Audience  []string
	ID        string
	ExpiresAt time.Time // zero if the token does not end
	IssuedAt  time.Time

	payload []byte
}

// Decode decodes all claims, those of the application too, into v.
func (c *Claims) Decode(v any) error { return json.Unmarshal(c.payload, v) }

// A signingKey is a public key and what it is for.
type signingKey struct {
	id         string
	key        any
	algorithms []jose.SignatureAlgorithm
}

// A verifier checks tokens. It is safe for concurrent use.
type verifier struct {
	secret           []byte
	keys             []signingKey
	sets             []*keySet
	algorithms       []jose.SignatureAlgorithm
	issuer, audience string
	leeway           time.Duration
	requireExpiry    bool
	wall             func() time.Time // the end of a token is a time of the wall clock
}

// The ways in which a token is not good enough.
var (
	errExpired     = errors.New("token has expired")
	errUnavailable = errors.New("no key set could be fetched")
)

func (v *verifier) verify(ctx context.Context, token string) (*Claims, error) {
	if len(token) > maxToken {
		return nil, errors.New("token is too long")
	}
	parsed, err := jose.ParseSignedCompact(token, v.algorithms)
	if err != nil {
		return nil, err
	}
	if len(parsed.Signatures) != 1 {
		return nil, errors.New("token has not one signature")
	}
	payload, err := v.payload(ctx, parsed)
	if err != nil {
		return nil, err
	}
	var c jwt.Claims
	if err := json.Unmarshal(payload, &c); err != nil {
		return nil, err
	}
	if v.requireExpiry && c.Expiry == nil {
		return nil, errors.New("token never ends")
	}
	expected := jwt.Expected{Issuer: v.issuer, Time: v.wall()}
	if v.audience != "" {
		expected.AnyAudience = jwt.Audience{v.audience}
	}
	switch err := c.ValidateWithLeeway(expected, v.leeway); {
	case errors.Is(err, jwt.ErrExpired):
		return nil, errExpired
	case err != nil:
		return nil, err
	}
	claims := &Claims{Subject: c.Subject, Issuer: c.Issuer, Audience: c.Audience, ID: c.ID, payload: payload}
	if c.Expiry != nil {
		claims.ExpiresAt = c.Expiry.Time()
		// At its very second a token has ended, as RFC 7519 has it.
		if !v.wall().Before(claims.ExpiresAt.Add(v.leeway)) {
			return nil, errExpired
		}
	}
	if c.IssuedAt != nil {
		claims.IssuedAt = c.IssuedAt.Time()
	}
	return claims, nil
}

// payload verifies the signature. Which keys are tried depends on the algorithm
// and the kid, so that no key is ever used for what it is not.
func (v *verifier) payload(ctx context.Context, token *jose.JSONWebSignature) ([]byte, error) {
	header := token.Signatures[0].Protected
	algorithm := jose.SignatureAlgorithm(header.Algorithm)
	if slices.Contains(hmacAlgorithms, algorithm) {
		return token.Verify(v.secret)
	}
	try := func(keys []signingKey) ([]byte, bool) {
		for _, k := range keys {
			if k.id != "" && header.KeyID != "" && k.id != header.KeyID || !slices.Contains(k.algorithms, algorithm) {
				continue
			}
			if payload, err := token.Verify(k.key); err == nil {
				return payload, true
			}
		}
		return nil, false
	}
	if payload, ok := try(v.keys); ok {
		return payload, nil
	}
	reached := len(v.sets) == 0
	for _, set := range v.sets {
		keys, err := set.get(ctx, header.KeyID)
		if err != nil {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			continue
		}
		reached = true
		if payload, ok := try(keys); ok {
			return payload, nil
		}
	}
	if !reached {
		return nil, errUnavailable
	}
	return nil, errors.New("no key verifies the signature")
}
