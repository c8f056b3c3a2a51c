"""Colours of a terminal, as rich, click and compilers put them into texts, are no part of what is told."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from wecom_logging import WeComHandler
from wecom_logging._sandbox import Sandbox

from ..programs import app_handler

RED, OFF = "\x1b[1;31m", "\x1b[0m"


@pytest.fixture
def handler(sandbox: Sandbox) -> Iterator[WeComHandler]:
    handler = app_handler(sandbox.url)
    logger = logging.getLogger("shop")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)
    handler.close()


def told(handler: WeComHandler, sandbox: Sandbox) -> list[str]:
    assert handler.flush(20)
    return [message["content"] for message in sandbox.messages()]


def test_colours_are_in_no_part_of_a_message(handler: WeComHandler, sandbox: Sandbox) -> None:
    try:
        error = ValueError(f"no {RED}price{OFF}")
        error.add_note(f"of the {RED}second{OFF} shelf")
        raise error
    except ValueError:
        extra = {"wecom": {"title": f"{RED}stock{OFF}", "fields": {"shelf": f"\x1b[38;5;208mB{OFF}\x1b[K"}}}
        logging.getLogger("shop").exception("%s: order", f"{RED}late{OFF}", extra=extra)
    (text,) = told(handler, sandbox)
    for said in ("stock", "late: order", "ValueError: no price", "of the second shelf", "shelf: B\n"):
        assert said in f"{text}\n"
    assert "x1b" not in text
    assert "\x1b" not in text


def test_a_secret_with_colours_in_its_name_is_hidden(handler: WeComHandler, sandbox: Sandbox) -> None:
    logging.getLogger("shop").error("login with %s", f"{RED}pass{OFF}word={RED}canary-word-1c2b{OFF}")
    (text,) = told(handler, sandbox)
    assert "canary" not in text


def test_what_acts_on_a_terminal_otherwise_is_shown(handler: WeComHandler, sandbox: Sandbox) -> None:
    logging.getLogger("shop").error("gone\x1b[2J \x1b]0;title\x07")
    (text,) = told(handler, sandbox)
    assert r"gone\x1b[2J \x1b]0;title\x07" in text


def test_a_text_is_the_same_with_and_without_colours(handler: WeComHandler, sandbox: Sandbox) -> None:
    for name in (f"{RED}broken pipe{OFF}", "broken pipe", "\x1b[33mbroken\x1b[m pipe"):
        logging.getLogger("shop").error(name + " of the printer")
    assert handler.flush(20)
    (incident,) = handler.incidents()
    assert (incident.count, incident.text) == (3, "broken pipe of the printer")
