-- ARGV: its name, of which version it has to be, the time, what it becomes ('' for none), how long facts stay. A fact is
-- its version, when it ends (0: never) and its text.
local facts = base .. 'facts'
local version, ends = string.match(call('HGET', facts, ARGV[2]) or '', '^(%d+) (%S+) ')
ends = tonumber(ends)
if not version or not ends or ends ~= 0 and ends <= tonumber(ARGV[4]) then version = '0' end
if version ~= ARGV[3] then return 0 end
if ARGV[5] == '' then call('HDEL', facts, ARGV[2]) else call('HSET', facts, ARGV[2], ARGV[5]) end
keep(facts, tonumber(ARGV[6]))
return 1
