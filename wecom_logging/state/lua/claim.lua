-- ARGV: owner, seconds, how many, the only lane or '', how many urgent keys, these, lanes that are passed by.
local most, urgent, busy, known, found, claims = tonumber(ARGV[4]), tonumber(ARGV[6]), {}, 0, {}, {string.format('%.6f', now)}
local keys = call('ZRANGEBYSCORE', later, '-inf', now, 'LIMIT', 0, STEPS)
local due = #keys
for at = 7, 6 + urgent do keys[#keys + 1] = ARGV[at] end
for at = 7 + urgent, #ARGV do busy[ARGV[at]] = true end
for at, key in ipairs(keys) do
  local row = load(key)
  if row then
    leave(row)
    if at > due and row.owner == '' then row.wake = now end
    stand(row)
  else
    forget(key)
  end
end

for _, lane in ipairs(call('SMEMBERS', lanes)) do
  local wanted, number_of = not busy[lane] and (ARGV[5] == '' or ARGV[5] == lane), call('ZCARD', ready(lane))
  local some = wanted and call('ZRANGE', ready(lane), 0, most - 1, 'WITHSCORES') or {}
  for at = 1, #some, 2 do found[#found + 1] = {lane = lane, ticket = some[at], rank = tonumber(some[at + 1])} end
  if number_of == 0 then call('SREM', lanes, lane) end
  known = known + number_of
end
-- What stands nowhere, because the server threw that away, is due.
if call('ZCARD', open) > known + call('ZCARD', later) then
  redis.call('ZUNIONSTORE', later, 2, later, open, 'WEIGHTS', 1, 0, 'AGGREGATE', 'MAX')
end
table.sort(found, function(one, other)
  return one.rank < other.rank or one.rank == other.rank and one.ticket < other.ticket
end)
for at = 1, math.min(most, #found) do
  local one = found[at]
  local row = load(string.sub(one.ticket, 17), true)
  call('ZREM', ready(one.lane), one.ticket)
  if row and row.lane == one.lane and ticket(row) == one.ticket and (row.owner == '' or row.wake <= now) then
    row.owner, row.wake = ARGV[2], now + ARGV[3]
    renumber(row)
    save(row, 'owner', 'wake', 'version')
    stand(row)
    claims[#claims + 1] = {row.key, string.format('%.0f', row.version), unpack(row.found)}
  end
end
-- What the server threw away by itself: its number is known when nothing else is left.
for name, left in pairs({waiting = call('ZCOUNT', open, UNTOLD, '+inf'), given_up = call('ZCARD', dead)}) do
  local lost = left == 0 and number(call('HGET', books, name)) or 0
  if lost > 0 then book(name, 'discarded', lost) end
end
return claims
