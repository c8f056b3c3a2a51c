-- ARGV: of version 1 where rows stand in order, and how their names begin. Answers some, with the texts that may be ours.
local found, names = {}, base .. ARGV[2]
for _, member in ipairs(call('ZRANGE', names, 0, 9)) do
  local row = {member}
  for _, field in ipairs({'state', 'entry', 'key', 'why'}) do
    local name, most = base .. ARGV[3] .. member, field == 'entry' and MAX_TEXT or 4096
    row[#row + 1] = call('HSTRLEN', name, field) <= most and call('HGET', name, field) or ''
  end
  local ours = #member <= 4096 and not string.find(member, '[\128-\255]')
  if ours then found[#found + 1] = row else call('ZREM', names, member) end
end
return found
