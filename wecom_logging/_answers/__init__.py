"""What people do with incidents, on a command line or in a chat: words become a command, the desk carries it out."""
