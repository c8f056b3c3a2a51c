-- ARGV: keys of rows, and dead letters, as JSON. Answers as `claim`.
local found, lists = {exact(now)}, cjson.decode(ARGV[2])
for _, key in ipairs(lists[1]) do answer(found, load(base .. 'i:' .. key)) end
for _, id in ipairs(lists[2]) do answer(found, load(base .. 'd:' .. id), id) end
return found
