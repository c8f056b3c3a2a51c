-- ARGV: owner, seconds, how many, the only audience or '', urgent keys and blocked audiences as JSON, the only
-- cause or '', from when on versions are free. Answers: the time, and rows.
local most, lists, blocked, found, claims = tonumber(ARGV[4]), cjson.decode(ARGV[6]), {}, {}, {exact(now)}
for _, audience in ipairs(lists[2]) do blocked[audience] = true end
local function find(audience, its_ticket, rank)
  local is_wanted = not blocked[audience] and (ARGV[5] == '' or ARGV[5] == audience)
  if is_wanted then found[#found + 1] = {audience = audience, ticket = its_ticket, rank = rank} end
end
for _, key in ipairs(call('ZRANGEBYSCORE', later, '-inf', now, 'LIMIT', 0, STEPS)) do
  local row = load(key)
  if row then leave(row) else forget(key) end
  if row then stand(row) end
end
for _, key in ipairs(lists[1]) do
  local row = load(key)
  local is_meant = row and (ARGV[7] == '' or row.cause == ARGV[7])
  if is_meant and row.count > row.told and row.owner == '' and row.held == 0 then find(row.audience, ticket(row), -row.rank) end
end
for _, key in ipairs(ARGV[7] ~= '' and call('ZREVRANGE', base .. 'c:' .. ARGV[7], 0, STEPS) or {}) do
  local row = load(key)
  local at = row and ((row.owner ~= '' or row.count > row.told) and row.wake or row.due)
  if row and at <= now + (row.owner == '' and NEAR or 0) then find(row.audience, ticket(row), -row.rank) end
end
for _, audience in ipairs(ARGV[7] == '' and call('SMEMBERS', audiences) or {}) do
  local some = call('ZRANGE', ready(audience), 0, most - 1, 'WITHSCORES')
  for at = 1, #some, 2 do find(audience, some[at], tonumber(some[at + 1])) end
end
table.sort(found, function(one, other)
  return one.rank < other.rank or one.rank == other.rank and one.ticket < other.ticket
end)
for _, one in ipairs(found) do
  if #claims > most then break end
  local row = load(string.sub(one.ticket, 17))
  call('ZREM', ready(one.audience), one.ticket)
  if not row then
    forget(string.sub(one.ticket, 17))
  elseif row.audience == one.audience and ticket(row) == one.ticket and (row.owner == '' or row.wake <= now) then
    apply(row, {wake = now + ARGV[3], owner = ARGV[2], version = ARGV[8] + #claims})
    save(row)
    put(later, row.wake, row.key)
    answer(claims, row)
  end
end
if #claims > 1 or ARGV[7] ~= '' then return claims end

-- What the server threw away: what stands nowhere is due; what is not there is known when nothing else is left.
local known, every = call('ZCARD', later), call('ZCARD', open)
for _, audience in ipairs(call('SMEMBERS', audiences)) do
  local number_of = call('ZCARD', ready(audience))
  if number_of == 0 then call('SREM', audiences, audience) end
  known = known + number_of
end
if every > known then redis.call('ZUNIONSTORE', later, 2, later, open, 'WEIGHTS', 1, 0, 'AGGREGATE', 'MAX') end
for account, turn in pairs({waiting = open, given_up = dead}) do
  local left = call('ZCOUNT', turn, account == 'waiting' and UNTOLD or '-inf', '+inf')
  if left == 0 then book(account, 'discarded', number(call('HGET', books, account))) end
end
return claims
