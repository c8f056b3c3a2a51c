"""Where entries and the book outlive a process, and who leads."""
