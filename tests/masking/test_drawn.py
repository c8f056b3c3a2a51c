"""Of a password that a generator drew nothing stays to be read, whoever wrote it down without quotes."""

from __future__ import annotations

import linecache
import logging
from collections.abc import Callable

import pytest

from wecom_logging import WeComBotHandler
from wecom_logging.redaction import redact
from wecom_logging.testing import capture_alerts

from .drawn import FORMS, KEPT_FORMS, KINDS, MORE_FORMS, SIX, is_half, longest_shown, text_of, values

NUMBER = {"password": 2000, "django": 2000, "other": 1000}
SEEDS = ("open", "kept back")
each_seed = pytest.mark.parametrize("seed", ["open", pytest.param("kept back", marks=pytest.mark.slow)])
MOST_OF_SIX = 0.01


def _shown(form: str, kind: str, seed: str) -> tuple[list[str], list[str]]:
    """The texts that show half of a value, and those that show six signs of it."""
    half, six = [], []
    for turn, value in enumerate(values(kind, NUMBER[kind] // len(SEEDS), seed)):
        text = text_of(form, value, turn)
        masked = redact(text)
        if longest_shown(value, masked) >= SIX:
            (half if is_half(value, masked) else six).append(f"{text}\n-> {masked}")
    return half, half + six


@each_seed
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", [form for form in (*FORMS, *MORE_FORMS, *KEPT_FORMS) if form != "PWD=x; as it is"])
def test_no_drawn_value_is_shown_by_half(form: str, kind: str, seed: str) -> None:
    half, six = _shown(form, kind, seed)
    assert not half, f"{len(half)} shown, such as\n" + "\n".join(half[:3])
    assert len(six) <= MOST_OF_SIX * NUMBER[kind] / len(SEEDS), f"{len(six)} shown, such as\n" + "\n".join(six[:3])


@each_seed
@pytest.mark.parametrize("kind", KINDS)
def test_a_value_that_nobody_escaped_may_read_like_the_next_pair(kind: str, seed: str) -> None:
    half, _ = _shown("PWD=x; as it is", kind, seed)
    assert len(half) <= MOST_OF_SIX * NUMBER[kind] / len(SEEDS), f"{len(half)} shown, such as\n" + "\n".join(half[:3])


def _apart(number: int) -> dict[str, object]:
    return {"wecom": {"fingerprint": str(number)}}


def _as_text(logger: logging.Logger, text: str, number: int) -> None:
    logger.error(text, extra=_apart(number))


def _as_argument(logger: logging.Logger, text: str, number: int) -> None:
    logger.error("seen: %r" if number % 2 else "seen: %s", text, extra=_apart(number))


def _as_exception(logger: logging.Logger, text: str, number: int) -> None:
    try:
        raise RuntimeError(text) from (KeyError(text) if number % 2 else None)
    except RuntimeError:
        logger.exception("failed", extra=_apart(number))


def _in_a_frame(logger: logging.Logger, text: str, number: int) -> None:
    """The source line of a frame names it."""
    file, source = f"/srv/shop/job_{number}.py", f"def run():\n    raise ValueError  # {text!r}\nrun()\n"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    try:
        exec(compile(source, file, "exec"), {})
    except ValueError:
        logger.exception("failed", extra=_apart(number))


WAYS: dict[str, Callable[[logging.Logger, str, int], None]] = {
    "text": _as_text,
    "argument": _as_argument,
    "exception": _as_exception,
    "frame": _in_a_frame,
}


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("way", WAYS)
def test_no_message_shows_a_drawn_value(way: str, form: str) -> None:
    kept = [value for kind in KINDS for value in values(kind, 40, way)]
    handler, logger = WeComBotHandler(webhook="key", rate_limit=None, overflow="split"), logging.Logger("shop")
    logger.addHandler(handler)
    half, six, told = [], 0, 0
    with capture_alerts(timeout=60) as alerts:
        for number, value in enumerate(kept):
            WAYS[way](logger, text_of(form, value, number // 2), number)
            seen = "\n".join(alerts.texts)
            told += "∗∗∗" in seen
            half += [f"{text_of(form, value, number // 2)}\n-> {seen}"] if is_half(value, seen) else []
            six += longest_shown(value, seen) >= SIX
            alerts.clear()
    handler.close()
    assert told > 0.9 * len(kept)
    assert not half, f"{len(half)} shown, such as\n" + "\n".join(half[:2])
    assert six <= MOST_OF_SIX * len(kept)
