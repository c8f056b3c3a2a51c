-- ARGV: as JSON, rows as they were read and what they become. Of each: 1, or 0 where it is another one by now, or -1
-- where it has to be read again.
local answers = {}
for at, one in ipairs(cjson.decode(ARGV[2])) do
  local row = load(one.key)
  if not row or row.version ~= one.version or one.count and row.count ~= one.count then
    answers[at] = 0
  elseif one.folded and row.folded ~= one.folded then
    answers[at] = -1
  else
    local number_of = one.number or row.count - row.told
    if one.account then book('waiting', one.account, number_of) end
    if one.letter then bury(row, number_of, one.why, one.letter) end
    if one.columns then
      leave(row)
      apply(row, one.columns)
      row.folded = row.folded + one.parts
      call('LTRIM', counts(row.key), one.parts, -1)
      -- Counted since it was read.
      if row.count > row.told and row.count > one.read then row.untold_at = one.read > row.told and row.untold_at or now end
      save(row, 'document', one.document)
      stand(row)
    else
      close(row)
    end
    answers[at] = 1
  end
end
return answers
