-- ARGV: channel, host, process, whose batch it is, its number, the most incidents, counts as JSON. Answers:
-- the batch before, then of each count how many of its incident were told, or -1.
local host, process, batch, mark, counted = ARGV[3], ARGV[4], tonumber(ARGV[6]), base .. 'm:' .. ARGV[5], 0
local before = number(call('GET', mark))
local answers, is_new = {string.format('%.0f', before)}, batch < 0 or before < batch
if is_new and batch >= 0 then redis.call('SET', mark, batch, 'EX', KEEP) end
put(KEYS[2], now, ARGV[2])
call('ZREMRANGEBYRANK', KEYS[2], 0, -STEPS - 1)

-- As much of an id as no other incident has.
local function named(key, id)
  local length = 4
  while length < #id and call('HSETNX', names, string.sub(id, 1, length), key) == 0
    and call('HGET', names, string.sub(id, 1, length)) ~= key do length = length + 1 end
  return string.sub(id, 1, length)
end
local function opened(one)
  local key = call('ZCARD', open) >= tonumber(ARGV[7]) and call('ZRANGE', open, 0, 0)[1]
  local row = key and load(key)
  if row then close(row) elseif key then forget(key) end
  forget(one.key)
  row = {key = one.key, id = named(one.key, one.id), count = 0, last = one.last, hosts = 0, processes = 0}
  apply_life(row, one.life)
  return row
end
local function counting(row, one, at)
  local is_first, begins, rates, samples = not row.rates, row.count == row.told, row.rates or {}, row.samples or {}
  if begins and not is_first then leave(row) end
  if begins then row.untold_at, row.since = now + at / 1000000, one.last end
  local step = row.span > 0 and math.min(math.max(math.floor((now - row.told_at) / row.span), 0), MAX_RATES - 1) or 0
  while #rates <= step and not is_first do rates[#rates + 1] = 0 end
  if not is_first then rates[step + 1] = number(rates[step + 1]) + one.number end
  for sample = 1, math.min(#one.samples, MAX_SAMPLES - #samples) do samples[#samples + 1] = one.samples[sample] end
  row.count, row.last, row.counted_at = row.count + one.number, math.max(row.last, one.last), now
  if host ~= '' and row.processes < STEPS and call('HSETNX', name(row.key), 'p:' .. process, '') == 1 then
    row.processes, row.hosts = row.processes + 1, row.hosts + call('HSETNX', name(row.key), 'h:' .. host, '')
  end
  row.rates, row.samples, row.kinds = rates, samples, list(row.kinds)
  for _, kind in ipairs(one.kinds) do
    local place = 1
    while row.kinds[place] and row.kinds[place][1] ~= kind[1] do place = place + 1 end
    local same = row.kinds[place]
    if same then kind[2] = kind[2] + number(same[2]) end
    if same and (same[5] == 1 or kind[5] ~= 1) then kind[3], kind[4], kind[5] = same[3], same[4], same[5] end
    if place <= MAX_KINDS then row.kinds[place] = kind end
  end
  local has_first = is_first or begins and one.entry and row.takes_first == 1
  if has_first then row.event = one.event save(row, 'entry', one.entry) else save(row) end
  if begins then stand(row) end
end

for at, one in ipairs(cjson.decode(ARGV[8])) do
  local row, is_again = load(one.key), one.letter
  local taken = is_new and is_again and take_letter(is_again, one.number > 0 and 'waiting' or 'discarded')
  local is_known = row and one.event ~= '' and one.event == row.event
  if is_new and one.number > 0 and (taken or not is_again) and not is_known then
    row = row or one.life and opened(one)
    if row then counting(row, one, at) end
    counted = counted + (row and not is_again and one.number or 0)
  end
  answers[at + 1] = row and row.told or -1
end
book('counted', 'waiting', counted)
return answers
