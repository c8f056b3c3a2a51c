"""The digest of a text, where OpenSSL is there and where it has ended."""

from __future__ import annotations

import hashlib

from wecom_logging._text.sha256 import sha256

from ..programs import run

ENDED = """
import ctypes, hashlib, _hashlib
from wecom_logging._text.sha256 import sha256
ctypes.CDLL(_hashlib.__file__).OPENSSL_cleanup()
try:
    hashlib.sha256(b"")
except ValueError:
    print(sha256("磁盘").hexdigest())
"""


def test_it_is_made_also_where_openssl_has_ended() -> None:
    digest = hashlib.sha256("磁盘".encode()).hexdigest()
    assert sha256("磁盘").hexdigest() == digest
    ended = run(ENDED)
    assert (ended.out.strip(), ended.status) == (digest, 0), ended.err
