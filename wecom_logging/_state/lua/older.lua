-- What version 2 has left. ARGV: where rows stand in order, how their names begin, how many to pass by. Answers how many
-- there were, and of each that nobody is sending: its name, itself as JSON, its version, its first alert, its fields.
local members, found = call('ZRANGE', base .. ARGV[2], ARGV[4], ARGV[4] + 99), {}
for _, member in ipairs(members) do
  local key = base .. ARGV[3] .. member
  local text, entry = unpack(call('HMGET', key, 'row', 'entry'))
  local is_packed, row = pcall(cmsgpack.unpack, text and #text <= MAX_TEXT and text or '')
  local is_ours = is_packed and type(row) == 'table' and type(row.version) == 'number'
  local is_text, as_text = pcall(cjson.encode, row)
  if is_ours and is_text and (row.letter or row.owner == '' or number(row.wake) <= now) then
    local short = entry and #entry <= MAX_TEXT and entry or ''
    found[#found + 1] = {member, as_text, string.format('%.0f', row.version), short, call('HKEYS', key)}
  end
end
return {#members, found}
