"""Every time that people read is in their zone, which is not this machine's here."""

from __future__ import annotations

import datetime
import json
import logging
import re
import time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from wecom_logging import TextFormatter, WeComBotHandler, WeComHandler
from wecom_logging import _cli as cli
from wecom_logging._answers.desk import Desk
from wecom_logging._answers.reply import card_of
from wecom_logging._cli.run import Runs
from wecom_logging._incidents.known import view
from wecom_logging._render.card import Pressed
from wecom_logging._render.facts import did
from wecom_logging._render.flood import table
from wecom_logging._render.layout import lay_out
from wecom_logging._render.styles import MARKDOWN, TEXT
from wecom_logging._state import shared
from wecom_logging._text.said import Reader
from wecom_logging.model import Answer, Digest, Sample
from wecom_logging.testing import capture_alerts

from .answers.conftest import Office
from .answers.conftest import desk as desk  # a fixture
from .cli.test_pending import leave
from .render.alerts import alert

ZONE = "Pacific/Kiritimati"
"""14 hours before UTC: no machine's."""
AT = datetime.datetime(2026, 11, 28, 23, 4, 5, tzinfo=datetime.UTC).timestamp()
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh"])
DIGEST = Digest(
    alert(time=AT), count=3, total=5, since=AT + 60, last=AT + 120, samples=(Sample(AT + 90, "other"),), short_id="k7f2"
)


def here(at: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(at, ZoneInfo(ZONE))


@LANGUAGES
def test_a_message_of_each_handler(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    record = logging.LogRecord("shop", logging.ERROR, "pay.py", 7, "it broke", None, None)
    record.created = AT
    with capture_alerts() as alerts:
        given: dict[str, Any] = {"timezone": ZONE, "language": language}
        for made in (
            WeComHandler(corp_id="ww", agent_id=1, secret="s", users="bob", **given),
            WeComBotHandler(webhook="key", link="https://logs.example/?at={time}", **given),
        ):
            made.handle(record)
            made.close()
        texts = [text for text in alerts.texts if "it broke" in text]
    assert len(texts) == 2
    assert all("2026-11-29 13:04:05.000 +14:00 #" in text for text in texts)
    assert "at=2026-11-29T13%3A04%3A05.000%2B14%3A00" in "".join(texts)
    monkeypatch.setenv("WECOM_TIMEZONE", ZONE)
    assert "2026-11-29 13:04:05.000 +14:00" in TextFormatter().format(record)


@LANGUAGES
def test_a_digest_an_end_and_a_table(language: str) -> None:
    reader = Reader(language, ZoneInfo(ZONE))
    for look in (TEXT, MARKDOWN):
        for digest in (DIGEST, Digest(alert(time=AT), count=0, total=5, since=AT, last=AT + 60, quiet_s=600.0)):
            text = "\n".join(lay_out(digest, look.within(reader)).lines())
            assert re.search(r"\b13:0[56]\b.*\+14:00", text, re.S)
            assert "23:0" not in text
    assert b"2026-11-29 13:05:05.000 +14:00,2026-11-29 13:06:05.000 +14:00" in table([DIGEST], reader)
    taken = did(Answer("silenced", "Li", "here", AT, 3600.0, 1), str, AT, reader)
    assert re.search(r"13:04.*14:04", taken)


@LANGUAGES
def test_what_is_typed_and_what_is_answered(desk: Office, language: str) -> None:
    desk.log(3)
    desk.go_on()
    desk.desk = Desk(desk.desk._places, language=Reader(language, ZoneInfo(ZONE)), time_s=desk.time_s)
    now = here(desk.time_s())
    reply = desk.type(f"quiet {desk.name} 2h")
    assert all(
        f"{now:%H:%M}" in text and f"{now + datetime.timedelta(hours=2):%H:%M}" in text for text in reply.said[:2]
    )
    assert f"{now + datetime.timedelta(hours=2):%H:%M}" in desk.type("list").text
    details = desk.type(f"details {desk.name}").text
    assert details.count("+14:00") >= 1
    assert f"{now:%H:%M}" in details
    card = card_of(reply.incident, Pressed("quiet", desk.name, 0.0), "1", desk.desk.language, desk.time_s())
    assert f"{now + datetime.timedelta(hours=2):%H:%M}" in card["main_title"]["title"]
    (since,) = [one["value"] for one in card["horizontal_content_list"] if "+14:00" in one["value"]]
    assert since == f"{here(view(reply.incident, desk.time_s()).since):%m-%d %H:%M:%S} +14:00"


@LANGUAGES
def test_the_commands(
    tmp_path: Path, language: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    leave(tmp_path / "alerts.db", "the disk is full", after="os.kill(os.getpid(), 9)")
    for name, value in (("STATE", f"sqlite://{tmp_path}/alerts.db"), ("TIMEZONE", ZONE), ("LANGUAGE", language)):
        monkeypatch.setenv(f"WECOM_{name}", value)

    def call(*arguments: str) -> str:
        try:
            assert cli.main([*arguments]) == 0
        finally:
            shared.close_all()
        return capsys.readouterr().out

    (one,) = json.loads(call("--json", "incidents"))["incidents"]
    assert one["since"].endswith("+14:00")
    since = f"{datetime.datetime.fromisoformat(one['since']):%Y-%m-%d %H:%M:%S}"
    assert since in call("incidents")
    end = here(time.time()) + datetime.timedelta(hours=2)
    said = call("incidents", "quiet", one["id"], f"到{end.hour}:{end:%M}", "--as", "Li")
    assert f"{end:%H:%M}" in said
    assert f"{end:%H:%M}" in call("incidents")
    assert since in call("pending")
    runs = Runs(failures=3, since=AT, worked=AT - 3600)
    reader = Reader(language, ZoneInfo(ZONE))
    assert "11-29 13:04" in runs.times(reader)
    assert runs.facts(Runs(), reader)["last worked"] == "11-29 12:04"
