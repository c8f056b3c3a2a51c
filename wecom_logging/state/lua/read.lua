-- ARGV: how many of the names that follow are fields; then hashes. The fields of each, but for what is too long.
local rows = {string.format('%.6f', now)}
for at = 3 + ARGV[2], #ARGV do
  local row = call('HMGET', base .. ARGV[at], unpack(ARGV, 3, 2 + ARGV[2]))
  for field, text in ipairs(row) do row[field] = text and #text <= MAX_TEXT and text end
  rows[#rows + 1] = row
end
return rows
