package redis

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"strings"

	goredis "github.com/redis/go-redis/v9"
)

// appendScript adds entries to a stream, each once however often it is asked to:
// KEYS[2] has the number of the last one of this node.
//
// KEYS: stream, numbers; ARGV: MAXLEN, ms that the numbers live, then for each
// entry seq, uid, nsp, type, data.
var appendScript = goredis.NewScript(`
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
for i = 3, #ARGV, 5 do
  local seq = tonumber(ARGV[i])
  if seq > last then
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*',
      'uid', ARGV[i + 1], 'nsp', ARGV[i + 2], 'type', ARGV[i + 3], 'data', ARGV[i + 4], 'seq', ARGV[i])
    last = seq
  end
end
redis.call('SET', KEYS[2], last, 'PX', ARGV[2])
return last
`)

// saveScript writes a record, if it still is of the version that is given: the
// hash of its value, "" if there must be none, "*" if it does not matter. It
// returns 0 on a conflict.
//
// KEYS: record; ARGV: version, value or "" to delete, ms that it lives.
var saveScript = goredis.NewScript(`
local value = redis.call('GET', KEYS[1])
if value and value == ARGV[2] then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return 1
end
if ARGV[1] ~= '*' then
  local version = ''
  if value then version = string.sub(redis.sha1hex(value), 1, 16) end
  if version ~= ARGV[1] then return 0 end
end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return 1
`)

// versionOf is the version of a record with this value.
func versionOf(value string) string {
	sum := sha1.Sum([]byte(value))
	return hex.EncodeToString(sum[:8])
}

// runAll runs a script several times in one go, loading it if Redis has forgotten
// it.
func runAll(ctx context.Context, c goredis.UniversalClient, s *goredis.Script, n int, args func(i int) (keys []string, args []any)) ([]*goredis.Cmd, error) {
	run := func() ([]*goredis.Cmd, error) {
		cmds := make([]*goredis.Cmd, n)
		_, err := c.Pipelined(ctx, func(p goredis.Pipeliner) error {
			for i := range cmds {
				keys, values := args(i)
				cmds[i] = s.EvalSha(ctx, p, keys, values...)
			}
			return nil
		})
		return cmds, err
	}
	cmds, err := run()
	if err != nil && goredis.HasErrorPrefix(err, "NOSCRIPT") {
		if err := s.Load(ctx, c).Err(); err != nil {
			return nil, err
		}
		cmds, err = run()
	}
	return cmds, err
}

// besides returns a key that a Redis Cluster keeps where another is.
func besides(key, suffix string) string {
	if _, tagged, ok := strings.Cut(key, "{"); ok {
		if i := strings.IndexByte(tagged, '}'); i > 0 {
			return key + suffix
		}
	}
	return "{" + key + "}" + suffix
}
