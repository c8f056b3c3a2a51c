"""Canaries: secrets that a test plants, and the one check that they are nowhere in what the package tells."""

from __future__ import annotations

import base64
import io
import logging
import pickle
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

CORP_SECRET = "Zx81kQm_vT-0aBcDeFgHiJkLmNoPqRsTuVwXyZ12345"
ACCESS_TOKEN = "canary/access+token=8Kp2Wq7Rz4Mv1Xc6Nb3Hj9Lf5Td0Sg"
BOT_KEY = "693a91f6-7aa1-4bc4-97a0-0ec25fa15a37"


def assert_no_secret(text: str, *secrets: str) -> None:
    """AssertionError if a secret is in the text as it is, percent-encoded or in base64."""
    for secret in secrets:
        encoded = base64.b64encode(secret.encode()).decode().rstrip("=")[:-1]  # its last sign depends on what follows
        for form in {secret, quote(secret), quote(secret, safe=""), encoded}:
            at = text.find(form)
            assert at < 0, f"a secret shows: …{text[max(at - 200, 0) : at]}<here>"


def all_that_an_error_tells(error: BaseException) -> str:
    """Its str, repr, arguments, attributes, pickle and traceback with local variables, also of all that led to it."""
    with_locals = traceback.TracebackException.from_exception(error, capture_locals=True)
    told: list[str] = ["".join(with_locals.format()), repr(pickle.dumps(error))]
    queue: list[BaseException | None] = [error]
    seen: set[int] = set()
    while queue:
        found = queue.pop()
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        told += [str(found), repr(found), repr(found.args), repr(getattr(found, "__dict__", {}))]
        queue += [found.__cause__, found.__context__, *(arg for arg in found.args if isinstance(arg, BaseException))]
    return "\n".join(told)


@contextmanager
def everything_logged() -> Iterator[io.StringIO]:
    """All that any logger emits at DEBUG and above meanwhile, as a root handler of the program would write it."""
    root, text = logging.getLogger(), io.StringIO()
    handler, level = logging.StreamHandler(text), root.level
    handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield text
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
