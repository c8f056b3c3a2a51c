"""The table of tokens: each row finds what it says, and nothing that looks a little like it."""

from __future__ import annotations

import random
import re
import string

import pytest

from wecom_logging._masking import tokens
from wecom_logging._masking.patterns import rows
from wecom_logging._masking.redact import MASK, masker, redact

_SIGNS = {
    "h": "0123456789abcdef",
    "l": string.ascii_lowercase + string.digits,
    "u": string.ascii_uppercase + string.digits,
    "a": string.ascii_letters + string.digits,
    "w": string.ascii_letters + string.digits,
    "e": string.ascii_letters + string.digits + "=",
    "b": string.ascii_letters + string.digits + "+/",
}


def token(prefix: str, rest: str) -> str:
    """One of a row, drawn by another reading of its notation: the shortest."""
    draw = random.Random(prefix + rest)
    rest = re.sub(r"\(\?:[^()|]*\)(?:\?|\{0,4\})", "", rest)  # what may be missing
    rest = re.sub(r"\(\?:([^()|]*)\|[^()]*\)", r"\1", rest)  # the first of several
    rest = (
        rest.replace("[$]", "$")
        .replace("[0-9a-f]{", "h{")
        .replace("[0-9A-Za-z%]", "a")
        .replace("[bp]", "b")
        .replace("[0-9]-", "1-")
    )
    rest = rest.replace("[0-9]{1,16}", "1234567").replace("[a-z]{1,10}-", "auth-")
    rest = re.sub(r"\(\?:(.*)\)$", r"\1", rest)

    def drawn(found: re.Match[str]) -> str:
        text = "".join(draw.choice(_SIGNS[found[1]]) for _ in range(int(found[2])))
        return text if any(sign.isdigit() for sign in text) else text[:-1] + "7"

    return prefix + re.sub(r"([hluaweb])\{(\d+)[^}]*\}", drawn, rest)


ROWS = [(f"{service} {prefix}", token(prefix, rest)) for service, prefix, rest, _ in rows("tokens", "shapes")]


@pytest.mark.case("C17")
@pytest.mark.parametrize(("row", "token"), ROWS, ids=[row for row, _ in ROWS])
def test_a_token_of_each_row_is_masked_by_itself(row: str, token: str) -> None:
    assert redact(f"call with {token} failed") == f"call with {MASK} failed"
    assert token not in redact(f'{{"x": "{token}"}}')
    assert MASK not in redact(f"call with {token[:9]}"), "a prefix alone is no token"


def test_rows_name_who_says_so() -> None:
    for service, prefix, rest, source in rows("tokens", "shapes"):
        assert service
        assert len(prefix) > 1
        assert rest
        assert re.fullmatch(r"[\w.-]+(/[\w.-]+)*|RFC \d+", source), source
    prefixes = [(prefix, rest) for _, prefix, rest, _ in rows("tokens", "shapes")]
    assert len(set(prefixes)) == len(prefixes)


@pytest.mark.parametrize(
    "text",
    [
        "bP88Q~rcBcYjzzOhg1Hnn76Wm3jGgakZiZ.8vMgR",
        "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",
        "911602140448729|AY-lRJZq9BoDLobvAiP25L7RcMg",
        "a1B2cD3eF4" * 8 + "a1B2cD==",
        "0123456789abcdef0123456789abcdef-us12",
        "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6NRAL",
        "AAAAa1b2c3d:APA91" + "b1Cd" * 30,
        "35617491:Aqzwx8wfqdpfx-pwnsnuo9iptp09_6hh75f",
        "k9Qz7Lw2Vx8Rt5.atlasv1." + "b1Cd" * 16,
        "0123456789abcdef0123456789abcdef.b1Cd2Ef3Gh4Ij5Kl",
        "0123456789abcdef0123456789abcdef-0a1b2c3d-4e5f6a7b",
        "MTE5b1Cd2Ef3Gh4Ij5Kl6Mn7.Gx1Yz2.b1Cd2Ef3Gh4Ij5Kl6Mn7Op8Qr9St0Uv1Wx2Yz3",
        "17|b1Cd2Ef3Gh4Ij5Kl6Mn7Op8Qr9St0Uv1Wx2Yz3Ab",
        "eu01xx0123456789abcdef0123456789abcdef01NRAL",
        "00D1a0000000abc!AQ4" + "b1Cd." * 20,
        "$2b$12$" + "b1Cd2" * 11,
        "$argon2id$v=19$m=65536,t=3,p=4$b1Cd2Ef3Gh4Ij5$Kl6Mn7Op8Qr9St0Uv1Wx2Yz3",
        "pbkdf2_sha256$600000$b1Cd2Ef3$Gh4Ij5Kl6Mn7Op8Qr9St0Uv1Wx2=",
        "scrypt:32768:8:1$b1Cd2Ef3$" + "0123456789abcdef" * 8,
        "SCRAM-SHA-256$4096:b1Cd2Ef3Gh4Ij5Kl$Mn7Op8Qr9St0Uv1Wx2Yz3=:Ab4Cd5Ef6Gh7Ij8Kl9Mn0=",
        "{SSHA}b1Cd2Ef3Gh4Ij5Kl6Mn7Op8Qr9St0Uv1",
        "shopx_k9QZ7Lw2vX8Rt5yP1Nb4cD6eF0gHj3Ma",
        "https://hooks.zapier.com/hooks/catch/1234567/b1cd2ef/",
        "https://api.day.app/b1Cd2Ef3Gh4Ij5Kl6Mn7Op/title",
        "https://hc-ping.com/29f63271-dc2f-4734-8221-5b31b5169bac",
    ],
)
def test_tokens_whose_sign_is_not_at_their_beginning(text: str) -> None:
    assert MASK in redact(f"call with {text} failed")


def test_the_table_is_read_when_a_mask_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    for kept in (rows, tokens._table, tokens._by_beginning):
        kept.cache_clear()
    mask = masker([], redact)
    monkeypatch.setattr("pkgutil.get_data", lambda *_: pytest.fail("no file can be had any more"))
    assert mask(f"key {ROWS[0][1]} was refused") == f"key {MASK} was refused"
