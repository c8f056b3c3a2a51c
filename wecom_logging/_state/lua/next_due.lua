-- Seconds until something is due, or ''.
for _, audience in ipairs(call('SMEMBERS', audiences)) do if call('EXISTS', ready(audience)) == 1 then return '0' end end
local first = call('ZRANGE', later, 0, 0, 'WITHSCORES')[2]
return first and exact(math.max(first - now, 0)) or ''
