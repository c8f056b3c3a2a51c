"""Everything that can come back in place of a good answer, and the error that a caller gets for it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.scripted import (
    Step,
    body,
    close,
    errcode,
    gzip_bomb,
    huge,
    raw,
    redirect,
    response,
    rst,
    status,
)
from wecom_logging.errors import (
    APIError,
    BadResponseError,
    ConnectError,
    CredentialError,
    HTTPStatusError,
    InvalidMessageError,
    InvalidRecipientError,
    PermissionDeniedError,
    RateLimitedError,
    ServerBusyError,
    WeComError,
)

GOOD = b'{"errcode": 0, "errmsg": "ok"}'


def at_once(seconds: float) -> None:
    """A sleep for clients whose rounds shall be quick."""


@dataclass(frozen=True)
class Failure:
    cases: str
    """In tests/faults/cases.py."""
    name: str
    step: Step
    error: type[WeComError]
    tries: int = 3
    """How many requests a round makes of it."""

    def __str__(self) -> str:
        return self.name


def _chunked(pieces: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces


TRANSPORT = [
    Failure("N11", "502 with HTML", status(502), HTTPStatusError),
    Failure("N11", "500 with errcode 0", status(500, GOOD), HTTPStatusError),
    Failure("N13", "403", status(403), HTTPStatusError, tries=1),
    Failure("N12", "429", status(429, headers=[("Retry-After", "7")]), HTTPStatusError, tries=1),
    Failure("N19", "204", status(204, b""), HTTPStatusError, tries=1),
    Failure("N17", "redirect", redirect("http://127.0.0.1:9/elsewhere"), HTTPStatusError, tries=1),
    Failure("N14", "not JSON", body(b"<html>ok</html>"), BadResponseError),
    Failure("N14", "empty", body(b""), BadResponseError),
    Failure("N14", "half a JSON", body(GOOD[:-5]), BadResponseError),
    Failure("N14", "latin-1", body('{"errcode": 0, "errmsg": "é"}'.encode("latin-1")), BadResponseError),
    Failure("N14", "a list", body(b"[0]"), BadResponseError),
    Failure("N14", "a text", body(b'"errcode"'), BadResponseError),
    Failure("W13", "errcode missing", body(b'{"errmsg": "ok"}'), BadResponseError),
    Failure("W13", "two errcodes, 0 last", body(b'{"errcode": 40014, "errcode": 0}'), BadResponseError),
    Failure("W13", "two errcodes, 0 first", body(b'{"errcode": 0, "errcode": 40014}'), BadResponseError),
    Failure("W13", "a name twice, within", body(b'{"errcode": 0, "a": [{"b": 1, "b": 2}]}'), BadResponseError),
    Failure("W13", 'errcode "0"', errcode("0"), BadResponseError),
    Failure("W13", "errcode null", errcode(None), BadResponseError),
    Failure("W13", "errcode true", errcode(True), BadResponseError),
    Failure("W13", "errcode false", errcode(False), BadResponseError),
    Failure("W13", "errcode 0.0", errcode(0.0), BadResponseError),
    Failure("W13", "errcode NaN", body(b'{"errcode": NaN}'), BadResponseError),
    Failure("N14", "nested 100 000 deep", body(b"[" * 100_000), BadResponseError),
    Failure("N14", "nested 60 000 deep", body(b"[" * 60_000 + b"]" * 5_000), BadResponseError),
    Failure("N14", "an integer of 5 000 digits", body(b'{"errcode": 0, "n": ' + b"7" * 5000 + b"}"), BadResponseError),
    Failure("N15", "endless", huge(), BadResponseError),
    Failure("N15", "gzip bomb", gzip_bomb(), BadResponseError),
    Failure("N03", "reset", rst(), ConnectError),
    Failure("N02", "reset before the body was read", rst(before_body=True), ConnectError),
    Failure("N03", "reset within the answer", rst(after=response(200, GOOD)[:30]), ConnectError),
    Failure("N03", "closed without an answer", close(), ConnectError),
    Failure("N19", "not HTTP", raw(b"SSH-2.0-OpenSSH_9.9\r\n"), ConnectError),
    Failure("N19", "chunks cut off", raw(_chunked(b"ff\r\n{")), ConnectError),
    Failure("N19", "chunk of a wrong length", raw(_chunked(b"zz\r\n{}")), ConnectError),
    Failure("N19", "too many headers", raw(response(200, GOOD, [("X-A", "b")] * 101)), ConnectError),
    Failure("N19", "a header of 70 KB", raw(response(200, GOOD, [("X-A", "b" * 70_000)])), ConnectError),
    Failure("N19", "two lengths", raw(response(200, GOOD, [("Content-Length", "7")])), ConnectError),
]
API = [
    Failure("W08", "-1", errcode(-1), ServerBusyError),
    Failure("W07", "45033", errcode(45033), RateLimitedError),
    Failure("W05 W06", "45009", errcode(45009), RateLimitedError, tries=1),
    Failure("W03", "40001", errcode(40001), CredentialError, tries=1),
    Failure("W09", "60020", errcode(60020, "not allow to access from your ip"), PermissionDeniedError, tries=1),
    Failure("W13", "301002", errcode(301002), PermissionDeniedError, tries=1),
    Failure("W10", "81013", errcode(81013), InvalidRecipientError, tries=1),
    Failure("W12", "40058", errcode(40058), InvalidMessageError, tries=1),
    Failure("W13", "unknown errcode", errcode(999999), APIError, tries=1),
    Failure("W13", "huge errcode", body(b'{"errcode": ' + b"7" * 4000 + b"}"), APIError, tries=1),
]
FAILURES = TRANSPORT + API
EACH_FAILURE = [pytest.param(each, marks=pytest.mark.case(*each.cases.split()), id=each.name) for each in FAILURES]
"""For a test of a whole case."""
