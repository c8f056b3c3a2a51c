"""Forms that stand in files, half of them kept back: a secret is hidden, and a line without one stays as it is."""

from __future__ import annotations

import pytest

from wecom_logging.redaction import redact

from .corpus import filled, forms, lines_of, shown

DRAWS = 4
MOST_ALTERED = {"innocent": 0.01, "harmless": 0.01, "harmless_held_out": 0.04}
MOST_SHOWN = 0.08
"""Of forms that no rule was made for."""


def _shown(line: str) -> str:
    """A text of this form that shows a secret, and what is left of it."""
    for turn in range(DRAWS):
        text, secrets = filled(line, turn)
        masked = redact(text)
        assert redact(masked) == masked
        if any(shown(secret, masked) for secret in secrets):
            return f"{text}\n-> {masked}"
    return ""


@pytest.mark.parametrize("line", lines_of("written"))
def test_a_written_form_shows_no_secret(line: str) -> None:
    assert not _shown(line)


def test_of_the_forms_that_were_kept_back_few_show_one() -> None:
    found = [_shown(line) for line in lines_of("written_held_out")]
    assert len(list(filter(None, found))) <= MOST_SHOWN * len(found), "\n".join(filter(None, found))


@pytest.mark.xfail(reason="no rule finds it yet")
@pytest.mark.parametrize("line", lines_of("written_missed"))
def test_this_form_shows_no_secret_some_day(line: str) -> None:
    test_a_written_form_shows_no_secret(line)


@pytest.mark.xfail(reason="a rule takes it for a secret")
@pytest.mark.parametrize("line", lines_of("harmless_missed"))
def test_this_line_stays_as_it_is_some_day(line: str) -> None:
    assert all(redact(text) == text for text, _ in (filled(line, turn) for turn in range(DRAWS)))


@pytest.mark.parametrize("name", MOST_ALTERED)
def test_a_line_without_a_secret_stays_as_it_is(name: str) -> None:
    texts = [form.text for form in forms(name, DRAWS)]
    altered = [f"{text}\n-> {redact(text)}" for text in texts if redact(text) != text]
    assert len(altered) <= MOST_ALTERED[name] * len(texts), "\n".join(altered)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("DATABASE_URL=mysql://shop:zisykg4135@pg:3306/shop?charset=utf8", "@pg:3306/shop?charset=utf8"),
        ("login=ops:zisykg4135@web1 refused", "@web1 refused"),
        ("rman target sys/zisykg4135@db", "@db"),
        ("PWD=zisykg4135;Encrypt=yes;Database=shop", ";Encrypt=yes;Database=shop"),
        ("user=shop&password=zisykg4135&page=2", "&page=2"),
        ("host=pg user=shop password=zi#s;y{k}g4135 dbname=shop", " dbname=shop"),
        ("user=shop,password=zisykg4135,host=pg", ",host=pg"),
        ("LoginRequest(user=shop, password=zisykg4135, remember=true)", ", remember=true)"),
        ("{user: shop, password: zisykg4135, host: pg}", ", host: pg}"),
        ("[user=shop password=zisykg4135] refused", "] refused"),
        ("password=zisykg4135; retry in 3 s", "; retry in 3 s"),
        ("DB_PASSWORD=zisykg4135 && ./run", " && ./run"),
        ("登录失败（密码：zisykg4135），请重试", "），请重试"),
        ("https://pg/a?token=zisykg4135#top rest", "#top rest"),
        ("{'msg': 'password=zisykg4135 refused', 'host': 'pg'}", " refused', 'host': 'pg'}"),
        ("DB_DSN=shop:zisykg4135@tcp(pg:3306)/shop", "@tcp(pg:3306)/shop"),
        ("dsn: 'ops:zisykg4135@tcp(10.0.0.7:3306)/orders?parseTime=true'", "@tcp(10.0.0.7:3306)/orders"),
        ("secrets: {password: zisykg4135, host: pg}, port: 3", "port: 3"),
        ("cannot connect (host=pg, password=zisykg4135): refused", ": refused"),
        ("export DB_PASSWORD=zisykg4135;export B=2", "export B=2"),
        ("DEBUG=0\nSECRET_KEY=%as(e1r4{zisykg4135\nPATH=/usr/bin", "\nPATH=/usr/bin"),
    ],
)
def test_the_host_and_the_next_pair_stay(before: str, after: str) -> None:
    masked = redact(before)
    assert "zisykg" not in masked
    assert "g4135" not in masked
    assert after in masked
