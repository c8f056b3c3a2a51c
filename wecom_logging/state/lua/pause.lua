-- ARGV: seconds.
local limits = base .. 'limits'
local ends = math.max(number(call('HGET', limits, 'until')) or 0, now + ARGV[2])
call('HSET', limits, 'until', ends)
keep(limits, math.max(redis.call('TTL', limits), ends - now + 1))
