"""Every text of an alert goes through the mask."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wecom_logging._render.layout import lay_out
from wecom_logging._render.mask import masked
from wecom_logging._render.redact import MASK, redact
from wecom_logging._render.styles import MARKDOWN, TEXT
from wecom_logging.model import Alert, Digest, Failure, Frame

from ..render.alerts import alert

CANARY = "Zk9vQ2canaryX7w"
SECRET = f"password={CANARY}"


def full(text: str) -> Alert:
    frame = Frame(f"/srv/{text}/pay.py", 1, "charge", code=f"connect('{text}')")
    member = Failure("E", text, (frame,), notes=(text,))
    return alert(
        message=text,
        template=text,
        level_name=text,
        logger=text,
        module=text,
        title=text,
        fields=((text, "x"), ("x", text)),
        stack=text,
        failures=(replace(member, members=((member,),)),),
        formatted=text,
        thread_name=text,
        process_name=text,
        place=frame,
    )


@pytest.mark.case("C17")
def test_no_text_of_an_alert_is_forgotten() -> None:
    found = masked(full(SECRET), redact)
    assert CANARY not in repr(found)
    for formatted in (found.formatted, None):
        for style in (TEXT, MARKDOWN):
            assert CANARY not in "\n".join(lay_out(Digest(replace(found, formatted=formatted)), style).lines())


@pytest.mark.case("C17")
@pytest.mark.parametrize("name", ["password", "db_password", "token", "Authorization", "api_key", "密码"])
@pytest.mark.parametrize("value", [CANARY, f"Secret('{CANARY}', x)", f"two words {CANARY}", f"{{'a': '{CANARY}'}}", ""])
def test_a_field_whose_name_says_secret_shows_nothing_of_its_value(name: str, value: str) -> None:
    assert masked(alert(fields=((name, value),)), redact).fields == ((name, MASK),)


def test_a_secret_in_the_name_of_a_field_is_masked() -> None:
    assert masked(alert(fields=((f"pwd={CANARY}&x=1", "x"),)), redact).fields == (("pwd=***&x=1", "x"),)


def test_other_fields_stay_as_they_are() -> None:
    fields = (("order", "42"), ("tokens", "512"), ("a=b", "c"), ("url", "https://x/?a=1"))
    assert masked(alert(fields=fields), redact).fields == fields


def test_a_mask_that_hides_everything_hides_the_fields_too() -> None:
    found = masked(alert(fields=((CANARY, CANARY),), message=CANARY), lambda text: "(hidden)")
    assert CANARY not in repr(found)


def test_a_redact_that_changes_names_alone_hides_no_value() -> None:
    changed = masked(alert(fields=(("amount", "88.00"),)), lambda text: text.replace("amount", "sum"))
    assert changed.fields[0][1] == "88.00"
