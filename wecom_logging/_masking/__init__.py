"""Hides secrets in a text: text in, text out. Imports nothing of the package; linear in the length of the text."""
