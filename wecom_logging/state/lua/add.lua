-- ARGV: channel, host, process, number of the batch, the most incidents, counts as JSON. Answers: the batch before, then of
-- each count how many of its incident were told, or -1.
local host, process, batch, mark, counted = ARGV[3], ARGV[4], tonumber(ARGV[5]), base .. 'm:' .. ARGV[4], 0
local before = number(call('GET', mark)) or 0
local answers, is_new = {string.format('%.0f', before)}, batch < 0 or before < batch
if is_new and batch >= 0 then redis.call('SET', mark, batch, 'EX', DAY) end
put(KEYS[2], now, ARGV[2])
call('ZREMRANGEBYRANK', KEYS[2], 0, -STEPS - 1)

local function named(key, id)
  keep(names)
  for length = 4, #id do
    local short = string.sub(id, 1, length)
    if call('HSETNX', names, short, key) == 1 or call('HGET', names, short) == key then return short end
  end
  return id
end
local function opened(one)
  if call('ZCARD', open) >= tonumber(ARGV[6]) then
    local key = call('ZRANGE', open, 0, 0)[1]
    local row = load(key)
    if row then close(row) else forget(key) end
  end
  forget(one.key)
  local row = {key = one.key, id = named(one.key, one.id), event = one.event, count = 0, last = 0, hosts = 0, processes = 0}
  renew(row, one.life)
  return row
end
local function counting(row, one, at)
  local begins, rates, samples = row.count == row.told, row.rates or {}, row.samples or {}
  if begins and row.rates then leave(row) end
  if begins then row.untold_at, row.since = now + at / 1000000, one.last end
  if row.rates then
    local step = row.span > 0 and math.min(math.max(math.floor((now - row.told_at) / row.span), 0), MAX_RATES - 1) or 0
    while #rates <= step do rates[#rates + 1] = 0 end
    rates[step + 1] = (number(rates[step + 1]) or 0) + one.number
  end
  for sample = 1, math.min(#one.samples, MAX_SAMPLES - #samples) do samples[#samples + 1] = one.samples[sample] end
  row.count, row.last, row.counted_at = row.count + one.number, math.max(row.last, one.last), now
  if host ~= '' and row.processes < STEPS and call('HSETNX', name(row.key), 'p:' .. process, '') == 1 then
    row.processes, row.hosts = row.processes + 1, row.hosts + call('HSETNX', name(row.key), 'h:' .. host, '')
  end
  local opens = not row.rates
  row.rates, row.samples = rates, samples
  if opens then save(row, 'entry', one.entry) else save(row) end
  if begins then stand(row) end
end

for at, one in ipairs(cjson.decode(ARGV[7])) do
  local row = load(one.key)
  local taken = is_new and one.letter and take_letter(one.letter, one.number > 0 and 'waiting' or 'discarded')
  if is_new and one.number > 0 and (taken or not one.letter) and (not row or one.event == '' or one.event ~= row.event) then
    row = row or one.life and opened(one)
    if row then counting(row, one, at) end
    counted = counted + (row and not one.letter and one.number or 0)
  end
  answers[at + 1] = row and row.told or -1
end
if counted > 0 then book('counted', 'waiting', counted) end
return answers
