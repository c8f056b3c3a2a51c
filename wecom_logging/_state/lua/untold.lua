-- ARGV: process, keys as JSON. Answers: the newest batch, then which of the keys have something untold, less than 0
-- where an answer quietens it.
local found = {string.format('%.0f', number(call('GET', base .. 'm:' .. ARGV[2])))}
for at, key in ipairs(cjson.decode(ARGV[3])) do
  local row = load(key)
  if row and row.count > row.told then found[#found + 1] = row.held ~= 0 and -at or at end
end
return found
