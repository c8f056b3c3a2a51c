"""What the Redis backend does inside the server, each step whole or not at all, on the server's own clock.

``KEYS[1]`` is where the names of all keys that a script uses begin; their tag puts them into one slot of a cluster.
``ARGV[1]`` is added to the clock. What is found is checked before it is used: a key of another type is removed, a
group that is broken is dropped, and its number is counted as discarded once nothing else of its channel waits. All
that is answered is text, whole numbers, or lists of these.

A channel has three turns: ``ready`` (the most severe and newest at its end), ``later`` (by the time when it is due, or
when its claim ends) and ``quiet`` (nothing untold, by the time when it is over). ``untold`` has by age what waits.

Source: https://redis.io/docs/latest/develop/programmability/eval-intro/
"""

from __future__ import annotations

from .base import EXPIRES_S, LEAST_DIGESTS, LOCK_S, MAX_SAMPLES, MAX_WAIT_S, QUIET_WINDOWS, SPANS
from .entries import MAX_CHARACTERS

KEEP_S = 7 * 24 * 3600
"""For how long anything stays that nobody touches."""
MAX_SOURCES = 1000
MAX_GIVEN_UP = 1000
MAX_KEY_CHARACTERS = 1024
MAX_CHANNELS = 1000
MAX_STEPS = 1000
"""How many groups one script moves, so that it holds the server for milliseconds."""
PEER_S = 60
DAY_S = 24 * 3600
MAX_TOKEN_CHARACTERS = 8192

_CONSTANTS = f"""
local EXPIRES, LEAST_DIGESTS, LOCK, MAX_SAMPLES = {EXPIRES_S}, {LEAST_DIGESTS}, {LOCK_S}, {MAX_SAMPLES}
local MAX_WAIT, QUIET_WINDOWS, SPANS, KEEP = {MAX_WAIT_S}, {QUIET_WINDOWS}, {SPANS}, {KEEP_S}
local MAX_SOURCES, MAX_GIVEN_UP, MAX_CHANNELS = {MAX_SOURCES}, {MAX_GIVEN_UP}, {MAX_CHANNELS}
local MAX_STEPS, PEER, MAX_KEY, MAX_ENTRY = {MAX_STEPS}, {PEER_S}, {MAX_KEY_CHARACTERS}, {MAX_CHARACTERS}
local DAY, MAX_TOKEN = {DAY_S}, {MAX_TOKEN_CHARACTERS}
"""

_COMMON = """
local base, call = KEYS[1], redis.call
local time = call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000 + tonumber(ARGV[1])

local function number(text)
  local found = tonumber(text)
  if found and found > -9e15 and found < 9e15 then return found end
end
local function whole(value) return string.format('%.0f', value) end
local function exact(value) return string.format('%.6f', value) end

local function cleared(key, kind)
  local found = call('TYPE', key).ok
  if found ~= kind and found ~= 'none' then call('UNLINK', key) end
  return key
end
local function own(name, kind) return cleared(base .. name, kind) end
-- The same, for the first use of a key: the type is asked for only where the use failed.
local function first(kind, command, key, ...)
  local found = redis.pcall(command, key, ...)
  if type(found) ~= 'table' or not found.err then return found end
  return call(command, cleared(key, kind), ...)
end
local function keep(key, seconds) call('EXPIRE', key, math.ceil(seconds or KEEP)) end
"""

_GROUPS = """
local ready, later, quiet = own('ready', 'zset'), own('later', 'zset'), own('quiet', 'zset')
local untold, given, books = own('untold', 'zset'), own('given', 'zset'), own('books', 'zset')

local function add(name, more)
  local found = number(call('ZSCORE', books, name)) or 0
  call('ZADD', books, whole(math.max(0, found + more)), name)
  keep(books)
end

local function rank(group)
  local level = math.max(0, math.min(1000, group.level))
  return string.format('%.3f', level * 1e10 + math.max(0, math.min(9999999999, group.last)))
end

local function forget(key)
  call('UNLINK', base .. 'g:' .. key)
  call('ZREM', ready, key)
  call('ZREM', later, key)
  call('ZREM', quiet, key)
  call('ZREM', untold, key)
end

local function move(key, from, to, score)
  if from then call('ZREM', from, key) end
  call('ZADD', to, score, key)
  keep(to)
end

local STATE = {'level', 'count', 'told', 'digests', 'wait', 'window', 'told_at', 'since', 'last', 'claim', 'hosts',
  'processes', 'kept', 'owner', 'rates'}
local TEXTS = 13

-- The words of a field that is not too long to be ours; none of another's, or of none.
local function words_of(name, field)
  local words = {}
  local size = call('HSTRLEN', name, field)
  if size > 0 and size < 2048 then
    for word in string.gmatch(call('HGET', name, field), '%S+') do words[#words + 1] = word end
  end
  return words
end

-- A group as it stands; nil where there is none, or a broken one, which is dropped.
local function load(key)
  if #key > MAX_KEY or not string.match(key, '^[=j]') then forget(key) return end
  local group = {key = key, name = own('g:' .. key, 'hash')}
  local words = words_of(group.name, 'state')
  for at, field in ipairs(STATE) do
    group[field] = at <= TEXTS and number(words[at]) or at > TEXTS and words[at]
    if not group[field] then forget(key) return end
  end
  if group.told > group.count then forget(key) return end
  return group
end

-- A hyphen stands for an owner, or a curve, that is not there.
local function save(group, ...)
  local words = {}
  for at, field in ipairs(STATE) do words[at] = at <= TEXTS and exact(group[field]) or group[field] end
  call('HSET', group.name, 'state', table.concat(words, ' '), ...)
  keep(group.name, KEEP + QUIET_WINDOWS * group.window)
end

local function is_whole(group)
  local size = call('HSTRLEN', group.name, 'entry')
  return size > 0 and size <= MAX_ENTRY
end

-- What was given up; nil where that is broken.
local function load_given(id)
  local name = own('x:' .. id, 'hash')
  local words = words_of(name, 'state')
  local one = {name = name, level = number(words[1]), number = number(words[2]), last = number(words[3]),
    window = number(words[4]), samples = {}, host = '', process = '', event = ''}
  local sizes = call('HSTRLEN', name, 'key') + call('HSTRLEN', name, 'why')
  if not one.window or sizes > 2 * MAX_KEY or not is_whole(one) then return end
  one.key, one.why = call('HGET', name, 'key') or '', call('HGET', name, 'why') or ''
  if string.match(one.key, '^[=j]') then return one end
end

local made = 0
local function give_up(group, why, is_kept)
  local count = group.count - group.told
  if count > 0 then
    add('waiting', -count)
    if is_kept and is_whole(group) then
      made = made + 1
      local id = whole(now * 1000000 + made)
      local state = {exact(group.level), exact(count), exact(group.last), exact(group.window)}
      call('HSET', base .. 'x:' .. id, 'state', table.concat(state, ' '), 'key', group.key, 'why', why, 'entry',
        call('HGET', group.name, 'entry'))
      keep(base .. 'x:' .. id)
      call('ZADD', given, exact(group.last), id)
      keep(given)
      add('given_up', count)
    else
      add('discarded', count)
    end
  end
  forget(group.key)
  while call('ZCARD', given) > MAX_GIVEN_UP do
    local id = call('ZRANGE', given, 0, 0)[1]
    local old = number(words_of(own('x:' .. id, 'hash'), 'state')[2]) or 0
    call('UNLINK', base .. 'x:' .. id)
    call('ZREM', given, id)
    add('given_up', -old)
    add('discarded', old)
  end
end

-- What the server threw away by itself: its number is known when nothing is left.
local function settle_lost()
  for turn, name in pairs({[untold] = 'waiting', [given] = 'given_up'}) do
    local lost = number(call('ZSCORE', books, name)) or 0
    if lost > 0 and call('ZCARD', turn) == 0 then
      add(name, -lost)
      add('discarded', lost)
    end
  end
end

local function make_room(most)
  if call('ZCARD', untold) + call('ZCARD', quiet) < most then return end
  local key = call('ZRANGE', quiet, 0, 0)[1] or call('ZRANGE', ready, 0, 0)[1] or call('ZRANGE', later, 0, 0)[1]
    or call('ZRANGE', untold, 0, 0)[1]
  local group = load(key)
  if group then give_up(group, '=queue_overflow', false) end
end

local function rated(group, more)
  local curve = {}
  for text in string.gmatch(group.rates, '%d+') do
    if #curve <= 4 * SPANS then curve[#curve + 1] = number(text) or 0 end
  end
  local span = 0
  if group.wait > 0 then
    span = math.max(0, math.min(math.floor((now - group.told_at) / group.wait * SPANS), 4 * SPANS))
  end
  while #curve < span + 1 do curve[#curve + 1] = 0 end
  curve[span + 1] = curve[span + 1] + more
  for at, value in ipairs(curve) do curve[at] = whole(value) end
  return table.concat(curve, ',')
end

-- 0: it is not open; 1: counted; 2: it was counted before, by the event that has opened the group. And whether nothing
-- of it was told yet.
local function count_one(one, most)
  local group, more = load(one.key), {}
  if not group then
    if one.entry == '' then return 0 end
    make_room(most)
    group = {key = one.key, name = base .. 'g:' .. one.key, level = one.level, count = one.number, window = one.window,
      since = one.last, last = one.last, owner = '-', rates = '-'}
    for _, field in ipairs(STATE) do group[field] = group[field] or 0 end
    move(one.key, nil, ready, rank(group))
    move(one.key, nil, untold, exact(now))
    more = {'entry', one.entry, 'event', one.event}
  elseif one.event ~= '' and call('HSTRLEN', group.name, 'event') == #one.event
    and call('HGET', group.name, 'event') == one.event then
    return 2, group.told == 0
  else
    if group.count == group.told then
      group.since = one.last
      move(one.key, nil, untold, exact(now))
      if group.owner == '-' then
        call('ZREM', quiet, one.key)
        move(one.key, ready, later, exact(group.told_at + group.wait))
      end
    end
    group.count = group.count + one.number
    group.last = math.max(group.last, one.last)
    group.rates = rated(group, one.number)
    -- In no turn: the server threw it away.
    if call('ZSCORE', ready, one.key) or not call('ZSCORE', later, one.key) then
      move(one.key, quiet, ready, rank(group))
    end
    call('ZADD', untold, 'NX', exact(now), one.key)
  end
  for _, sample in ipairs(one.samples) do
    if group.kept < MAX_SAMPLES then
      group.kept = group.kept + 1
      more[#more + 1] = 's' .. whole(group.kept)
      more[#more + 1] = sample
    end
  end
  if one.host ~= '' and group.processes < MAX_SOURCES
    and call('HSETNX', group.name, 'p:' .. one.host .. ':' .. one.process, '') == 1 then
    group.processes = group.processes + 1
    group.hosts = group.hosts + call('HSETNX', group.name, 'h:' .. one.host, '')
  end
  save(group, unpack(more))
  return 1, group.told == 0
end

local function known_channel(name)
  local channels = cleared(KEYS[2], 'zset')
  call('ZADD', channels, exact(now), name)
  if call('ZCARD', channels) > MAX_CHANNELS then call('ZREMRANGEBYRANK', channels, 0, -MAX_CHANNELS - 1) end
  keep(channels)
end
"""

_COUNT = """
local host, process, most = ARGV[3], ARGV[4], tonumber(ARGV[5])
local answers, at, counted = {}, 6, 0
known_channel(ARGV[2])
for _ = 1, tonumber(ARGV[at]) do
  local one = {key = ARGV[at + 1], number = tonumber(ARGV[at + 2]), last = tonumber(ARGV[at + 3]), entry = ARGV[at + 4],
    level = tonumber(ARGV[at + 5]), window = tonumber(ARGV[at + 6]), samples = {}, host = host, process = process}
  one.event = ARGV[at + 7]
  local samples = tonumber(ARGV[at + 8])
  at = at + 8
  for _ = 1, samples do
    at = at + 1
    one.samples[#one.samples + 1] = ARGV[at]
  end
  local found, is_first = count_one(one, most)
  answers[#answers + 1] = is_first and 2 or math.min(found, 1)
  if found == 1 then counted = counted + one.number end
end
add('waiting', counted)
return answers
"""

_CLAIM = """
local who, lease, most = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
for _, key in ipairs(call('ZRANGEBYSCORE', untold, '-inf', exact(now - EXPIRES), 'LIMIT', 0, 100)) do
  local group = load(key)
  if group then give_up(group, '=expired', true) end
end
for at = 5, #ARGV do
  if call('ZSCORE', later, ARGV[at]) then
    local group = load(ARGV[at])
    if group and group.owner == '-' and group.count > group.told then move(group.key, later, ready, rank(group)) end
  end
end
for _, turn in ipairs({later, quiet}) do
  for _, key in ipairs(call('ZRANGEBYSCORE', turn, '-inf', exact(now), 'LIMIT', 0, MAX_STEPS)) do
    local group = load(key)
    if group and group.count == group.told and group.digests < LEAST_DIGESTS then
      forget(key)
    elseif group then
      move(key, turn, ready, rank(group))
    end
  end
end
local claims, tries = {}, 0
while #claims < most and tries < most + MAX_STEPS do
  local key = call('ZREVRANGE', ready, 0, 0)[1]
  if not key then break end
  tries = tries + 1
  local group = load(key)
  if group and not is_whole(group) then
    give_up(group, '=broken', false)
  elseif group then
    group.owner, group.claim = who, math.max(group.claim + 1, math.floor(now * 1000000))
    move(key, ready, later, exact(now + lease))
    save(group)
    local samples = {}
    for at = 1, math.min(group.kept, MAX_SAMPLES) do
      local size = call('HSTRLEN', group.name, 's' .. at)
      if size > 0 and size <= MAX_ENTRY then samples[#samples + 1] = call('HGET', group.name, 's' .. at) end
    end
    local quiet_s = group.count == group.told and QUIET_WINDOWS * group.window or 0
    claims[#claims + 1] = {key, whole(group.claim), call('HGET', group.name, 'entry'), whole(group.level),
      whole(group.count - group.told), whole(group.count), exact(group.since), exact(group.last), whole(group.hosts),
      whole(group.processes), group.told == 0 and 1 or 0, exact(quiet_s), group.rates, samples}
  end
end
settle_lost()
return claims
"""

_TOLD = """
local forced = ARGV[2] == '1'
for at = 3, #ARGV, 6 do
  local group = load(ARGV[at])
  local count, total = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local is_first, is_quiet = ARGV[at + 4] == '1', ARGV[at + 5] == '1'
  if group and group.claim == tonumber(ARGV[at + 1]) then
    if is_quiet and group.count == total then
      forget(group.key)
    else
      local wait = is_quiet and 0 or group.wait
      if is_first or wait <= 0 then
        wait = group.window
      elseif not forced then
        wait = math.min(2 * wait, MAX_WAIT)
      end
      call('ZREM', ready, group.key)
      if group.count > total then
        move(group.key, nil, later, exact(now + wait))
        move(group.key, nil, untold, exact(now))
      else
        call('ZREM', untold, group.key)
        move(group.key, later, quiet, exact(now + QUIET_WINDOWS * group.window))
      end
      for sample = 1, math.min(group.kept, MAX_SAMPLES) do call('HDEL', group.name, 's' .. sample) end
      group.told, group.digests = group.told + count, group.digests + (is_first and 0 or 1)
      group.wait, group.told_at, group.since, group.kept = wait, now, group.last, 0
      group.owner, group.rates = '-', '-'
      save(group)
      add('waiting', -count)
      add('told', count)
    end
  end
end
return 1
"""

_RELEASE = """
for at = 3, #ARGV, 2 do
  local group = load(ARGV[at])
  if group and group.claim == tonumber(ARGV[at + 1]) then
    move(group.key, ready, later, exact(now + tonumber(ARGV[2])))
    group.owner = '-'
    save(group)
  end
end
return 1
"""

_GIVE_UP = """
for at = 3, #ARGV, 2 do
  local group = load(ARGV[at])
  if group and group.claim == tonumber(ARGV[at + 1]) then give_up(group, ARGV[2], true) end
end
return 1
"""

_UNTOLD = """
local found = {}
for at = 2, #ARGV do
  if call('ZSCORE', untold, ARGV[at]) then found[#found + 1] = ARGV[at] end
end
return found
"""

_BORN = """
local born = number(call('ZSCORE', books, 'born'))
if not born then
  born = now
  call('ZADD', books, exact(born), 'born')
  keep(books)
end
return exact(born)
"""

_NEXT_DUE = """
if call('ZCARD', ready) > 0 then return '0' end
local due = math.huge
for _, turn in ipairs({later, quiet}) do
  due = math.min(due, tonumber(call('ZRANGE', turn, 0, 0, 'WITHSCORES')[2]) or math.huge)
end
return due < math.huge and exact(math.max(0, due - now)) or ''
"""

_HELD = """
local most, rows = tonumber(ARGV[2]), {}
local waiting = {}
for _, key in ipairs(call('ZREVRANGE', untold, 0, math.max(most, MAX_STEPS) - 1)) do
  local group = load(key)
  if group and is_whole(group) then waiting[#waiting + 1] = group end
end
table.sort(waiting, function(one, other) return one.last > other.last end)
for at = 1, math.min(most, #waiting) do
  local group = waiting[at]
  rows[at] = {group.key, whole(group.level), whole(group.count - group.told), exact(group.last),
    call('HGET', group.name, 'entry'), '', group.owner ~= '-' and 1 or 0}
end
for _, id in ipairs(call('ZREVRANGE', given, 0, most - 1)) do
  local one = load_given(id)
  if one then
    rows[#rows + 1] = {one.key, whole(one.level), whole(one.number), exact(one.last), call('HGET', one.name, 'entry'),
      one.why, 0}
  end
end
return rows
"""

_CHOSEN = """
local wanted, is_all = {}, #ARGV < %d
for at = %d, #ARGV do wanted[ARGV[at]] = true end
local function each_given_up(act)
  local found = 0
  for _, id in ipairs(call('ZRANGE', given, 0, -1)) do
    local one = load_given(id)
    if not one or is_all or wanted[one.key] then
      if one then one.entry = call('HGET', one.name, 'entry') end
      call('UNLINK', base .. 'x:' .. id)
      call('ZREM', given, id)
      if one then
        add('given_up', -one.number)
        act(one)
        found = found + 1
      end
    end
  end
  return found
end
"""

_AGAIN = (
    _CHOSEN % (4, 4)
    + """
known_channel(ARGV[2])
local found = each_given_up(function(one)
  add(count_one(one, tonumber(ARGV[3])) == 1 and 'waiting' or 'discarded', one.number)
end)
settle_lost()
return found
"""
)

_DISCARD = (
    _CHOSEN % (2, 2)
    + """
local found = each_given_up(function(one) add('discarded', one.number) end)
local waiting = is_all and call('ZRANGE', untold, 0, MAX_STEPS - 1) or {}
for at = 2, #ARGV do waiting[#waiting + 1] = ARGV[at] end
for _, key in ipairs(waiting) do
  local group = load(key)
  if group and group.count > group.told then
    give_up(group, '=discarded', false)
    found = found + 1
  end
end
settle_lost()
return {found, is_all and call('ZCARD', untold) or 0}
"""
)

_BOOKS = """
local answers = {}
for at, name in ipairs({'told', 'waiting', 'given_up', 'discarded'}) do
  answers[at] = whole(math.max(0, number(call('ZSCORE', books, name)) or 0))
end
return answers
"""

_CHANNELS = """
return call('ZREVRANGE', own('channels', 'zset'), 0, MAX_CHANNELS - 1)
"""

_RESERVE = """
local who, taken, everybody = ARGV[2], ARGV[3], ARGV[4]
local rules, names, at, longest = {}, {}, 5, PEER
for _ = 1, tonumber(ARGV[at]) do
  rules[#rules + 1] = {tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])}
  longest = math.max(longest, rules[#rules][2])
  at = at + 2
end
for index = at + 1, #ARGV do names[#names + 1] = ARGV[index] end
local stamp = exact(now)

-- Those who use the state are counted in one place for all channels.
if first('zset', 'ZADD', KEYS[2], stamp, who) == 1 then keep(KEYS[2], DAY) end
call('ZREMRANGEBYSCORE', KEYS[2], '-inf', exact(now - PEER))

-- Handlers of one channel may have rules of their own: the longest decides what is remembered.
local limits = base .. 'limits'
local wait = math.min((number(first('zset', 'ZSCORE', limits, 'until')) or 0) - now, DAY)
local known = math.min(number(call('ZSCORE', limits, 'longest')) or 0, DAY)
if longest > known then
  call('ZADD', limits, exact(longest), 'longest')
  keep(limits, DAY + longest)
end
longest = math.max(longest, known)

local all = base .. 'sent:' .. everybody
local function look(name)
  local logs = name == everybody and {all} or {all, base .. 'sent:' .. name}
  for _, rule in ipairs(rules) do
    local most, after, sent = rule[1], '(' .. exact(now - rule[2]), 0
    for _, log in ipairs(logs) do sent = sent + first('zset', 'ZCOUNT', log, after, '+inf') end
    if sent >= most then
      local times = {}
      for _, log in ipairs(logs) do
        local newest = call('ZREVRANGE', log, 0, most - 1, 'WITHSCORES')
        for index = 1, #newest, 2 do
          local sent_at = tonumber(newest[index + 1])
          if sent_at > now then -- the clock was put back
            sent_at = now
            call('ZADD', log, stamp, newest[index])
          end
          times[#times + 1] = sent_at
        end
      end
      table.sort(times)
      wait = math.max(wait, times[#times - most + 1] + rule[2] - now)
    end
  end
end
for _, name in ipairs(names) do
  look(name)
  if name == everybody then
    -- A message to everybody has to fit beside the fullest member.
    for _, other in ipairs(first('zset', 'ZRANGEBYSCORE', base .. 'receivers', exact(now - longest), '+inf')) do
      if other ~= name and #other <= MAX_KEY then look(other) end
    end
  end
end

local receivers = base .. 'receivers'
if wait <= 0 then
  for _, name in ipairs(names) do
    local log = base .. 'sent:' .. name
    first('zset', 'ZADD', log, stamp, taken)
    call('ZREMRANGEBYSCORE', log, '-inf', exact(now - longest))
    keep(log, longest + 1)
    first('zset', 'ZADD', receivers, stamp, name)
  end
  keep(receivers, longest + 1)
end
local ages, after = {}, exact(now - PEER)
for _, name in ipairs(first('zset', 'ZREVRANGEBYSCORE', base .. 'receivers', '+inf', after, 'LIMIT', 0, MAX_STEPS)) do
  if #name <= MAX_KEY and not string.find(name, '%c') then
    local sent = first('zset', 'ZRANGEBYSCORE', base .. 'sent:' .. name, '(' .. after, '+inf', 'WITHSCORES')
    local text = table.concat(sent, ' ')
    if text ~= '' and not string.find(text, '%c') then
      ages[#ages + 1] = name
      ages[#ages + 1] = text
    end
  end
end
return {wait > 0 and exact(wait) or '0', call('ZCARD', KEYS[2]), stamp, table.concat(ages, '\\n')}
"""

_LANDED = """
for at = 3, #ARGV do
  first('zset', 'ZADD', base .. 'sent:' .. ARGV[at], 'XX', exact(now), ARGV[2])
  first('zset', 'ZADD', base .. 'receivers', 'XX', exact(now), ARGV[at])
end
local longest = number(first('zset', 'ZSCORE', base .. 'limits', 'longest')) or DAY
call('ZREMRANGEBYSCORE', base .. 'receivers', '-inf', exact(now - math.max(longest, PEER)))
return 1
"""

_PAUSE = """
local limits = own('limits', 'zset')
local ends = math.max(number(call('ZSCORE', limits, 'until')) or 0, now + tonumber(ARGV[2]))
call('ZADD', limits, exact(ends), 'until')
keep(limits, math.max(call('TTL', limits), ends - now + 1))
return 1
"""

_TOKENS = """
local name = own('token', 'hash')
local function short(field)
  local size = call('HSTRLEN', name, field)
  return size > 0 and size <= MAX_TOKEN and call('HGET', name, field) or ''
end
local ends, owner, locked = number(short('ends')) or 0, short('owner'), number(short('locked')) or 0
if ends - now > DAY then ends = 0 end
if locked - now > LOCK then locked = 0 end
local function save(...)
  call('HSET', name, ...)
  keep(name, math.max(ends - now, LOCK) + 1)
end
"""

_TOKEN = """
local found = ends > now and short('value') or ''
return found ~= '' and {found, exact(ends - now)} or {}
"""

_LOCK_TOKEN = """
if owner ~= '' and owner ~= ARGV[2] and locked > now then return 0 end
save('owner', ARGV[2], 'locked', exact(now + LOCK))
return 1
"""

_PUT_TOKEN = """
if owner ~= ARGV[2] then return 0 end
if ARGV[3] ~= '' then
  ends = now + math.min(tonumber(ARGV[4]), DAY)
  save('value', ARGV[3], 'ends', exact(ends))
end
call('HSET', name, 'owner', '', 'locked', '0')
return 1
"""

_DROP_TOKEN = """
if short('value') ~= ARGV[2] then return 0 end
call('HDEL', name, 'value', 'ends')
return 1
"""

_PROBE = """
local name = own('probe', 'hash')
call('HSET', name, 'at', exact(now))
keep(name, PEER)
return call('HGET', name, 'at') == exact(now) and 1 or 0
"""


def _script(*parts: str) -> str:
    return "\n".join((_CONSTANTS, _COMMON, *parts))


SCRIPTS = {
    "count": _script(_GROUPS, _COUNT),
    "claim": _script(_GROUPS, _CLAIM),
    "told": _script(_GROUPS, _TOLD),
    "release": _script(_GROUPS, _RELEASE),
    "give_up": _script(_GROUPS, _GIVE_UP),
    "untold": _script(_GROUPS, _UNTOLD),
    "born": _script(_GROUPS, _BORN),
    "next_due": _script(_GROUPS, _NEXT_DUE),
    "held": _script(_GROUPS, _HELD),
    "again": _script(_GROUPS, _AGAIN),
    "discard": _script(_GROUPS, _DISCARD),
    "books": _script(_GROUPS, _BOOKS),
    "channels": _script(_CHANNELS),
    "reserve": _script(_RESERVE),
    "landed": _script(_LANDED),
    "pause": _script(_PAUSE),
    "token": _script(_TOKENS, _TOKEN),
    "lock_token": _script(_TOKENS, _LOCK_TOKEN),
    "put_token": _script(_TOKENS, _PUT_TOKEN),
    "drop_token": _script(_TOKENS, _DROP_TOKEN),
    "probe": _script(_PROBE),
}
