-- Rows and where they stand. `later` has them by the time when they are ready, `ready:LANE` by rank, then by age.
-- `open` has all in the order in which they make room: from UNTOLD on stand those with something untold.
local later, lanes, open, names = base .. 'later', base .. 'lanes', base .. 'open', base .. 'names'
local dead, books, ticks = base .. 'dead', base .. 'books', math.floor(now * 1000000)

-- The row of a key, or of a dead letter; nil where there is none, or a broken one.
local function name(key, letter) return base .. (letter and 'd:' .. letter or 'i:' .. key) end
local function load(key, letter)
  local text = call('HGET', name(key, letter), 'row')
  local is_packed, row = pcall(cmsgpack.unpack, text and #text <= MAX_TEXT and text or '')
  if not is_packed or type(row) ~= 'table' or row.letter ~= letter or not letter and row.key ~= key then return end
  -- Of before they were thought of.
  row.cause, row.answers, row.lent = row.cause or '', row.answers or '', row.lent or ''
  row.held, row.takes_first = row.held or 0, row.takes_first or 0
  for at, field in ipairs(FIELDS) do
    local value, kind = row[field], at <= NUMBERS and 'number' or at <= TEXTS and 'string' or 'table'
    if type(value) ~= kind or kind == 'number' and not (value > -9e15 and value < 9e15) then return end
  end
  return row
end
local function save(row, ...) call('HSET', name(row.key, row.letter), 'row', cmsgpack.pack(row), ...) end
-- Adds a row, as JSON, to an answer.
local function answer(rows, row)
  local is_text, text = pcall(cjson.encode, row)
  if not row or not is_text then return end
  local entry = call('HGET', name(row.key, row.letter), 'entry')
  rows[#rows + 1] = {row.key, string.format('%.0f', row.version), text, entry and #entry <= MAX_TEXT and entry or ''}
end
-- What `incidents.life` decides: times from now, and other fields. Each time the row gets another version.
local function apply_life(row, life)
  for field, value in pairs(life[2]) do row[field] = value end
  for field, after in pairs(life[1]) do row[field] = now + after end
  ticks = ticks + 1
  row.version = math.max(ticks, (row.version or 0) + 1)
end

local function ready(lane) return base .. 'ready:' .. lane end
local function ticket(row) return string.format('%016.0f', row.untold_at * 1000000) .. row.key end
local function leave(row)
  call('ZREM', later, row.key)
  call('ZREM', ready(row.lane), ticket(row))
end
local function stand(row)
  local is_untold = row.count > row.told
  local at = (row.owner ~= '' or is_untold) and row.wake or row.due
  if at > now then
    put(later, at, row.key)
  else
    put(ready(row.lane), -row.rank, ticket(row))
    call('SADD', lanes, row.lane)
    keep(lanes)
  end
  if row.cause ~= '' then
    put(base .. 'c:' .. row.cause, math.max(row.told_at, row.untold_at), row.key)
    call('ZREMRANGEBYRANK', base .. 'c:' .. row.cause, 0, -STEPS - 1)
  end
  put(open, is_untold and 10 * UNTOLD + row.rank * 1e10 + row.untold_at or row.told_at, row.key)
  keep(name(row.key), KEEP + math.max(at - now, 0))
  call('HSETNX', names, row.id, row.key)
  keep(names)
end
local function forget(key)
  call('UNLINK', name(key))
  for _, turn in ipairs({later, open}) do call('ZREM', turn, key) end
end
local function book(from, to, more)
  if more == 0 then return end
  for account, change in pairs({[from] = -more, [to] = more}) do
    call('HSET', books, account, math.max(number(call('HGET', books, account)) + change, 0))
  end
  keep(books)
end

-- A dead letter leaves; its row, where it can be read.
local function take_letter(letter, to)
  local row = load(nil, letter)
  call('UNLINK', name(nil, letter))
  call('ZREM', dead, letter)
  if row then book('given_up', to, row.count - row.told) end
  return row
end
-- So many of a row that nobody is told: kept for people, as a dead letter, or discarded.
local function give_up(row, untold, why)
  book('waiting', why and 'given_up' or 'discarded', untold)
  if not why or untold == 0 then return end
  local copy = cmsgpack.unpack(cmsgpack.pack(row))
  copy.letter, copy.count, copy.told, copy.why = string.format('%.0f', row.version) .. row.key, untold, 0, why
  save(copy, 'entry', call('HGET', name(row.key), 'entry') or '')
  keep(name(nil, copy.letter))
  put(dead, row.last, copy.letter)
  while call('ZCARD', dead) > STEPS do take_letter(call('ZRANGE', dead, 0, 0)[1], 'discarded') end
end
-- An incident is not open any more.
local function close(row, why)
  give_up(row, row.count - row.told, why)
  leave(row)
  forget(row.key)
  if row.cause ~= '' then call('ZREM', base .. 'c:' .. row.cause, row.key) end
  if call('HGET', names, row.id) == row.key then call('HDEL', names, row.id) end
end
