-- ARGV of each: key, version, what ('replace', 'remove', 'discard', or why it becomes a dead letter), how many it had before
-- and how many samples, `since`, LIFE.
local answers = {}
for at = 2, #ARGV, 6 + #LIFE do
  local key, version, what, count, samples, since = unpack(ARGV, at, at + 5)
  local row = load(key)
  local fits = row and row.version == tonumber(version) and (what ~= 'remove' or row.count == tonumber(count))
  if fits and what == 'replace' then
    local told = row.told
    leave(row)
    renew(row, at + 6)
    renumber(row)
    save(row, 'version', unpack(LIFE))
    if row.told ~= told then
      book('waiting', 'told', row.told - told)
      row.samples = string.gsub(call('HGET', row.name, 'samples') or '', '[^\n]*\n', '', tonumber(samples))
      if row.count ~= tonumber(count) and row.told == tonumber(count) then row.untold_at = row.counted_at end
      row.since = since
      save(row, 'samples', 'untold_at', 'since')
      redis.call('HDEL', row.name, unpack(FIELDS, RATES))
    end
    stand(row)
  elseif fits then
    close(row, what ~= 'remove' and what ~= 'discard' and what or nil)
  end
  answers[#answers + 1] = fits and 1 or 0
end
return answers
