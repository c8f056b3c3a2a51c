"""Real processes on one state: what one leaves untold another tells, and together they tell each failure once."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import requests

from tests.programs import CREDENTIALS, ROOT, run, until
from tests.valkey_server import Server
from wecom_logging import WeComBotHandler, WeComClient
from wecom_logging._sandbox import Sandbox
from wecom_logging._state.sqlite import SqliteStore

from ..storms import Told
from .conftest import SHARED

PATIENT = """
from wecom_logging._state import redis_client, sqlite_file
redis_client.TIMEOUT_S = sqlite_file.BUSY_S = 10.0  # so many processes at once are no fault of the state
"""
LOGS_ONE = """
import logging, os, sys
from wecom_logging import WeComBotHandler
logging.getLogger("shop").addHandler(WeComBotHandler())
{before}
logging.getLogger("shop").error("the disk of {name} is full")
os.write(1, b"logged")
{after}
"""
OPENS = f"""{PATIENT}
from wecom_logging import WeComBotHandler
handler = WeComBotHandler(exit_timeout=20)
"""
DIES_AT_EVENT = """
import sys
left = {events}
def hook(name, arguments):
    global left
    left -= 1
    if left == -1:  # killing is an event, too
        os.kill(os.getpid(), 9)
import threading, time
sys.addaudithook(hook)
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite://{tmp_path}/alerts.db"


@pytest.fixture(params=SHARED)
def any_url(request: pytest.FixtureRequest, url: str) -> Iterator[str]:
    if request.param == "sqlite":
        yield url
        return
    server = Server(save="")
    yield server.url
    server.close()


def messages(sandbox: Sandbox) -> list[str]:
    return [message["content"] for message in requests.get(f"{sandbox.url}/sandbox/messages", timeout=10).json()]


def dies(sandbox: Sandbox, url: str, name: str, *, before: str = "", after: str = "os.kill(os.getpid(), 9)") -> bool:
    """Whether a process that ended by a signal had returned from its log call."""
    code = LOGS_ONE.format(name=name, before=before, after=after)
    ended = run(code, url=sandbox.url, WECOM_STATE=url, WECOM_RATE_LIMIT="off")
    assert ended.status in (-9, -15, 0), ended.err
    return ended.out == "logged"


@pytest.mark.slow
@pytest.mark.case("P13", "P16")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_an_alert_survives_a_kill_in_the_next_instruction(
    sandbox: Sandbox, url: str, tmp_path: Path, number: int
) -> None:
    assert dies(sandbox, url, "atlas", after=f"os.kill(os.getpid(), {int(number)})")
    assert messages(sandbox) == []
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".log")]
    ended = run(OPENS, url=sandbox.url, WECOM_STATE=url)
    assert (ended.status, ended.out) == (0, "")
    assert (
        ended.err
        == "wecom_logging: WeComBotHandler: a process died before it sent 1 alert, which this process sends now\n"
    )
    (text,) = messages(sandbox)
    assert "the disk of atlas is full" in text
    assert "late: a process died before it sent 1 alert" in text
    left = [path.name for path in tmp_path.iterdir() if "own" in path.name]
    assert [name for name in left if not name.endswith(".lock")] == []  # one that nobody holds goes with the next look


NUMBERS = ["60", "60.0", "enum.IntEnum('Some', {'ONE': 60}).ONE"]
GIVEN = """
import decimal, enum, logging, os
from wecom_logging import WeComBotHandler
logger = logging.getLogger("shop")
logger.setLevel(1)
logger.addHandler(WeComBotHandler({options}))
logger.{log}
{end}
"""
LOG = 'error("the disk of atlas is full")'


def left_and_sent(sandbox: Sandbox, url: str, tmp_path: Path, **given: str) -> None:
    """What a process leaves that cannot reach WeCom, the next one sends; nothing is set aside."""
    code = GIVEN.format(**{"options": "", "log": LOG, "end": "os.kill(os.getpid(), 9)", **given})
    sandbox.fail("webhook/send", status=503, times=1000)
    ended = run(code, url=sandbox.url, WECOM_STATE=url)
    requests.delete(f"{sandbox.url}/sandbox/faults", timeout=10)
    assert ended.status == -9, ended.err
    assert messages(sandbox) == []
    ended = run(OPENS, url=sandbox.url, WECOM_STATE=url, WECOM_LANGUAGE="zh")
    assert (ended.status, "cannot be read" in ended.err) == (0, False), ended.err
    (text,) = messages(sandbox)
    assert "the disk of atlas is full" in text
    assert "补发：有进程异常终止，1 条告警未及发出" in text
    assert [path.name for path in tmp_path.iterdir() if "own" in path.name] == []


@pytest.mark.slow
@pytest.mark.parametrize("number", NUMBERS)
def test_an_alert_survives_a_kill_whatever_types_its_numbers_have(
    sandbox: Sandbox, url: str, tmp_path: Path, number: str
) -> None:
    names = ("window", "timeout", "exit_timeout", "max_pending")
    left_and_sent(sandbox, url, tmp_path, options=", ".join(f"{name}={number}" for name in names))


@pytest.mark.slow
@pytest.mark.parametrize(
    "log",
    [
        *(f'log({level}, "the disk of atlas is full")' for level in ("2**31", "10**30", "True", "1")),
        *(
            f"handle(logging.makeLogRecord({{'msg': 'the disk of atlas is full', 'levelno': 40, {more}}}))"
            for more in (
                *("'created': 1", "'created': True", "'created': 1e300", "'created': decimal.Decimal(1)"),
                *("'process': True", "'process': 10**30", "'lineno': 10**30", "'lineno': 1.5", "'levelno': 40.0"),
            )
        ),
    ],
)
def test_an_alert_survives_a_kill_whatever_numbers_its_record_has(
    sandbox: Sandbox, url: str, tmp_path: Path, log: str
) -> None:
    left_and_sent(sandbox, url, tmp_path, log=log)


@pytest.mark.slow
@pytest.mark.parametrize("number", ["60", "60.0"])
def test_a_normal_exit_leaves_to_the_next_process_what_neither_wecom_nor_a_locked_database_took(
    sandbox: Sandbox, url: str, tmp_path: Path, number: str
) -> None:
    SqliteStore(f"{tmp_path}/alerts.db").close()
    with closing(sqlite3.connect(tmp_path / "alerts.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        code = GIVEN.format(options=f"window={number}, exit_timeout=1", log=LOG, end="")
        sandbox.fail("webhook/send", status=503, times=1000)
        ended = run(code, url=sandbox.url, WECOM_STATE=url)
        requests.delete(f"{sandbox.url}/sandbox/faults", timeout=10)
        assert "the next process that opens it sends them" in ended.err
        other.execute("ROLLBACK")
    ended = run(OPENS, url=sandbox.url, WECOM_STATE=url)
    assert (ended.status, "cannot be read" in ended.err) == (0, False), ended.err
    assert sum("the disk of atlas is full" in text for text in messages(sandbox)) == 1


@pytest.mark.slow
def test_who_has_the_file_open_and_has_logged_nothing_sends_what_another_leaves(sandbox: Sandbox, url: str) -> None:
    idle = WeComBotHandler(webhook="sandbox-bot", api_base=sandbox.url, state=url)  # there is no file yet
    try:
        assert dies(sandbox, url, "atlas")
        until(lambda: messages(sandbox), within_s=20)
        assert "the disk of atlas is full" in messages(sandbox)[0]
    finally:
        idle.close()


@pytest.mark.slow
@pytest.mark.case("P16")
@pytest.mark.parametrize("start", range(0, 1000, 100))
def test_killed_at_any_moment_of_a_send_nothing_is_lost(sandbox: Sandbox, url: str, start: int) -> None:
    before = DIES_AT_EVENT.format(events=start)
    logged = dies(sandbox, url, "atlas", before=before, after="import time; time.sleep(2)")
    ended = run(OPENS, url=sandbox.url, WECOM_STATE=url, WECOM_RATE_LIMIT="off")
    assert ended.status == 0
    told = [text for text in messages(sandbox) if "the disk of atlas is full" in text]
    assert logged <= len(told) <= 2
    assert len({re.search(r"#[0-9a-z]{4,}", text)[0] for text in told}) <= 1


@contextmanager
def together(code: str, number: int, **environment: str) -> Iterator[list[subprocess.Popen[str]]]:
    """The same program in several processes at once; argument 1 is the number of each."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WECOM_")}
    settings = {**clean, **CREDENTIALS, "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, "-X", "faulthandler", "-c", code]
    started = [
        subprocess.Popen([*command, str(one)], env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for one in range(number)
    ]
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


IN_AN_ENVIRONMENT = """
import logging, os
from wecom_logging import WeComBotHandler
handler = WeComBotHandler(environment=os.environ["ENVIRONMENT"])
log = logging.getLogger("shop")
log.addHandler(handler)
log.error("the disk is full")
try:
    open("/none")
except OSError:
    log.exception("the report is not written")
assert handler.flush(20)
"""


def test_what_fails_in_production_is_no_repeat_of_what_failed_in_a_test(sandbox: Sandbox, any_url: str) -> None:
    for name in ("test", "prod"):
        ended = run(IN_AN_ENVIRONMENT, url=sandbox.url, WECOM_STATE=any_url, ENVIRONMENT=name)
        assert (ended.status, ended.err) == (0, "")
    told = [re.search(r"test|prod", text)[0] for text in messages(sandbox)]
    assert sorted(told) == ["prod", "prod", "test", "test"]


OF_A_SERVICE = """
import logging, os
from wecom_logging import WeComBotHandler
logging.getLogger("shop").addHandler(WeComBotHandler(service=os.environ["SERVICE"], environment="prod"))
logging.getLogger("shop").error("the payment is refused")
"""


def test_two_services_that_fail_alike_are_two_incidents(sandbox: Sandbox, any_url: str) -> None:
    """Each is told at once, under its own name and id, and counted for itself."""
    for service in ("shop-eu", "shop-cn", "shop-eu"):
        ended = run(OF_A_SERVICE, url=sandbox.url, WECOM_STATE=any_url, SERVICE=service)
        assert (ended.status, ended.err) == (0, "")
    told = messages(sandbox)
    assert [re.findall(r"shop-\w\w \(prod\)", text.partition("\n")[0]) for text in told] == [
        ["shop-eu (prod)"],
        ["shop-cn (prod)"],
    ]
    assert not any("in all" in text for text in told)
    assert len({re.search(r"#\w{4,12}", text)[0] for text in told}) == 2


def told_in_all(texts: list[str]) -> int:
    """The sum over all messages, also those in Markdown, of what each adds: its count, or 1."""
    return sum(Told(0.0, re.sub(r"</?font[^>]*>|\*\*", "", text)).count for text in texts)


CROWD = f"""{PATIENT}
import json, logging, sys, threading
from wecom_logging import WeComHandler
handler = WeComHandler(exit_timeout=20)
log = logging.getLogger("shop")
log.addHandler(handler)

def work(thread):
    for number in range(40):
        log.error("order %d of thread %d cannot be priced", number, thread)
        log.warning("stock %d is low", number)

threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
handler.flush(20)
stats = handler.stats()
print(json.dumps([stats.accepted, stats.delivered + stats.merged + stats.handed_over, stats.pending]))
"""


@pytest.mark.slow
def test_eight_processes_with_eight_threads_each_have_one_token_and_exact_numbers(
    sandbox: Sandbox, any_url: str
) -> None:
    url = any_url
    with together(CROWD, 8, WECOM_STATE=url, WECOM_API_BASE=sandbox.url) as processes:
        outs = [process.communicate(timeout=90) for process in processes]
    assert [json.loads(out) for out, _ in outs] == [[640, 640, 0]] * 8
    run(OPENS.replace("WeComBotHandler", "WeComHandler"), url=sandbox.url, WECOM_STATE=url)
    assert told_in_all(messages(sandbox)) == 8 * 640
    assert [call.path for call in sandbox.calls].count("/cgi-bin/gettoken") == 1


FLEET = f"""{PATIENT}
import logging, socket, sys
socket.gethostname = lambda: f"host-{{sys.argv[1]}}"
from wecom_logging import WeComBotHandler
handler = WeComBotHandler(exit_timeout=20)
log = logging.getLogger("shop")
log.addHandler(handler)
for number in range(5000):
    log.error("order %d cannot be priced", number)
handler.flush(20)
"""


@pytest.mark.slow
def test_one_failure_on_ten_hosts_is_one_alert_with_the_sum(sandbox: Sandbox, any_url: str) -> None:
    url = any_url
    with together(FLEET, 10, WECOM_STATE=url, WECOM_API_BASE=sandbox.url) as processes:
        for process in processes:
            assert process.communicate(timeout=90)[1] == ""
    run(OPENS, url=sandbox.url, WECOM_STATE=url)
    texts = messages(sandbox)
    assert told_in_all(texts) == 50_000
    assert "50000 in all on 10 hosts" in texts[-1]
    firsts = [text for text in texts if "in all" not in text]
    assert len(firsts) == 1


TELL_TWO = f"""{PATIENT}
import logging, os
from wecom_logging import WeComHandler
log = logging.getLogger("shop")
for user in ("dev", "ops"):
    log.addHandler(WeComHandler(users=[user]))
log.error("the disk of atlas is full")
for number in range(3):
    if all(handler.flush(10) for handler in log.handlers):
        break
"""


def test_what_two_handlers_of_one_app_tell_goes_to_the_recipients_of_each(sandbox: Sandbox, any_url: str) -> None:
    client = WeComClient("wwsandbox", contacts_secret="sandbox-contacts-secret", api_base=sandbox.url)
    for number, user in enumerate(("dev", "ops")):
        client.members.create(user_id=user, name=user, mobile=f"1380000000{number}", departments=[1])
    client.close()
    assert run(TELL_TWO, url=sandbox.url, WECOM_STATE=any_url).err == ""
    found = requests.get(f"{sandbox.url}/sandbox/messages", timeout=10).json()
    assert sorted(message["touser"] for message in found) == ["dev", "ops"]
    assert not [message for message in found if "in all" in message["content"]]


def test_what_a_process_leaves_goes_to_its_recipients_whoever_tells_it(sandbox: Sandbox, url: str) -> None:
    dying = """
    import logging, os
    from wecom_logging import WeComHandler
    logging.getLogger("shop").addHandler(WeComHandler(users=["sandbox-user"]))
    logging.getLogger("shop").error("the disk of atlas is full")
    os.kill(os.getpid(), 9)
    """
    assert run(dying, url=sandbox.url, WECOM_STATE=url).status == -9
    opens = "from wecom_logging import WeComHandler; handler = WeComHandler(users=['nobody'], exit_timeout=20)"
    run(opens, url=sandbox.url, WECOM_STATE=url)
    found = requests.get(f"{sandbox.url}/sandbox/messages", timeout=10).json()
    assert [message["touser"] for message in found] == ["sandbox-user"]


COUNTS_TURNS = """
import logging
from wecom_logging import WeComBotHandler
handler = WeComBotHandler(exit_timeout=0)
job, turns = handler._pipeline, 0
turn = job.turn

def counted():
    global turns
    turns += 1
    return turn()

job.turn = counted
logging.getLogger("shop").addHandler(handler)
for number in range({number}):
    logging.getLogger("shop").error(f"disk {{'x' * (number + 1)}} is full")
handler.flush(2)
print(turns)
"""


@pytest.mark.slow
def test_while_wecom_is_away_the_worker_rests(url: str) -> None:
    ended = run(COUNTS_TURNS.format(number=1), url="http://127.0.0.1:9", WECOM_STATE=url)
    assert int(ended.out) < 200, ended.err


@pytest.mark.slow
def test_while_the_limit_is_used_up_the_worker_rests(sandbox: Sandbox, url: str) -> None:
    ended = run(COUNTS_TURNS.format(number=3), url=sandbox.url, WECOM_STATE=url, WECOM_RATE_LIMIT="1/minute")
    assert int(ended.out) < 200, ended.err


REPEATS = """
import logging, sys
from wecom_logging import WeComBotHandler
logging.getLogger("shop").addHandler(WeComBotHandler(exit_timeout=0))
for line in sys.stdin:
    for number in range(int(line)):
        logging.getLogger("shop").error("the disk is full")
    print(flush=True)
"""


def test_repeats_that_wake_nobody_are_in_the_state_soon(sandbox: Sandbox, url: str) -> None:
    state = SqliteStore(url.removeprefix("sqlite://"))
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WECOM_")}
    environment = {**clean, **CREDENTIALS, "PYTHONPATH": str(ROOT), "WECOM_STATE": url, "WECOM_API_BASE": sandbox.url}
    command = [sys.executable, "-c", REPEATS]
    with subprocess.Popen(command, env=environment, stdin=-1, stdout=-1, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        counted = 0
        try:
            for number in (20, 5, 7):  # the first nine wake the worker, which takes samples
                counted += number
                process.stdin.write(f"{number}\n")
                process.stdin.flush()
                process.stdout.readline()
                until(lambda: state.counters().counted == counted)  # noqa: B023 # called at once
        finally:
            process.kill()
    state.close()


@pytest.mark.parametrize(
    "dies", ["{}['price']", "log.critical('nobody can pay')\nsys.exit(1)"], ids=["hook", "critical"]
)
def test_a_program_that_dies_of_the_same_again_and_again_is_one_message(
    sandbox: Sandbox, any_url: str, dies: str
) -> None:
    begins = f"{OPENS}\nimport logging, sys, wecom_logging\nlog = logging.getLogger('shop')\nlog.addHandler(handler)\n"
    for _ in range(4):
        ended = run(f"{begins}wecom_logging.install_hooks()\n{dies}", url=sandbox.url, WECOM_STATE=any_url)
        assert (ended.status, "wecom_logging:" in ended.err) == (1, False), ended.err
    assert len(messages(sandbox)) == 1
    opened = run(
        f"{begins}print(*[(one.count, one.told) for one in handler.incidents()])", WECOM_STATE=any_url, url=sandbox.url
    )
    assert opened.out == "(4, 1)\n"  # it waits there for its time
    assert len(messages(sandbox)) == 1
    run(f"{begins}log.critical('nobody can pay')\nhandler.flush(20)", WECOM_STATE=any_url, url=sandbox.url)
    assert len(messages(sandbox)) == 2


def test_a_digest_that_is_due_is_sent_before_the_program_ends(sandbox: Sandbox, url: str) -> None:
    begins = f"{OPENS}\nimport logging, sys\nfrom wecom_logging.testing import clock\nlog = logging.getLogger('shop')"
    fails = f"{begins}\nlog.addHandler(handler)\nclock.advance({{after}})\nlog.error('no report today')"
    for number, after in enumerate((0, 120)):
        if number:  # a round fails
            sandbox.fail("webhook/send", -1, times=4)
        ended = run(fails.format(after=after), url=sandbox.url, WECOM_STATE=url)
        assert (ended.status, len(messages(sandbox))) == (0, number + 1), ended.err
    assert "× 1, 2 in all" in messages(sandbox)[-1]


def test_repeats_of_what_the_exit_tells_keep_no_program_from_ending(sandbox: Sandbox, any_url: str) -> None:
    logs = "for text in ('no stock', 'no order') * 3:\n    logging.error(text)"
    begins = f"{OPENS}\nimport logging\nlogging.root.addHandler(handler)\n"
    ended = run(begins + logs, WECOM_STATE=any_url, url=sandbox.url)
    assert (ended.status, ended.err, len(messages(sandbox))) == (0, "", 2)


def test_a_count_keeps_no_program_from_ending_where_the_state_is_away(sandbox: Sandbox) -> None:
    server = Server(save="")
    logs = f"""{OPENS}
import logging, redis
logging.root.addHandler(handler)
logging.error("no stock")
handler.flush(20)
logging.error("no stock")
while handler.incidents()[0].count < 2:
    pass
redis.Redis.from_url({server.url!r}).shutdown(nosave=True)
"""
    ended = run(logs, WECOM_STATE=server.url, url=sandbox.url)
    server.close()
    assert (ended.status, "not sent" in ended.err, len(messages(sandbox))) == (0, False, 1), ended.err
