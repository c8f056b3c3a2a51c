"""The calling thread: what a log call costs. A record is counted, or copied and put down for the worker."""
