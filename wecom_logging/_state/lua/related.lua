-- ARGV: audience, causes as JSON. Answers: the time, then of each row its cause, key, when it was told or 0, and since when.
local found = {exact(now)}
for _, cause in ipairs(cjson.decode(ARGV[3])) do
  local name = base .. 'c:' .. cause
  for _, key in ipairs(call('ZREVRANGE', name, 0, MAX_RELATED - 1)) do
    local row = load(key)
    if not row or row.cause ~= cause then
      call('ZREM', name, key)
    elseif row.audience == ARGV[2] then
      found[#found + 1] = {cause, key, row.told > 0 and exact(row.told_at) or '0', exact(row.untold_at)}
    end
  end
end
return found
