-- ARGV: process, number, name of everybody, how many rules, these, receivers.
local everybody, at, limits, receivers = ARGV[4], 6 + 2 * ARGV[5], base .. 'limits', base .. 'receivers'
local stamp = exact(now)
local function log(name) return base .. 'sent:' .. name end
-- Those who use the state are counted in one place for all channels.
if call('ZADD', KEYS[2], stamp, ARGV[2]) == 1 then
  call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - MINUTE)
  keep(KEYS[2], DAY)
end
-- Handlers of one channel may have rules of their own: the longest decides what is remembered.
local known = call('HMGET', limits, 'until', 'longest')
local wait, longest = (number(known[1]) or 0) - now, math.min(math.max(number(known[2]) or 0, MINUTE), DAY)
for rule = 7, at - 1, 2 do longest = math.max(longest, tonumber(ARGV[rule])) end
if longest > (number(known[2]) or 0) then
  call('HSET', limits, 'longest', longest)
  keep(limits, DAY + longest)
end

local function look(name)
  local logs = name == everybody and {log(everybody)} or {log(everybody), log(name)}
  for rule = 6, at - 1, 2 do
    local most, period, sent, times = tonumber(ARGV[rule]), tonumber(ARGV[rule + 1]), 0, {}
    for _, one in ipairs(logs) do sent = sent + call('ZCOUNT', one, '(' .. exact(now - period), '+inf') end
    for _, one in ipairs(sent >= most and logs or {}) do
      local newest = call('ZREVRANGE', one, 0, most - 1, 'WITHSCORES')
      for index = 2, #newest, 2 do
        if tonumber(newest[index]) > now then call('ZADD', one, now, newest[index - 1]) end -- the clock was put back
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
  put(log(ARGV[receiver]), stamp, ARGV[3], longest + 1)
  call('ZREMRANGEBYSCORE', log(ARGV[receiver]), '-inf', now - longest)
  put(receivers, stamp, ARGV[receiver], longest + 1)
end
local minute = exact(now - MINUTE)
local answers = {exact(math.min(math.max(wait, 0), DAY)), call('ZCOUNT', KEYS[2], minute, '+inf'), stamp}
for _, name in ipairs(call('ZREVRANGEBYSCORE', receivers, '+inf', minute, 'LIMIT', 0, STEPS)) do
  local times = #name <= 1024 and call('ZRANGEBYSCORE', log(name), '(' .. minute, '+inf', 'WITHSCORES') or {}
  if #times > 0 then answers[#answers + 1], answers[#answers + 2] = name, table.concat(times, ' ') end
end
return answers
