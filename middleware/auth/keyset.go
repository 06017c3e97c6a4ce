package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	setLifetime   = time.Hour
	setMinRefresh = time.Minute
	maxSetBytes   = 1 << 20
	maxSetKeys    = 100
)

// A keySet is a JWK set at a configured address, as it was when last fetched.
// Strangers choose the kid of a token: it is fetched at most once a minute,
// whatever they send, and by one request at a time.
type keySet struct {
	url    string
	client *http.Client
	log    *slog.Logger

	mu       sync.Mutex
	keys     []signingKey
	fetched  time.Time     // when keys came
	tried    time.Time     // when they were last asked for
	err      error         // of the last try
	fetching chan struct{} // closed at the end of the request that is under way
}

// get returns the keys, freshly fetched if they are old or have none of this id.
func (s *keySet) get(ctx context.Context, id string) ([]signingKey, error) {
	s.mu.Lock()
	has := slices.ContainsFunc(s.keys, func(k signingKey) bool { return id == "" || k.id == "" || k.id == id })
	now := time.Now()
	stale := s.fetched.IsZero() || now.Sub(s.fetched) > setLifetime || !has
	if stale && s.fetching == nil && (s.tried.IsZero() || now.Sub(s.tried) >= setMinRefresh) {
		s.fetching, s.tried = make(chan struct{}), now
		go s.fetch()
	}
	wait := s.fetching
	if wait == nil || has && now.Sub(s.fetched) <= setLifetime {
		defer s.mu.Unlock()
		return s.keys, s.unusable()
	}
	s.mu.Unlock()
	select {
	case <-wait:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys, s.unusable()
}

// unusable is an error while there never was a set. One that cannot be fetched
// again is used as it was: an issuer that is down must not cut everybody off.
func (s *keySet) unusable() error {
	if s.fetched.IsZero() {
		return s.err
	}
	return nil
}

// fetch runs on a goroutine of its own: the socket that wanted the keys may
// leave, and others wait for them too.
func (s *keySet) fetch() {
	keys, err := s.load()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err = err; err == nil {
		s.keys, s.fetched = keys, time.Now()
	} else {
		s.log.Warn("auth: key set cannot be fetched", "url", s.url, "error", err)
	}
	close(s.fetching)
	s.fetching = nil
}

func (s *keySet) load() ([]signingKey, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	res, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answer is %s", res.Status)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxSetBytes+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxSetBytes {
		return nil, fmt.Errorf("more than %d bytes", maxSetBytes)
	}
	return parseSet(body)
}

// parseSet keeps the keys that can verify a signature. Others are no error: a
// set may have keys for encryption and of kinds that we do not know.
func parseSet(body []byte) ([]signingKey, error) {
	var raw struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &raw); err != nil {
		return nil, err
	}
	if raw.Keys == nil {
		return nil, errors.New("no set of keys")
	}
	if len(raw.Keys) > maxSetKeys {
		return nil, fmt.Errorf("%d keys, more than %d", len(raw.Keys), maxSetKeys)
	}
	var keys []signingKey
	for _, r := range raw.Keys {
		var k jose.JSONWebKey
		if k.UnmarshalJSON(r) != nil || !k.IsPublic() || k.Use != "" && k.Use != "sig" {
			continue
		}
		algorithms := algorithmsOf(k.Key)
		if k.Algorithm != "" {
			if !slices.Contains(algorithms, jose.SignatureAlgorithm(k.Algorithm)) {
				continue
			}
			algorithms = []jose.SignatureAlgorithm{jose.SignatureAlgorithm(k.Algorithm)}
		}
		if len(algorithms) > 0 {
			keys = append(keys, signingKey{k.KeyID, k.Key, algorithms})
		}
	}
	return keys, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
