"""Lets people take, silence and close incidents: a click or a typed line becomes a command, `Desk` carries it out."""
