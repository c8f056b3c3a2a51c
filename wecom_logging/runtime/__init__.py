"""What a process keeps for all of its handlers."""
