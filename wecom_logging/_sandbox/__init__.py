"""A local WeCom: the calls below ``/cgi-bin/`` with WeCom's own rules. Nothing leaves the machine.

It imports nothing of the client and keeps its own numbers, so that the two disagree when one of them is wrong.
"""

from .journal import Call
from .server import Sandbox

__all__ = ["Call", "Sandbox"]
