"""What processes, and hosts, have in common: one contract (`State`), one URL, a backend for each way of sharing."""
