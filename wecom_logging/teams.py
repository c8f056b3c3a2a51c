"""For a team on duty, in beta: what has to run (`expect`), and what is quiet while people work on it (`maintenance`).

Names and options here may change between two minor versions.
"""

from ._expect import expect as expect
from ._maintenance import maintenance as maintenance

__all__ = ["expect", "maintenance"]
