"""What runs everything else: threads, exit, forks, counters, the clock, random numbers, lines on stderr."""
