-- Rows and where they stand. `later` has them by the time when they are ready, `ready:LANE` by rank, then by age. `open` has
-- all in the order in which they make room: from UNTOLD on stand those with something untold.
local later, lanes, open, names = base .. 'later', base .. 'lanes', base .. 'open', base .. 'names'
local dead, books, ticks = base .. 'dead', base .. 'books', math.floor(now * 1000000)

-- The row of a key, or under a name; nil where there is none, or a broken one.
local function load(key, is_whole, name)
  local row, size = {key = key, name = name or base .. 'i:' .. key}, 0
  row.found = call('HMGET', row.name, unpack(FIELDS, 1, is_whole and #FIELDS or BRIEF))
  for at, text in ipairs(row.found) do
    local field = FIELDS[at]
    if at > NUMBERS then row[field] = text or '' else row[field] = number(text) end
    size = size + #(text or '')
    if not row[field] or size > MAX_TEXT then return end
  end
  return row
end
local function save(row, ...)
  local words = {}
  for at, field in ipairs({...}) do words[2 * at - 1], words[2 * at] = field, row[field] end
  call('HSET', row.name, unpack(words))
end
local function renew(row, first)
  for at, field in ipairs(LIFE) do
    local value = ARGV[first + at - 1]
    row[field] = at > 7 and value or at > 4 and tonumber(value) or value ~= '' and now + value or 0
  end
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
-- Another version each time, also where Redis has come back from an older copy.
local function renumber(row)
  ticks = ticks + 1
  row.version = ticks
end

-- A dead letter leaves; its row, where it can be read.
local function take_letter(id, to)
  local row = load('', true, base .. 'd:' .. id)
  call('UNLINK', base .. 'd:' .. id)
  call('ZREM', dead, id)
  if row then book('given_up', to, row.count - row.told) end
  return row
end
-- An incident is not open any more. With a reason, what was untold is kept for people, as a dead letter.
local function close(row, why)
  local id, untold = string.format('%.0f', row.version), row.count - row.told
  leave(row)
  if untold > 0 then book('waiting', why and 'given_up' or 'discarded', untold) end
  if untold > 0 and why then
    redis.call('RENAME', row.name, base .. 'd:' .. id)
    row.name, row.of, row.why = base .. 'd:' .. id, row.key, why
    save(row, 'of', 'why')
    keep(row.name)
    put(dead, row.last, id)
    while call('ZCARD', dead) > STEPS do take_letter(call('ZRANGE', dead, 0, 0)[1], 'discarded') end
  end
  forget(row.key)
  if call('HGET', names, row.id) == row.key then call('HDEL', names, row.id) end
end
