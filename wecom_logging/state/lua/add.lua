-- ARGV: channel, host, process, number of the batch, the most incidents. Of each count: key, number, last, event, the dead
-- letter that it was, samples, whether it opens one; if so: short id, entry, LIFE. Answers: the batch before, then of each
-- count how many were told, or -1.
local channel, host, process, batch, most, at, index = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]), 7, 0
local before, counted = number(call('HGET', base .. 'm:' .. process, 'newest')) or 0, 0
local answers, is_new = {string.format('%.0f', before)}, batch < 0 or before < batch
if is_new and batch >= 0 then
  call('HSET', base .. 'm:' .. process, 'newest', batch)
  keep(base .. 'm:' .. process, DAY)
end
put(KEYS[2], now, channel)
call('ZREMRANGEBYRANK', KEYS[2], 0, -STEPS - 1)

local function name_of(key, id)
  for length = 4, #id do
    local name = string.sub(id, 1, length)
    if call('HSETNX', names, name, key) == 1 or call('HGET', names, name) == key then return name, keep(names) end
  end
  return id
end
local function opened(key, first)
  if call('ZCARD', open) >= most then
    local leaves = call('ZRANGE', open, 0, 0)[1]
    local row = load(leaves)
    if row then close(row) else forget(leaves) end
  end
  forget(key)
  local row = {key = key, name = base .. 'i:' .. key, count = 0, last = 0, hosts = 0, processes = 0, samples = ''}
  row.id, row.entry = name_of(key, ARGV[first]), ARGV[first + 1]
  renumber(row)
  renew(row, first + 2)
  return row
end

while at <= #ARGV do
  local key, more, last, event, letter, samples, opens = unpack(ARGV, at, at + 6)
  local row, first, is_first = load(key), at + 7, false
  more, last, index, at = tonumber(more), tonumber(last), index + 1, first + opens * (2 + #LIFE)
  if is_new and (letter == '' or take_letter(letter, more > 0 and 'waiting' or 'discarded')) and more > 0 then
    if not row and opens == '1' then row, is_first = opened(key, first), true end
    if row and (is_first or event == '' or call('HGET', row.name, 'event') ~= event) then
      local begins = row.count == row.told
      if begins and not is_first then leave(row) end
      if begins then row.untold_at, row.since = now + index / 1000000, last end
      if not is_first then
        local step = row.span > 0 and math.min(math.max(math.floor((now - row.told_at) / row.span), 0), 32) or 0
        redis.pcall('HINCRBY', row.name, 'r' .. step, more)
      end
      row.event, row.count, row.last, row.counted_at = event, row.count + more, math.max(row.last, last), now
      if host ~= '' and row.processes < STEPS and call('HSETNX', row.name, 'p:' .. process, '') == 1 then
        row.processes, row.hosts = row.processes + 1, row.hosts + call('HSETNX', row.name, 'h:' .. host, '')
      end
      save(row, 'count', 'last', 'counted_at', 'untold_at', 'since', 'hosts', 'processes')
      if is_first then save(row, 'event', unpack(FIELDS, 1, WRITTEN)) end
      local known = samples ~= '' and call('HGET', row.name, 'samples') or ''
      if samples ~= '' and select(2, string.gsub(known, '\n', '')) < 8 then
        row.samples = known .. samples
        save(row, 'samples')
      end
      if begins then stand(row) end
      counted = counted + (letter == '' and more or 0)
    end
  end
  answers[#answers + 1] = row and row.told or opens == '1' and 0 or -1
end
if counted > 0 then book('counted', 'waiting', counted) end
return answers
