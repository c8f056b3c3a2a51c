"""Random numbers of our own: the program's generator must give what it gives without us, and may be seeded alike in two
processes."""

from __future__ import annotations

import random

chance = random.SystemRandom()
