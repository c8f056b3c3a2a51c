-- Before each script, after constants from Python. KEYS[1] begins the names of its keys, KEYS[2] is of all channels.
local base, time = KEYS[1], redis.call('TIME')
local now = time[1] + time[2] / 1000000 + ARGV[1]
-- A command on a key of ours. A key of another type is not ours: it is removed.
local function call(command, key, ...)
  local found = redis.pcall(command, key, ...)
  if type(found) ~= 'table' or not found.err then return found end
  if string.find(found.err, 'WRONGTYPE', 1, true) then redis.call('UNLINK', key) end
  return redis.call(command, key, ...)
end
local function number(value)
  local found = tonumber(value)
  return found and found > -9e15 and found < 9e15 and found or 0
end
local function exact(value) return string.format('%.6f', value) end
-- For so long at least: what shares a key may wait for longer.
local function keep(key, seconds)
  seconds = math.ceil(seconds or KEEP)
  if redis.call('TTL', key) < seconds then redis.call('EXPIRE', key, seconds) end
end
local function put(key, score, member, seconds) call('ZADD', key, score, member) keep(key, seconds) end

-- What another version keeps here is left alone.
local found_version = number(call('GET', HAS_VERSION))
if found_version > 0 and found_version ~= VERSION then return redis.error_reply('OTHERVERSION') end
if found_version ~= VERSION then redis.call('SET', HAS_VERSION, VERSION, 'EX', KEEP) end
