-- ARGV: a command on one key.
return call(ARGV[2], base .. ARGV[3], unpack(ARGV, 4))
