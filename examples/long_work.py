"""Long work tells that it goes on, how it ended and how far it came. Run: WECOM_… python examples/long_work.py"""

import struct
import zlib

from wecom_logging import WeComHandler, progress

handler = WeComHandler(level="ERROR", service="night shift")  # what is asked for is told whatever the level


def chart(heights: list[int]) -> bytes:
    """A PNG; matplotlib's figures are taken as they are."""
    rows = b"".join(b"\0" + bytes(0 if height > y else 255 for height in heights) for y in reversed(range(100)))

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", len(heights), 100, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


with progress("training", every="30m", total=60, start=True) as step:
    losses = []
    for epoch in range(60):
        losses.append(100 / (epoch + 1))
        step(loss=round(losses[-1], 2))  # at most one "still running" in half an hour
    step.attach = chart([int(loss) for loss in losses])

try:
    with progress(["north", "south", "east"], "import of the branches") as branches:
        for branch in branches:
            if branch == "east":
                raise ConnectionError(f"{branch} does not answer")
except ConnectionError as error:
    print(f"raised as ever: {error}")
