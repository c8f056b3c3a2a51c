"""What was expected to run, and did not."""
