"""The pictures that WeCom takes."""

PNG, JPG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
"""What the bytes of a picture begin with."""

MAX_BOT_IMAGE_BYTES = 2 * 1024 * 1024
"""Of a picture that a group bot sends; an app sends larger ones, too."""
