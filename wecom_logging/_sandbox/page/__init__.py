"""The page at ``/``: a phone for each receiver, and what WeCom saw beside it. Its files are in ``static/``."""
