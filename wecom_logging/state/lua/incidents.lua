-- Rows and where they stand. `later` has them by the time when they are ready, `ready:LANE` by rank, then by age. `open` has
-- all in the order in which they make room: from UNTOLD on stand those with something untold.
local later, lanes, open, names = base .. 'later', base .. 'lanes', base .. 'open', base .. 'names'
local dead, books, ticks = base .. 'dead', base .. 'books', base .. 'ticks'

-- A row, unless there is none, or a broken one.
local function load(name)
  local text = call('HGET', name, 'row')
  if not text or #text > MAX_TEXT then return end
  local is_packed, row = pcall(cmsgpack.unpack, text)
  if not is_packed or type(row) ~= 'table' then return end
  for field, kind in pairs(KINDS) do
    if type(row[field]) ~= kind or kind == 'number' and not number(row[field]) then return end
  end
  row.name = name
  return (row.why or name == base .. 'i:' .. row.key) and row
end
local function save(row, ...)
  local name = row.name
  row.name = nil
  call('HSET', name, 'row', cmsgpack.pack(row), ...)
  row.name = name
end
-- What `incidents.life` decides: times from now, and other fields.
local function renew(row, life)
  for field, value in pairs(life[2]) do row[field] = value end
  for field, after in pairs(life[1]) do row[field] = now + after end
end
-- Another version each time, also where Redis has lost the last one.
local function renumber(row)
  row.version = math.max((number(call('GET', ticks)) or 0) + 1, math.floor(now * 10000))
  redis.call('SET', ticks, row.version, 'EX', KEEP)
end

local function ready(lane) return base .. 'ready:' .. lane end
local function ticket(row) return string.format('%016.0f', row.untold_at * 1000000) .. row.key end
local function leave(row)
  call('ZREM', later, row.key)
  call('ZREM', ready(row.lane), ticket(row))
end
local function stand(row)
  local at = (row.owner ~= '' or row.count > row.told) and row.wake or row.due
  if at > now then
    put(later, at, row.key)
  else
    put(ready(row.lane), -row.rank, ticket(row))
    call('SADD', lanes, row.lane)
    keep(lanes)
  end
  put(open, row.count > row.told and 10 * UNTOLD + row.rank * 1e10 + row.untold_at or row.told_at, row.key)
  keep(row.name, KEEP + math.max(at - now, 0))
end
local function forget(key)
  call('UNLINK', base .. 'i:' .. key)
  call('ZREM', later, key)
  call('ZREM', open, key)
end
local function book(from, to, more)
  for name, change in pairs({[from] = -more, [to] = more}) do
    call('HSET', books, name, math.max((number(call('HGET', books, name)) or 0) + change, 0))
  end
  keep(books)
end

-- Adds a row, as JSON, and its entry to an answer.
local function answer(rows, row, letter)
  if not row then return end
  row.letter = letter
  local is_text, text = pcall(cjson.encode, row)
  if not is_text then return forget(row.key) end
  local entry = call('HGET', row.name, 'entry')
  rows[#rows + 1] = {row.key, row.version, text, entry and #entry <= MAX_TEXT and entry or ''}
end

-- A dead letter leaves; its row, where it can be read.
local function take_letter(id, to)
  local row = load(base .. 'd:' .. id)
  call('UNLINK', base .. 'd:' .. id)
  call('ZREM', dead, id)
  if row then book('given_up', to, row.count - row.told) end
  return row
end
-- So many of a row that nobody is told are kept for people, as a dead letter.
local function give_up(row, untold, why)
  local letter, id = cmsgpack.unpack(cmsgpack.pack(row)), string.format('%.0f', row.version)
  letter.name, letter.count, letter.told, letter.why = base .. 'd:' .. id, untold, 0, why
  save(letter, 'entry', call('HGET', row.name, 'entry') or '')
  keep(letter.name)
  put(dead, row.last, id)
  book('waiting', 'given_up', untold)
  while call('ZCARD', dead) > STEPS do take_letter(call('ZRANGE', dead, 0, 0)[1], 'discarded') end
end
-- An incident is not open any more.
local function close(row, why)
  local untold = row.count - row.told
  if untold > 0 and why then give_up(row, untold, why) elseif untold > 0 then book('waiting', 'discarded', untold) end
  leave(row)
  forget(row.key)
  if call('HGET', names, row.id) == row.key then call('HDEL', names, row.id) end
end
