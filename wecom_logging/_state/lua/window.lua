-- ARGV: process, the newest event that it knows, from when on it may add others ('' in any case), how long they stay,
-- these. They are added where nothing newer is there. Answers: the time, how many processes there are, when the first
-- was added or '', what is newer.
local events, known, stays = base .. 'sent', tonumber(ARGV[3]), math.min(ARGV[5], DAY) + 1
-- Those who use the state are counted in one place for all channels.
if ARGV[2] ~= '' and call('ZADD', KEYS[2], now, ARGV[2]) == 1 then
  call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - MINUTE)
  keep(KEYS[2], DAY)
end
if known > now + MINUTE then -- the clock was put back
  known = 0
  call('ZREMRANGEBYSCORE', events, exact(now + MINUTE), '+inf')
end
local newer = call('ZRANGEBYSCORE', events, '(' .. exact(known), exact(now + MINUTE), 'WITHSCORES', 'LIMIT', 0, STEPS)
local is_taken = ARGV[4] == '' or #newer == 0 and now >= tonumber(ARGV[4])
local at = tonumber(exact(math.max(now, tonumber(newer[#newer] or known) + 0.00001)))
for index = 6, is_taken and #ARGV or 0 do put(events, exact(at + (index - 6) / 1000000), ARGV[index], stays) end
call('ZREMRANGEBYSCORE', events, '-inf', now - stays)
return {exact(now), call('ZCOUNT', KEYS[2], now - MINUTE, '+inf'), is_taken and exact(at) or '', newer}
