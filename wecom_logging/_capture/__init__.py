"""What runs in the calling thread: a record is counted, or copied and queued for the worker."""
