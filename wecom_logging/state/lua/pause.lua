-- ARGV: seconds.
local ends = math.max(number(call('HGET', base .. 'limits', 'until')) or 0, now + ARGV[2])
call('HSET', base .. 'limits', 'until', ends)
keep(base .. 'limits', math.max(redis.call('TTL', base .. 'limits'), ends - now + 1))
