-- ARGV: what to do, process, value, seconds.
local name, verb, process, value = base .. 'token', ARGV[2], ARGV[3], ARGV[4]
local known, ends, owner, locked = unpack(call('HMGET', name, 'value', 'ends', 'owner', 'locked'))
known, ends, locked = known and #known <= 8192 and known or '', number(ends), number(locked)
if verb == 'token' then
  return known ~= '' and ends > now and ends <= now + DAY and {known, exact(ends - now)} or {}
elseif verb == 'drop' then
  return known == value and call('HDEL', name, 'value', 'ends') or 0
elseif verb == 'lock' then
  if owner and owner ~= '' and owner ~= process and locked > now and locked <= now + LOCK then return 0 end
  call('HSET', name, 'owner', process, 'locked', now + LOCK)
elseif owner == process then
  if value ~= '' then call('HSET', name, 'value', value, 'ends', now + math.min(ARGV[5], DAY)) end
  call('HSET', name, 'owner', '', 'locked', 0)
end
return keep(name, DAY + LOCK) or 1
