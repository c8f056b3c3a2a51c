"""A value of any length is masked to its end, wherever in a text it begins."""

from __future__ import annotations

from random import Random
from string import ascii_letters, digits

import pytest

from wecom_logging._masking.redact import noting, redact

ALPHABETS = {
    "base64": ascii_letters + digits + "+/",
    "base64url": ascii_letters + digits + "-_",
    "hex": "0123456789abcdef",
    "printable": ascii_letters + digits + "!$*+-./:=?^_~",
}
FORMS = [
    "client-key-data: {}\n", "password={}", "token: {} end", '{{"password": "{}"}}', '{{"sign": "{}"}}', "ssh_key={}",
    "assertion={}&x=1", "jwt={}", "sign={}", "license_key: {}", "Authorization: Bearer {}", "Cookie: sid={}; x=y",
    "--password {} x", "<password>{}</password>", '[("jwt", "{}")]', "auth=('bob', '{}')", "connect('h', 'u', '{}')",
    "mysql -u root -p{} shop", "IDENTIFIED BY '{}'", "redis-cli -a {} ping", "nonce={} ", "密码：{}", "?key={}&y",
    "password: |\n  {}\n", '"jwt":"{}"', "cookie: {}", "x-api-key: {}", "Bearer {}", "auth {}", "credentials: {}",
]  # fmt: skip
OF_WORDS = ["session: {}", "tls.key: {}", "SAMLResponse={}", "{{'key': '{}'}}", "code={}", "the token is {} now"]
"""Behind these a value has to be of one alphabet."""
EDGES = [1, 4095, 5119, 5121, 8191, 65_500]


def value(alphabet: str, length: int) -> str:
    return "".join(Random(alphabet).choices(ALPHABETS[alphabet], k=length))


def is_hidden(secret: str, text: str) -> bool:
    return not any(
        secret[at : at + 32] in text for at in range(0, len(secret) - 32, 4999 if len(secret) > 50_000 else 61)
    )


def before(offset: int) -> str:
    return ("x y " * (offset // 4) + "   ")[:offset][:-1] + "\n" * bool(offset)


@pytest.mark.parametrize(
    ("form", "alphabet"),
    [*((form, "base64") for form in [*FORMS, *OF_WORDS]), *((form, "printable") for form in FORMS)],
)
def test_of_a_hundred_kilobytes_nothing_is_shown(form: str, alphabet: str) -> None:
    secret = value(alphabet, 100_000)
    shown = redact(before(4090) + form.format(secret))
    assert is_hidden(secret, shown)
    assert len(shown) < 4090 + 60


@pytest.mark.slow
@pytest.mark.parametrize("offset", EDGES)
@pytest.mark.parametrize("alphabet", ALPHABETS)
def test_nothing_is_shown_at_any_edge(alphabet: str, offset: int) -> None:
    secret = value(alphabet, 100_000)
    for form in (*FORMS, *(OF_WORDS if alphabet != "printable" else ())):
        assert is_hidden(secret, redact(before(offset) + form.format(secret))), form


@pytest.mark.parametrize("length", [100, 255, 256, 257, 300, 511, 512, 513, 4095, 4097])
def test_lengths_at_which_something_changes(length: int) -> None:
    for alphabet in ("base64", "hex"):
        secret = value(alphabet, length)
        for form in (*FORMS, *OF_WORDS):
            assert is_hidden(secret, redact(form.format(secret))), form


def test_long_words_without_a_secret_stay_as_they_are() -> None:
    words = [value("base64", 900), "a" * 600, "a" * 700, "a" * 240, f"{value('hex', 700)}/{value('hex', 240)}"]
    text = f"image {' '.join(words)} of shop"
    assert redact(text) == text


def test_a_token_in_the_middle_of_a_long_word_is_found() -> None:
    token = "ghp_" + value("base64url", 36).replace("-", "a").replace("_", "b")
    assert token not in redact("/".join(["assets"] * 80) + f"/{token}/" + "/".join(["assets"] * 80))


def test_whoever_asks_what_was_hidden_gets_all_of_it() -> None:
    secret = value("base64", 5000)
    with noting() as hidden:
        redact(f"password={secret}")
    assert hidden == [secret]
