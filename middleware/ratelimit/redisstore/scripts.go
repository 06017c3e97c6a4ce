package redisstore

import goredis "github.com/redis/go-redis/v9"

// The scripts do what ratelimit.Budget does, in microseconds. Of a window they
// keep when it began and the counts of it and the one before; of a bucket, when it
// will be full again.
//
// KEYS: budget; ARGV: kind, events, the time they are for, and the time it is, or
// "" for that of Redis. take returns 0, or after how long to come back.

const clock = `
local t = tonumber(ARGV[4])
if not t then
  local now = redis.call('TIME')
  t = now[1] * 1000000 + now[2]
end
local events, per = tonumber(ARGV[2]), tonumber(ARGV[3])
local function live(until_)
  if ARGV[4] ~= '' then return 3600000 end -- a time of tests does not pass
  return math.max(math.ceil((until_ - t) / 1000), 1)
end
`

var take = goredis.NewScript(clock + `
if ARGV[1] == 'bucket' then
  local step = per / events
  local at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), t)
  if at > t + per then at = t end -- the clock was set back
  local wait = at + step - t - step * events
  if wait > 1e-6 then return math.ceil(wait) end
  at = at + step
  redis.call('SET', KEYS[1], string.format('%.3f', at), 'PX', live(at))
  return 0
end

local kept = redis.call('HMGET', KEYS[1], 'at', 'before', 'count')
local at, before, count = tonumber(kept[1] or '0'), tonumber(kept[2] or '0'), tonumber(kept[3] or '0')
local passed = t - at
if passed >= 2 * per or passed < 0 then -- or the clock was set back
  at, before, count = t, 0, 0
elseif passed >= per then
  at, before, count = at + per, count, 0
end
local used = before * (1 - (t - at) / per) + count
local wait = 0
if used > events - 1 + 1e-9 then -- there would be no room for a whole one
  if count >= events then
    -- The count becomes before at the end of the window and fades from then.
    wait = at + per - t + per * (1 - (events - 1) / count)
  else
    wait = per * (1 - (events - 1 - count) / before) - (t - at)
  end
  wait = math.max(math.ceil(wait), 1)
else
  count = count + 1
end
redis.call('HSET', KEYS[1], 'at', string.format('%.0f', at), 'before', before, 'count', count)
redis.call('PEXPIRE', KEYS[1], live(at + 2 * per))
return wait
`)

var giveBack = goredis.NewScript(clock + `
if ARGV[1] == 'bucket' then
  local at = tonumber(redis.call('GET', KEYS[1]) or '0') - per / events
  if at > t then
    redis.call('SET', KEYS[1], string.format('%.3f', at), 'PX', live(at))
  else
    redis.call('DEL', KEYS[1])
  end
elseif tonumber(redis.call('HGET', KEYS[1], 'count') or '0') > 0 then
  redis.call('HINCRBY', KEYS[1], 'count', -1)
end
return 0
`)
