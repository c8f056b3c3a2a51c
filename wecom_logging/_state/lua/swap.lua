-- ARGV: swaps as JSON. Of each whether the row was as it is said to be.
local answers = {}
for at, one in ipairs(cjson.decode(ARGV[2])) do
  local row = load(one.key)
  local fits = row and row.version == one.version and (one.life or one.why or row.count == one.count)
  if fits and one.life then
    local told = row.told
    leave(row)
    renew(row, one.life)
    if row.told ~= told then
      if one.why then give_up(row, row.told - told, one.why) else book('waiting', 'told', row.told - told) end
      if row.count ~= one.count and row.told == one.count then row.untold_at = row.counted_at end
      row.since, row.rates, row.samples = one.since, {}, {unpack(row.samples, one.samples + 1)}
    end
    save(row)
    stand(row)
  elseif fits then
    close(row, one.why ~= 'discarded' and one.why or nil)
  end
  answers[at] = fits and 1 or 0
end
return answers
