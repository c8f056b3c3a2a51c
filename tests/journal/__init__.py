"""The journal and its leader, simulated: one thread, one clock, one seed."""
