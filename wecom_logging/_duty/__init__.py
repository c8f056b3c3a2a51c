"""When and to whom: by the wall and by people."""
