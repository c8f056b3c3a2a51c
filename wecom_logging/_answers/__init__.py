"""What people do with incidents, from whatever door: words become a command, the desk carries it out."""
