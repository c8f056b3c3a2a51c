-- ARGV: process, number, name of everybody, how many rules, these, receivers.
local process, taken, everybody, at, wait = ARGV[2], ARGV[3], ARGV[4], 6 + 2 * ARGV[5], 0
local limits, receivers, all = base .. 'limits', base .. 'receivers', base .. 'sent:' .. ARGV[4]
-- Those who use the state are counted in one place for all channels.
if call('ZADD', KEYS[2], now, process) == 1 then keep(KEYS[2], DAY) end
call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - MINUTE)
-- Handlers of one channel may have rules of their own: the longest decides what is remembered.
local known, longest = call('HMGET', limits, 'until', 'longest'), MINUTE
for rule = 7, at - 1, 2 do longest = math.max(longest, tonumber(ARGV[rule])) end
if longest > (number(known[2]) or 0) then
  call('HSET', limits, 'longest', longest)
  keep(limits, DAY + longest)
end
longest = math.max(longest, math.min(number(known[2]) or 0, DAY))
wait = math.min(math.max((number(known[1]) or 0) - now, 0), DAY)

local function look(name)
  local logs = name == everybody and {all} or {all, base .. 'sent:' .. name}
  for rule = 6, at - 1, 2 do
    local most, period, sent, times = tonumber(ARGV[rule]), tonumber(ARGV[rule + 1]), 0, {}
    for _, log in ipairs(logs) do sent = sent + call('ZCOUNT', log, '(' .. now - period, '+inf') end
    for _, log in ipairs(sent >= most and logs or {}) do
      local newest = call('ZREVRANGE', log, 0, most - 1, 'WITHSCORES')
      for index = 2, #newest, 2 do
        if tonumber(newest[index]) > now then call('ZADD', log, now, newest[index - 1]) end -- the clock was put back
        times[#times + 1] = math.min(tonumber(newest[index]), now)
      end
    end
    table.sort(times)
    if sent >= most then wait = math.max(wait, times[#times - most + 1] + period - now) end
  end
end
for receiver = at, #ARGV do
  look(ARGV[receiver])
  -- A message to everybody has to fit beside the fullest member.
  local others = ARGV[receiver] == everybody and call('ZRANGEBYSCORE', receivers, now - longest, '+inf') or {}
  for _, other in ipairs(others) do look(other) end
end
for receiver = at, wait > 0 and 0 or #ARGV do
  local log = base .. 'sent:' .. ARGV[receiver]
  put(log, now, taken, longest + 1)
  call('ZREMRANGEBYSCORE', log, '-inf', now - longest)
  put(receivers, now, ARGV[receiver], longest + 1)
end
local answer, after = {string.format('%.6f', wait), call('ZCARD', KEYS[2]), string.format('%.6f', now)}, now - MINUTE
for _, name in ipairs(call('ZREVRANGEBYSCORE', receivers, '+inf', after, 'LIMIT', 0, STEPS)) do
  local times = #name <= 1024 and call('ZRANGEBYSCORE', base .. 'sent:' .. name, '(' .. after, '+inf', 'WITHSCORES') or {}
  if #times > 0 then answer[#answer + 1], answer[#answer + 2] = name, table.concat(times, ' ') end
end
return answer
