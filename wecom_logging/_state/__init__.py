"""Where incidents are kept: one contract (`base.Store`), and the stores that keep it: memory, SQLite, Redis."""
