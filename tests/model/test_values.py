"""The values that travel: a secret never shows itself, a message is never empty."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle

import pytest

from wecom_logging import WeComBotHandler
from wecom_logging.errors import MessageError
from wecom_logging.model import (
    Alert,
    Article,
    File,
    Image,
    Markdown,
    MarkdownV2,
    News,
    Outcome,
    Recipients,
    Secret,
    Stats,
    TemplateCard,
    Text,
    TextCard,
)

from ..render.alerts import PLAIN

CANARY = "Zk9vQ2canaryX7w"


@pytest.mark.case("C23")
def test_a_secret_shows_itself_nowhere_but_where_it_is_revealed() -> None:
    secret = Secret(CANARY)
    shown = [
        repr(secret),
        str(secret),
        f"{secret} {secret!r} {secret!s} {secret:>20}",
        "%s %r" % (secret, secret),  # noqa: UP031 # the old way of formatting is one of the ways
        format(secret, "*^9"),
        repr({"a": [secret]}),
        json.dumps({"secret": secret}, default=str),
        repr(pickle.dumps(secret)),
        repr(pickle.loads(pickle.dumps(secret)).reveal()),
        repr(copy.copy(secret).reveal()),
        repr(copy.deepcopy({"secret": secret})["secret"].reveal()),
        repr(dir(secret)),
        repr(logging.makeLogRecord({"secret": secret}).__dict__),
    ]
    assert CANARY not in "".join(shown)
    assert all("***" in text for text in shown[:8])
    assert secret.reveal() == CANARY
    with pytest.raises(TypeError):
        json.dumps(secret)
    with pytest.raises(TypeError):
        vars(secret)


def test_secrets_are_compared_by_value() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2


@pytest.mark.parametrize(
    "make",
    [
        lambda: Text(""),
        lambda: Text(" \n"),
        lambda: Text(3),  # the wrong type is the point
        lambda: Markdown(""),
        lambda: MarkdownV2(" "),
        lambda: TextCard("", "d", "u"),
        lambda: TextCard("t", "", "u"),
        lambda: TextCard("t", "d", ""),
        lambda: Article("", "u"),
        lambda: News(()),
        lambda: News((Article("t", "u"),) * 9),
        lambda: Image(),
        lambda: Image(media_id="m", data=b"x"),
        lambda: File(""),
        lambda: TemplateCard({}),
        lambda: TemplateCard("text_notice"),  # the wrong type is the point
    ],
)
def test_an_empty_or_half_made_message_is_refused(make: object) -> None:
    with pytest.raises(MessageError):
        make()  # each of the cases raises


@pytest.mark.parametrize("value", [PLAIN, Stats(), Outcome("delivered"), Recipients(("a",)), Text("x"), Secret("x")])
def test_values_cannot_be_changed(value: object) -> None:
    with pytest.raises((dataclasses.FrozenInstanceError, AttributeError, TypeError)):
        # None of them can be set, which mypy knows too.
        value.message = value.accepted = value.reason = value.users = value.content = value.other = "x"


def test_an_alert_survives_a_pickle() -> None:
    assert pickle.loads(pickle.dumps(PLAIN)) == PLAIN
    assert isinstance(PLAIN, Alert)


def test_the_books_of_a_process_can_be_sent_to_another_and_written_down() -> None:
    handler = WeComBotHandler(enabled=False)
    handler.handle(logging.makeLogRecord({"msg": "x"}))
    stats = handler.stats()
    assert pickle.loads(pickle.dumps(stats)) == copy.deepcopy(stats) == stats
    assert json.loads(json.dumps(dataclasses.asdict(stats)))["dropped"] == {"disabled": 1}


def test_recipients_know_whether_everybody_is_named() -> None:
    assert not Recipients()
    assert Recipients(("a", "b")).only_members
    for others in (Recipients(("@all",)), Recipients(("a",), ("1",)), Recipients(tags=("1",))):
        assert others
        assert not others.only_members


@pytest.mark.parametrize(
    ("reason", "delivered"), [("delivered", True), ("partial", True), ("kept", False), ("rejected", False)]
)
def test_an_outcome_says_whether_wecom_took_it(reason: str, delivered: bool) -> None:
    assert Outcome(reason).delivered is delivered


@pytest.mark.parametrize("name", ["mentioned", "mentioned_mobiles"])
def test_mentions_are_a_tuple_of_ids_and_not_one_text(name: str) -> None:
    for wrong in ("zhangsan", (1,)):
        with pytest.raises(MessageError, match=f"text.{name}"):
            Text("x", **{name: wrong})  # that is the point
