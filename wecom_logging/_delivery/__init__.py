"""The worker's turn: from incidents that are due to messages that were sent. Read `leader.Leader.turn` first."""
