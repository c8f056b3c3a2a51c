-- ARGV: channel, host, process, number of the batch, the most incidents, counts as JSON. Answers: the batch before, then of
-- each count how many of its incident were told, or -1.
local channel, host, process, batch, most = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local mark, counted = base .. 'm:' .. process, 0
local before = number(call('GET', mark)) or 0
local answers, is_new = {string.format('%.0f', before)}, batch < 0 or before < batch
if is_new and batch >= 0 then redis.call('SET', mark, batch, 'EX', DAY) end
put(KEYS[2], now, channel)
call('ZREMRANGEBYRANK', KEYS[2], 0, -STEPS - 1)

local function name_of(key, id)
  keep(names)
  for length = 4, #id do
    local name = string.sub(id, 1, length)
    if call('HSETNX', names, name, key) == 1 or call('HGET', names, name) == key then return name end
  end
  return id
end
local function opened(one)
  if call('ZCARD', open) >= most then
    local key = call('ZRANGE', open, 0, 0)[1]
    local row = load(base .. 'i:' .. key)
    if row then close(row) else forget(key) end
  end
  forget(one.key)
  local row = {key = one.key, name = base .. 'i:' .. one.key, count = 0, last = 0, hosts = 0, processes = 0, samples = {},
    rates = {}, event = one.event, id = name_of(one.key, one.id)}
  renew(row, one.life)
  renumber(row)
  return row
end
local function counting(row, one, at, is_first)
  local begins, rates = row.count == row.told, row.rates
  if begins and not is_first then leave(row) end
  if begins then row.untold_at, row.since = now + at / 1000000, one.last end
  if not is_first then
    local step = row.span > 0 and math.min(math.max(math.floor((now - row.told_at) / row.span), 0), MAX_RATES - 1) or 0
    while #rates <= step do rates[#rates + 1] = 0 end
    rates[step + 1] = (number(rates[step + 1]) or 0) + one.number
  end
  row.count, row.last, row.counted_at = row.count + one.number, math.max(row.last, one.last), now
  for _, sample in ipairs(one.samples) do
    if #row.samples < MAX_SAMPLES then row.samples[#row.samples + 1] = sample end
  end
  if host ~= '' and row.processes < STEPS and call('HSETNX', row.name, 'p:' .. process, '') == 1 then
    row.processes, row.hosts = row.processes + 1, row.hosts + call('HSETNX', row.name, 'h:' .. host, '')
  end
  if is_first then save(row, 'entry', one.entry) else save(row) end
  if begins then stand(row) end
end

for at, one in ipairs(cjson.decode(ARGV[7])) do
  local row, is_first = load(base .. 'i:' .. one.key), false
  local taken = is_new and one.letter and take_letter(one.letter, one.number > 0 and 'waiting' or 'discarded')
  if is_new and one.number > 0 and (taken or not one.letter) then
    if not row and one.life then row, is_first = opened(one), true end
    if row and (is_first or one.event == '' or one.event ~= row.event) then
      counting(row, one, at, is_first)
      counted = counted + (one.letter and 0 or one.number)
    end
  end
  answers[at + 1] = row and row.told or -1
end
if counted > 0 then book('counted', 'waiting', counted) end
return answers
