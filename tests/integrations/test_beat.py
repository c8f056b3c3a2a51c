"""Tasks of Celery's beat that did not run: one message where beat seems to have ended, else one for each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import celery
import pytest

from tests.programs import app_handler
from tests.test_expect import Service, soon
from wecom_logging._jobs import declared as declared_here
from wecom_logging._sandbox import Sandbox
from wecom_logging.integrations import celery as ours
from wecom_logging.integrations.celery import expect_beat
from wecom_logging.teams import expect


@pytest.fixture(autouse=True)
def _nothing_declared() -> Iterator[None]:
    yield
    declared_here.declared.clear()
    declared_here.newest.clear()
    ours._expected.clear()


@pytest.mark.parametrize("state", ["memory", "sqlite"])
@pytest.mark.parametrize(
    ("language", "first", "later"),
    [
        ("en", "4 jobs did not run; perhaps beat has ended", "2 jobs did not run; perhaps beat has ended"),
        ("zh", "4 个任务没有运行，可能是 beat 已停止", "2 个任务没有运行，可能是 beat 已停止"),
    ],
)
def test_a_beat_that_has_ended_is_one_message_and_not_one_for_each_task(
    sandbox: Sandbox, tmp_path: Path, state: str, language: str, first: str, later: str
) -> None:
    url = "memory://" if state == "memory" else f"sqlite://{tmp_path}/alerts.db"
    options = {"language": language, "timezone": "Asia/Shanghai", "service": "shop", "rate_limit": None}
    service = Service(app_handler(sandbox.url, state=url, **options), sandbox)
    service.at("2026-11-30T04:00")
    beat_of({"a": 3600.0, "b": 3600.0, "c": 3600.0, "d": 3600.0, "later": 3900.0, "last": 3900.0})
    assert soon(lambda: len(service.jobs.all()[0]) == 6)
    service.until("2026-11-30T05:06")
    service.looks()
    (told,) = service.told(1)
    assert told.split("\n")[0] == f"🔴 {first}"
    assert len(re.findall(r"#\w+", told)) >= 4
    assert [name for name in ("a", "b", "c", "d", "later", "last") if f"shop {name}" in told] == ["a", "b", "c", "d"]
    service.until("2026-11-30T05:30")
    service.looks()
    (told,) = service.told(1)
    assert told.split("\n")[0] == f"🔴 {later}"
    names = ("a", "b", "c", "d", "later", "last")
    for name in names:
        with expect(name):
            pass
    service.until("2026-11-30T05:31")
    service.looks()
    assert all({"en": "ran again", "zh": "已再次运行"}[language] in one for one in service.told(6))
    service.until("2026-11-30T06:36")  # it has ended once more, within a day
    service.looks()
    (told,) = service.told(1)
    assert told.split("\n")[0] == f"🔴 {first}"
    service.handler.close()


def test_tasks_that_did_not_run_while_another_of_their_beat_did_are_told_each(sandbox: Sandbox) -> None:
    service = Service(app_handler(sandbox.url, timezone="Asia/Shanghai", service="shop", rate_limit=None), sandbox)
    service.at("2026-11-30T04:00")
    beat_of({"a": 3600.0, "b": 3600.0, "c": 3600.0})
    assert soon(lambda: len(service.jobs.all()[0]) == 3)
    service.until("2026-11-30T05:01")
    with expect("c"):
        pass
    service.until("2026-11-30T05:08")
    service.looks()
    assert sorted(one.split("\n")[0].split(": job ")[1] for one in service.told(2)) == [
        f"{name} did not run: it was due 11-30 05:00 Asia/Shanghai" for name in ("a", "b")
    ]
    service.handler.close()


def beat_of(seconds: dict[str, float]) -> None:
    """Tasks of Celery's beat, each due so often."""
    app = celery.Celery("shop", set_as_current=False)
    app.conf.beat_schedule = {name: {"task": name, "schedule": each} for name, each in seconds.items()}
    expect_beat(app)
