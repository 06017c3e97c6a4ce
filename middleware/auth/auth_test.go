package auth_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/internal/lab"
	"github.com/sockeye-go/socketio/internal/leak"
	"github.com/sockeye-go/socketio/middleware/auth"
)

func TestMain(m *testing.M) { leak.Main(m) }

var (
	userKey = socketio.NewKey[string]("user")
	whoami  = socketio.NewEventWithAck[socketio.None, string]("whoami")
	secret  = []byte("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")

	rsaKey, _       = rsa.GenerateKey(rand.Reader, 2048)
	ecKey, _        = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ec384Key, _     = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	edPublic, ed, _ = ed25519.GenerateKey(rand.Reader)
)

// sign makes a token. claims with an end and no name of a user are ada's.
func sign(algorithm jose.SignatureAlgorithm, key any, kid string, claims map[string]any) string {
	if _, has := claims["sub"]; !has {
		claims["sub"] = "ada"
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, nil)
	if err != nil {
		panic(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		panic(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return token
}

func in(d time.Duration) int64 { return time.Now().Add(d).Unix() }

type claims = map[string]any

// protect is what the tests' servers are.
func protect(n *socketio.Namespace, o *auth.Options) {
	auth.New(userKey, auth.Subject, o).Protect(n)
	whoami.Handle(n, func(_ context.Context, s *socketio.Socket, _ socketio.None) (string, error) {
		name, _ := userKey.Get(s)
		return name, nil
	})
}

func payload(token string) string {
	b, _ := json.Marshal(map[string]string{"token": token})
	return string(b)
}

func TestTokens(t *testing.T) {
	all := &auth.Options{
		Secret:     secret,
		PublicKeys: []auth.PublicKey{{Key: &rsaKey.PublicKey}, {Key: &ecKey.PublicKey}, {Key: edPublic}},
	}
	asymmetric := &auth.Options{PublicKeys: all.PublicKeys}
	const (
		noToken = `{"message":"Authentication error: No token provided","data":{"reason":"no token provided"}}`
		invalid = `{"message":"Authentication error: Invalid token","data":{"reason":"invalid token"}}`
		expired = `{"message":"Authentication error: Token expired","data":{"reason":"expired"}}`
	)
	encode := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	rsaDER, _ := x509.MarshalPKIXPublicKey(&rsaKey.PublicKey)
	forever := claims{}
	for _, test := range []struct {
		name    string
		options *auth.Options
		token   func() string // in the bubble, whose clock it needs
		want    string        // the refusal; "" for ada
	}{
		{"HS256", all, func() string { return sign(jose.HS256, secret, "", claims{"exp": in(time.Hour)}) }, ""},
		{"HS512", all, func() string { return sign(jose.HS512, secret, "", claims{"exp": in(time.Hour)}) }, ""},
		{"RS256", all, func() string { return sign(jose.RS256, rsaKey, "any", claims{"exp": in(time.Hour)}) }, ""},
		{"PS384", all, func() string { return sign(jose.PS384, rsaKey, "", claims{"exp": in(time.Hour)}) }, ""},
		{"ES256", all, func() string { return sign(jose.ES256, ecKey, "", claims{"exp": in(time.Hour)}) }, ""},
		{"EdDSA", all, func() string { return sign(jose.EdDSA, ed, "", claims{"exp": in(time.Hour)}) }, ""},
		{"without an end", all, func() string { return sign(jose.HS256, secret, "", forever) }, ""},
		{"Bearer before it", all, func() string { return "Bearer " + sign(jose.HS256, secret, "", forever) }, ""},

		{"none brought", all, func() string { return "" }, noToken},
		{"garbage", all, func() string { return "a.b.c" }, invalid},
		{"too long", all, func() string { return strings.Repeat("a", 1<<17) }, invalid},
		{"one second over", all, func() string { return sign(jose.HS256, secret, "", claims{"exp": in(-time.Second)}) }, expired},
		{"at its second", all, func() string { return sign(jose.HS256, secret, "", claims{"exp": in(0)}) }, expired},
		{"within the leeway", &auth.Options{Secret: secret, Leeway: 5 * time.Second},
			func() string { return sign(jose.HS256, secret, "", claims{"exp": in(-4 * time.Second)}) }, ""},
		{"not yet", all, func() string { return sign(jose.HS256, secret, "", claims{"nbf": in(time.Minute)}) }, invalid},
		{"an end is required", &auth.Options{Secret: secret, RequireExpiry: true}, func() string { return sign(jose.HS256, secret, "", forever) }, invalid},
		{"a secret too short for it", &auth.Options{Secret: secret[:32]}, func() string { return sign(jose.HS512, secret, "", forever) }, invalid},
		{"another secret", all, func() string { return sign(jose.HS256, []byte(strings.Repeat("x", 64)), "", forever) }, invalid},
		{"another curve", asymmetric, func() string { return sign(jose.ES384, ec384Key, "", forever) }, invalid},
		{"alg none", all, func() string { return encode(`{"alg":"none"}`) + "." + encode(`{"sub":"ada"}`) + "." }, invalid},
		{"alg none, signed", all, func() string {
			return encode(`{"alg":"none"}`) + "." + encode(`{"sub":"ada"}`) + "." + encode("x")
		}, invalid},
		{"public key as the secret", asymmetric, func() string { return sign(jose.HS256, rsaDER, "", forever) }, invalid},
		{"the token's own key", asymmetric, func() string {
			signer, _ := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: func() any {
				k, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
				return k
			}()}, &jose.SignerOptions{EmbedJWK: true})
			signed, _ := signer.Sign([]byte(`{"sub":"ada"}`))
			token, _ := signed.CompactSerialize()
			return token
		}, invalid},
		{"an algorithm that is not allowed", &auth.Options{Secret: secret, Algorithms: []string{"HS512"}},
			func() string { return sign(jose.HS256, secret, "", forever) }, invalid},
		{"issuer", &auth.Options{Secret: secret, Issuer: "us"}, func() string { return sign(jose.HS256, secret, "", claims{"iss": "us"}) }, ""},
		{"another issuer", &auth.Options{Secret: secret, Issuer: "us"}, func() string { return sign(jose.HS256, secret, "", claims{"iss": "them"}) }, invalid},
		{"audience", &auth.Options{Secret: secret, Audience: "chat"}, func() string { return sign(jose.HS256, secret, "", claims{"aud": []string{"x", "chat"}}) }, ""},
		{"another audience", &auth.Options{Secret: secret, Audience: "chat"}, func() string { return sign(jose.HS256, secret, "", claims{"aud": "x"}) }, invalid},
		{"kid of another key", &auth.Options{PublicKeys: []auth.PublicKey{{ID: "a", Key: &ecKey.PublicKey}}},
			func() string { return sign(jose.ES256, ecKey, "b", forever) }, invalid},
	} {
		t.Run(test.name, func(t *testing.T) {
			lab.Run(t, nil, func(t *testing.T, l *lab.Lab) {
				protect(l.Of("/"), test.options)
				c, err := l.Open()
				if err != nil {
					t.Fatal(err)
				}
				if got := c.Connect("/", payload(test.token())); got != test.want {
					t.Fatalf("refusal %q; want %q", got, test.want)
				}
				if test.want == "" {
					if got := c.Ask("whoami"); got != `["ada"]` {
						t.Errorf("whoami = %s", got)
					}
				}
			})
		})
	}
}

func TestWhereTheTokenIs(t *testing.T) {
	lab.Run(t, nil, func(t *testing.T, l *lab.Lab) {
		protect(l.Of("/"), &auth.Options{Secret: secret})
		token := sign(jose.HS256, secret, "", claims{})
		c := l.Join("/", "", "Authorization", "bearer "+token)
		if got := c.Ask("whoami"); got != `["ada"]` {
			t.Errorf("whoami with a header = %s", got)
		}
		for _, auth := range []string{`{"token":7}`, `{"token":null}`} {
			c, err := l.Open()
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Connect("/", auth); !strings.Contains(got, "Authentication error") {
				t.Errorf("auth %s: refusal %q", auth, got)
			}
		}
	})
}

// A token ends in the middle of a connection, to the second.
func TestExpiry(t *testing.T) {
	lab.Run(t, nil, func(t *testing.T, l *lab.Lab) {
		protect(l.Of("/"), &auth.Options{Secret: secret})
		ends := time.Now().Add(10 * time.Minute)
		c := l.Join("/", payload(sign(jose.HS256, secret, "", claims{"exp": ends.Unix()})))
		lab.Wait(9*time.Minute - time.Nanosecond)
		c.Want()
		lab.Wait(time.Nanosecond)
		c.Want(fmt.Sprintf(`["auth expiring",{"expiresAt":%d}]`, ends.UnixMilli()))
		lab.Wait(time.Minute - time.Nanosecond)
		c.Want()
		lab.Wait(time.Nanosecond)
		c.Want(`["auth expired"]`, "disconnect")
	})
}

// The wall clock is set while sockets are connected: a token ends when that clock
// says so, within maxWait.
func TestWallClockIsSet(t *testing.T) {
	for _, test := range []struct {
		name   string
		jump   time.Duration
		wait   time.Duration // until the socket is cut, from the jump
		within time.Duration
	}{
		{"forward", 24 * time.Hour, 0, 10 * time.Minute},
		{"back", -time.Hour, 3 * time.Hour, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			lab.Run(t, nil, func(t *testing.T, l *lab.Lab) {
				var off atomic.Int64
				guard := auth.New(userKey, auth.Subject, &auth.Options{Secret: secret, WarnBefore: time.Second})
				guard.SetWall(func() time.Time { return time.Now().Add(time.Duration(off.Load())) })
				guard.Protect(l.Of("/"))
				c := l.Join("/", payload(sign(jose.HS256, secret, "", claims{"exp": in(2 * time.Hour)})))
				off.Store(int64(test.jump))
				lab.Wait(test.wait - time.Minute)
				c.Want()
				lab.Wait(time.Minute + test.within + time.Second)
				if got := c.Take(); len(got) != 3 || got[1] != `["auth expired"]` {
					t.Errorf("after the end of the token: %q", got)
				}
			})
		})
	}
}

func TestRefresh(t *testing.T) {
	lab.Run(t, nil, func(t *testing.T, l *lab.Lab) {
		protect(l.Of("/"), &auth.Options{Secret: secret, WarnBefore: 10 * time.Second})
		c := l.Join("/", payload(sign(jose.HS256, secret, "", claims{"exp": in(time.Minute)})))
		lab.Wait(50 * time.Second)
		if got := c.Take(); len(got) != 1 {
			t.Fatalf("before the refresh: %q", got)
		}
		for _, test := range []struct{ token, want string }{
			{"", "no token provided"},
			{"x", "invalid token"},
			{sign(jose.HS256, secret, "", claims{"sub": "bob"}), "other user"},
			{sign(jose.HS256, secret, "", claims{"exp": in(-time.Second)}), "expired"},
		} {
			if got := c.Ask("auth refresh", auth.Refresh{Token: test.token}); !strings.Contains(got, `{"reason":"`+test.want+`"}`) {
				t.Errorf("refresh: %s; want %s", got, test.want)
			}
		}
		ends := time.Now().Add(time.Hour).Truncate(time.Second)
		answer := c.Ask("auth refresh", auth.Refresh{Token: sign(jose.HS256, secret, "", claims{"exp": ends.Unix()})})
		if want := fmt.Sprintf(`[{"expiresAt":%d}]`, ends.UnixMilli()); answer != want {
			t.Errorf("refresh = %s; want %s", answer, want)
		}
		lab.Wait(30 * time.Minute) // long after the end of the first
		c.Want()
		if got := c.Ask("auth refresh", auth.Refresh{Token: sign(jose.HS256, secret, "", claims{})}); got != `[{"expiresAt":0}]` {
			t.Errorf("refresh with a token that never ends = %s", got)
		}
		lab.Wait(24 * time.Hour)
		c.Want()
	})
}

func TestToUser(t *testing.T) {
	lab.Run(t, nil, func(t *testing.T, l *lab.Lab) {
		protect(l.Of("/"), &auth.Options{Secret: secret})
		ada := payload(sign(jose.HS256, secret, "", claims{}))
		bob := payload(sign(jose.HS256, secret, "", claims{"sub": "bob"}))
		phone, laptop, other := l.Join("/", ada), l.Join("/", ada), l.Join("/", bob)
		if err := auth.ToUser(l, "ada").Emit("mail", 1); err != nil {
			t.Fatal(err)
		}
		phone.Want(`["mail",1]`)
		laptop.Want(`["mail",1]`)
		other.Want()
	})
}

// An issuer whose keys change, and who is away now and then. The set is real
// HTTP in the bubble's own goroutines' place: the fake clock drives the ages.
func TestKeySets(t *testing.T) {
	var asked atomic.Int64
	var set atomic.Value
	set.Store(`{"keys":[]}`)
	publish := func(keys ...jose.JSONWebKey) {
		b, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
		if err != nil {
			t.Fatal(err)
		}
		set.Store(string(b))
	}
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		asked.Add(1)
		rec := httptest.NewRecorder()
		if body := set.Load().(string); body == "" {
			rec.WriteHeader(http.StatusBadGateway)
		} else {
			rec.WriteString(body)
		}
		return rec.Result(), nil
	})}
	lab.Run(t, nil, func(t *testing.T, l *lab.Lab) {
		protect(l.Of("/"), &auth.Options{KeySets: []string{"https://issuer.example/keys"}, HTTPClient: client})
		try := func(token, want string, wantAsked int64) {
			t.Helper()
			c, err := l.Open()
			if err != nil {
				t.Fatal(err)
			}
			got := c.Connect("/", payload(token))
			if want == "" && got != "" || !strings.Contains(got, want) {
				t.Errorf("refusal %q; want %q", got, want)
			}
			if n := asked.Swap(0); n != wantAsked {
				t.Errorf("the issuer was asked %d times; want %d", n, wantAsked)
			}
			c.Cut()
		}
		first := sign(jose.ES256, ecKey, "first", claims{})
		second := sign(jose.EdDSA, ed, "second", claims{})
		set.Store("")
		try(first, "Temporarily unavailable", 1)
		publish(jose.JSONWebKey{Key: &ecKey.PublicKey, KeyID: "first", Algorithm: "ES256", Use: "sig"})
		try(first, "Temporarily unavailable", 0) // not a minute yet
		lab.Wait(time.Minute)
		try(first, "", 1)
		try(first, "", 0)
		try(second, "Invalid token", 0) // unknown, but not a minute yet
		lab.Wait(time.Minute)
		publish(jose.JSONWebKey{Key: &ecKey.PublicKey, KeyID: "first"}, jose.JSONWebKey{Key: edPublic, KeyID: "second"},
			jose.JSONWebKey{Key: secret, KeyID: "shared"}, jose.JSONWebKey{Key: &ec384Key.PublicKey, KeyID: "enc", Use: "enc"})
		try(second, "", 1)
		lab.Wait(time.Minute)
		try(sign(jose.HS256, secret, "shared", claims{}), "Invalid token", 0) // a secret that was published is none
		try(sign(jose.ES384, ec384Key, "enc", claims{}), "Invalid token", 1)  // for encryption
		set.Store("")
		lab.Wait(2 * time.Hour)
		try(first, "", 1) // old keys are better than none
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A flood of tokens with keys that nobody knows makes one request.
func TestKeySetIsAskedOnce(t *testing.T) {
	var asked atomic.Int64
	answer := make(chan struct{})
	client := &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		asked.Add(1)
		<-answer
		rec := httptest.NewRecorder()
		rec.WriteString(`{"keys":[]}`)
		return rec.Result(), nil
	})}
	synctest.Test(t, func(t *testing.T) {
		answer = make(chan struct{})
		guard := auth.New(userKey, auth.Subject, &auth.Options{KeySets: []string{"https://issuer.example/keys"}, HTTPClient: client})
		srv := socketio.NewServer(nil)
		defer srv.Close()
		guard.Protect(srv)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 50)
		for i := range 50 {
			go func() {
				_, err := guard.Verify(ctx, sign(jose.ES256, ecKey, fmt.Sprint(i), claims{}))
				done <- err
			}()
		}
		synctest.Wait()
		cancel() // who waits may leave
		for range 50 {
			if err := <-done; err == nil {
				t.Error("a token was valid")
			}
		}
		close(answer)
		synctest.Wait()
		if n := asked.Load(); n != 1 {
			t.Errorf("the issuer was asked %d times; want once", n)
		}
	})
}

func TestBadOptions(t *testing.T) {
	small, _ := rsa.GenerateKey(rand.Reader, 1024)
	for _, test := range []struct {
		name    string
		options auth.Options
		field   string
	}{
		{"no key", auth.Options{}, "Secret"},
		{"short secret", auth.Options{Secret: []byte("secret")}, "Secret"},
		{"small key", auth.Options{PublicKeys: []auth.PublicKey{{Key: crypto.PublicKey(small)}}}, "PublicKeys"},
		{"not https", auth.Options{KeySets: []string{"http://issuer.example/"}}, "KeySets"},
		{"no address", auth.Options{KeySets: []string{"keys.json"}}, "KeySets"},
		{"algorithm without a key", auth.Options{Secret: secret, Algorithms: []string{"RS256"}}, "Algorithms"},
		{"negative leeway", auth.Options{Secret: secret, Leeway: -1}, "Leeway"},
		{"negative warning", auth.Options{Secret: secret, WarnBefore: -1}, "WarnBefore"},
	} {
		t.Run(test.name, func(t *testing.T) {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.HasPrefix(text, "auth: Options."+test.field+":") {
					t.Errorf("panic %q; want one that names %s", text, test.field)
				}
			}()
			auth.New(userKey, auth.Subject, &test.options)
		})
	}
}

// FuzzToken checks that what is valid has been signed by the key: no input but
// the seed that has the signature is let in.
func FuzzToken(f *testing.F) {
	valid := sign(jose.HS256, secret, "", claims{})
	f.Add(valid)
	f.Add(sign(jose.ES256, ecKey, "k", claims{}))
	f.Add("e30.e30.")
	f.Add(`{"payload":"e30","protected":"e30","signature":"e30"}`)
	guard := auth.New(userKey, auth.Subject, &auth.Options{Secret: secret, PublicKeys: []auth.PublicKey{{Key: edPublic}}})
	f.Fuzz(func(t *testing.T, token string) {
		c, err := guard.Verify(t.Context(), token)
		if err == nil && (c.Subject != "ada" || strings.TrimSpace(token) != valid) {
			t.Errorf("%q is valid for %q", token, c.Subject)
		}
	})
}
