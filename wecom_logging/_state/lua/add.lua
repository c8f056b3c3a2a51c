-- ARGV: channel, whose batch it is, its number, the most incidents, counts as JSON. Answers: the batch before, then of
-- each count how many of its incident were told, or -1; then the keys of which much was counted since they were read.
local batch, mark, counted, many = tonumber(ARGV[4]), base .. 'm:' .. ARGV[3], 0, {}
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
  local key = call('ZCARD', open) >= tonumber(ARGV[5]) and call('ZRANGE', open, 0, 0)[1]
  local row = key and load(key)
  if row then book('waiting', 'discarded', row.count - row.told) close(row) elseif key then forget(key) end
  forget(one.key)
  row = {key = one.key, id = named(one.key, one.id), count = one.columns.told, folded = 0, last = one.last, wake = now, due = now}
  apply(row, one.columns)
  return row
end
local function counting(row, one, at, is_opened)
  local begins = row.count == row.told
  local has_first = one.entry and (is_opened or begins and row.takes_first == 1)
  local is_sooner = one.has_new and row.owner == '' and not is_opened and number(row.new_variant) > 0
  if (begins or is_sooner) and not is_opened then leave(row) end
  if is_sooner then row.wake = math.min(row.wake, row.new_variant) end
  if not (is_opened and one.document) then
    if begins then row.untold_at = now + at / 1000000 end
    if has_first then row.event = one.event end
  end
  row.count, row.last = row.count + one.number, math.max(row.last, one.last)
  local part = exact(now + at / 1000000) .. ' ' .. (one.part or '')
  if is_opened then
    save(row, 'document', one.document or part, 'entry', one.entry)
  else
    if call('RPUSH', counts(row.key), part) % MANY == 0 then many[#many + 1] = row.key end
    if has_first then save(row, 'entry', one.entry) else save(row) end
  end
  if begins or is_sooner then stand(row) end
end

for at, one in ipairs(cjson.decode(ARGV[6])) do
  local row, is_again = load(one.key), one.letter
  local taken = is_new and is_again and take_letter(is_again, one.number > 0 and 'waiting' or 'discarded')
  local is_there = is_new and (taken or not is_again)
  local is_known = row and (not one.part or one.event ~= '' and one.event == row.event)
  if is_there and not is_known and (one.number > 0 or one.document and not row) then
    local is_opened = not row
    row = row or one.columns and opened(one)
    if row then counting(row, one, at, is_opened) end
    counted = counted + (row and not is_again and one.number or 0)
  end
  local is_late = one.document and (is_known or not is_there)
  answers[at + 1] = row and not is_late and row.told or -1
end
book('counted', 'waiting', counted)
answers[#answers + 1] = many
return answers
