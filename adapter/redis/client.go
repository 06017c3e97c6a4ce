package redis

import (
	"sync"

	goredis "github.com/redis/go-redis/v9"
)

// An ownClient is made from the client that a program hands over, for what that
// must not do: to repeat a command whose answer was lost, which then is there
// twice, and to wait for the end of a blocked read when it is closed. It exists
// while somebody uses it.
type ownClient struct {
	from goredis.UniversalClient

	mu    sync.Mutex
	users int
	made  goredis.UniversalClient // nil for a kind that we do not know: from is used
}

// use returns the client, until release is called.
func (o *ownClient) use() goredis.UniversalClient {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.users++; o.users == 1 {
		switch c := o.from.(type) {
		case *goredis.Client:
			opts := *c.Options()
			opts.MaxRetries, opts.MinIdleConns = -1, 0
			opts.PushNotificationProcessor = nil // belongs to the other client
			o.made = goredis.NewClient(&opts)
		case *goredis.ClusterClient:
			opts := *c.Options()
			// A redirect is no repetition: the command was not executed.
			opts.MaxRetries, opts.MinIdleConns = -1, 0
			o.made = goredis.NewClusterClient(&opts)
		}
	}
	if o.made == nil {
		return o.from
	}
	return o.made
}

func (o *ownClient) release() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.users--; o.users == 0 && o.made != nil {
		_ = o.made.Close()
		o.made = nil
	}
}
