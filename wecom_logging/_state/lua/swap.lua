-- ARGV: swaps as JSON. Of each whether the row was as it is said to be.
local answers = {}
for at, one in ipairs(cjson.decode(ARGV[2])) do
  local row = load(one.key)
  local fits = row and row.version == one.version and (one.life or one.why or row.count == one.count)
  if fits and one.life then
    local told = row.told
    leave(row)
    apply_life(row, one.life)
    if row.told ~= told then
      if one.why then give_up(row, row.told - told, one.why) else book('waiting', 'told', row.told - told) end
      if row.count ~= one.count and row.told == one.count then row.untold_at = row.counted_at end
      row.since, row.rates, row.samples = one.since, {}, {unpack(row.samples, one.samples + 1)}
      local told, kinds = {}, list(row.kinds)
      for _, kind in ipairs(one.kinds) do told[kind[1]] = kind[2] end
      row.kinds = {}
      for _, kind in ipairs(kinds) do
        local before = told[kind[1]]
        kind[2], kind[5] = number(kind[2]) - (before or 0), before and 0 or kind[5]
        if kind[2] > 0 then row.kinds[#row.kinds + 1] = kind end
      end
    end
    save(row)
    stand(row)
  elseif fits then
    close(row, one.why ~= 'discarded' and one.why or nil)
  end
  answers[at] = fits and 1 or 0
end
return answers
