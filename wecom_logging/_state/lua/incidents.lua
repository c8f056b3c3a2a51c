-- Rows and where they stand. `later` has them by the time when they are ready, `ready:AUDIENCE` by rank, then by age.
-- `open` has all in the order in which they make room: from UNTOLD on stand those with something untold.
-- A row has numbers and names by which it is ordered (`row`), the document that they are of (`document`), its first
-- alert (`entry`), and beside it what was counted since (`a:KEY`). Here numbers are compared and added, and no more.
local later, audiences, open, names = base .. 'later', base .. 'audiences', base .. 'open', base .. 'names'
local dead, books = base .. 'dead', base .. 'books'

-- The row of a key, or of a dead letter; nil where there is none, or a broken one.
local function name(key, letter) return base .. (letter and 'd:' .. letter or 'i:' .. key) end
local function counts(key) return base .. 'a:' .. key end
local function load(key, letter)
  local text = call('HGET', name(key, letter), 'row')
  local is_packed, row = pcall(cmsgpack.unpack, text and #text <= MAX_TEXT and text or '')
  if not is_packed or type(row) ~= 'table' or row.letter ~= letter or not letter and row.key ~= key then return end
  for at, field in ipairs(FIELDS) do
    local value, kind = row[field], at <= NUMBERS and 'number' or 'string'
    if type(value) ~= kind or kind == 'number' and not (value > -9e15 and value < 9e15) then return end
  end
  return row
end
local function save(row, ...) call('HSET', name(row.key, row.letter), 'row', cmsgpack.pack(row), ...) end
local function short(text) return text and #text <= MAX_TEXT and text or '' end
-- Adds a row to an answer: its key, its numbers and names as JSON, its document, its first alert, what was counted since.
local function answer(rows, row)
  local is_text, text = pcall(cjson.encode, row)
  if not row or not is_text then return end
  local document, entry = unpack(call('HMGET', name(row.key, row.letter), 'document', 'entry'))
  local found = {row.key, string.format('%.0f', row.version), text, short(document), short(entry)}
  for _, part in ipairs(row.letter and {} or call('LRANGE', counts(row.key), 0, STEPS - 1)) do
    found[#found + 1] = short(part)
  end
  rows[#rows + 1] = found
end

local function ready(audience) return base .. 'ready:' .. audience end
local function ticket(row) return string.format('%016.0f', row.untold_at * 1000000) .. row.key end
local function leave(row)
  call('ZREM', later, row.key)
  call('ZREM', ready(row.audience), ticket(row))
end
local function stand(row)
  local is_untold = row.count > row.told
  local at = (row.owner ~= '' or is_untold) and row.wake or row.due
  local stays = KEEP + math.max(at - now, 0)
  if at > now then
    put(later, at, row.key, stays)
  else
    put(ready(row.audience), -row.rank, ticket(row))
    call('SADD', audiences, row.audience)
    keep(audiences)
  end
  if row.cause ~= '' then
    put(base .. 'c:' .. row.cause, math.max(row.told_at, row.untold_at), row.key, stays)
    call('ZREMRANGEBYRANK', base .. 'c:' .. row.cause, 0, -STEPS - 1)
  end
  put(open, is_untold and 10 * UNTOLD + row.rank * 1e10 + row.untold_at or row.told_at, row.key, stays)
  call('HSETNX', names, row.id, row.key)
  for _, key in ipairs({name(row.key), counts(row.key), names, books}) do keep(key, stays) end
end
local function forget(key)
  call('UNLINK', name(key))
  call('UNLINK', counts(key))
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
-- So many of a row that nobody is told are kept for people, as a dead letter.
local function bury(row, untold, why, document)
  if untold == 0 then return end
  local copy = cmsgpack.unpack(cmsgpack.pack(row))
  copy.letter, copy.count, copy.told, copy.why = string.format('%.0f', row.version) .. row.key, untold, 0, why
  save(copy, 'entry', call('HGET', name(row.key), 'entry') or '', 'document', document)
  keep(name(nil, copy.letter))
  put(dead, row.last, copy.letter)
  while call('ZCARD', dead) > STEPS do take_letter(call('ZRANGE', dead, 0, 0)[1], 'discarded') end
end
-- An incident is not open any more.
local function close(row)
  leave(row)
  forget(row.key)
  if row.cause ~= '' then call('ZREM', base .. 'c:' .. row.cause, row.key) end
  if call('HGET', names, row.id) == row.key then call('HDEL', names, row.id) end
end
-- What `incidents.life` has computed.
local function apply(row, columns)
  for field, value in pairs(columns) do row[field] = value end
end
