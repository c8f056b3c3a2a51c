-- ARGV: number, receivers.
for at = 3, #ARGV do
  call('ZADD', base .. 'sent:' .. ARGV[at], 'XX', now, ARGV[2])
  call('ZADD', base .. 'receivers', 'XX', now, ARGV[at])
end
