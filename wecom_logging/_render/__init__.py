"""An alert as text or markdown that fits, with nothing secret in it. Pure: no I/O, no clock."""
