// Package auth admits sockets by JSON Web Token, and keeps them honest while
// they are connected.
//
//	var User = socketio.NewKey[Account]("user")
//
//	guard := auth.New(User, load, &auth.Options{Secret: secret})
//	guard.Protect(srv.Of("/admin"))
//
// The token comes from the client's auth payload, io({auth: {token}}), or from
// the Authorization header. Who has none, a bad one or an old one gets a
// connect_error, whose data has a [Reason]:
//
//	socket.on("connect_error", (err) => {
//	  if (err.data?.reason === "expired") …
//	});
//
// # While connected
//
// A token that ends ends its socket. Some time before ([Options.WarnBefore]) the
// client gets the event "auth expiring" with {expiresAt}, in milliseconds since
// 1970, and can bring a fresh token for the same user:
//
//	socket.on("auth expiring", async () => {
//	  await socket.emitWithAck("auth refresh", { token: await fetchToken() });
//	});
//
// If it does not, it gets "auth expired" and is disconnected; it may connect again
// with another token.
//
// # Users
//
// A user is the subject of the token. All sockets of one user are in one room,
// on whatever node they are: [ToUser] emits to them.
//
// # Keys
//
// A token must name an algorithm that a configured key is for: a public key is
// never taken for an HMAC secret, and "none" does not exist. Key sets are fetched
// from the addresses in [Options.KeySets] and from nowhere else: what a token says
// of where its key is (jku, x5u, jwk) is not looked at.
package auth
