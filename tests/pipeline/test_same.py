"""Which records are the same, as a program makes them: what is merged, and what never is."""

from __future__ import annotations

import enum
import logging
import os
import pickle
import random
import re
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from logging.handlers import QueueHandler, SocketHandler
from pathlib import Path
from queue import SimpleQueue
from smtplib import SMTPDataError
from typing import Any

import pytest

from wecom_logging import WeComHandler
from wecom_logging._sandbox import Sandbox

from ..programs import app_handler, run
from ..scripted import ScriptedWeCom
from ..storms import record

Program = Callable[[logging.Logger], None]


@pytest.fixture
def handler(sandbox: Sandbox) -> Iterator[WeComHandler]:
    made = app_handler(sandbox.url, rate_limit=None)
    yield made
    made.close()


@pytest.fixture
def log(handler: WeComHandler) -> Iterator[logging.Logger]:
    logger = logging.getLogger("test.same")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    yield logger
    logger.removeHandler(handler)


def ended(handler: WeComHandler) -> tuple[int, int]:
    """How many kinds there were, and how many records were only counted."""
    assert handler.flush(30)
    stats = handler.stats()
    assert (stats.pending, stats.dropped) == (0, {})
    assert stats.accepted == stats.delivered + stats.merged
    return stats.delivered, stats.merged


def through_one_helper(log: logging.Logger) -> None:
    def report(problem: object) -> None:
        log.error("%s", problem)

    for problem in ("disk full", "no connection", "wrong password", "disk full"):
        report(problem)


def through_one_helper_without_a_template(log: logging.Logger) -> None:
    def report(problem: object) -> None:
        log.error(problem)

    for problem in ("disk full", "no connection", ValueError("odd"), "no connection"):
        report(problem)


def through_one_helper_with_a_template_of_signs(log: logging.Logger) -> None:
    def report(where: str, what: str) -> None:
        log.error("%s: %s", where, what)

    for where, what in (("shop", "closed"), ("shop", "empty"), ("stock", "empty"), ("stock", "empty")):
        report(where, what)


def named_placeholder(log: logging.Logger) -> None:
    for problem in ("disk full", "no connection", "wrong password", "disk full"):
        log.error("%(msg)s", {"msg": problem})


def levels_of_one_call(log: logging.Logger) -> None:
    for level in (logging.WARNING, logging.ERROR, logging.CRITICAL, logging.ERROR):
        log.log(level, "it broke")


def own_recipients(log: logging.Logger) -> None:
    for who in ({"users": ["sandbox-user"]}, {"departments": [1]}, {}, {"users": ["sandbox-user"]}):
        log.error("it broke", extra={"wecom": who})


def own_mention(log: logging.Logger) -> None:
    for mention in (["amy"], ["bob"], [], ["bob"]):
        log.error("it broke", extra={"wecom": {"mention": mention}})


def loggers(log: logging.Logger) -> None:
    for name in ("a", "b", "c", "b"):
        log.getChild(name).error("it broke")


def fail(kind: Callable[[str], BaseException], text: str = "it broke") -> None:
    raise kind(text)


def types_of_exceptions(log: logging.Logger) -> None:
    for kind in (ValueError, KeyError, OSError, KeyError):
        try:
            fail(kind)
        except Exception:
            log.exception("it broke")


def ways_to_one_raising_line(log: logging.Logger) -> None:
    def through_a() -> None:
        fail(ValueError)

    def through_b() -> None:
        fail(ValueError)

    def again() -> None:
        through_b()

    for way in (through_a, through_b, again, through_b):
        try:
            way()
        except ValueError:
            log.exception("it broke")


def two_checks_within_one_function(log: logging.Logger) -> None:
    def both(first: bool) -> None:
        if first:
            fail(ValueError, "the first check failed")
        fail(ValueError, "the second check failed")

    for first in (True, False, False):
        try:
            both(first)
        except ValueError:
            log.exception("it broke")
    log.error("and one more")


def caught(kind: Callable[[str], Exception], text: str = "it broke") -> Exception:
    try:
        fail(kind, text)
    except Exception as error:
        return error
    raise AssertionError


def groups_of_different_exceptions(log: logging.Logger) -> None:
    for inside in ([ValueError], [KeyError], [ValueError, KeyError], [KeyError]):
        try:
            raise ExceptionGroup("unhandled errors in a TaskGroup", [caught(kind) for kind in inside])
        except ExceptionGroup:
            log.exception("it broke")


def groups_within_groups(log: logging.Logger) -> None:
    for inside in (ValueError, KeyError, OSError, KeyError):
        try:
            raise ExceptionGroup("outer", [ExceptionGroup("inner", [caught(inside)])])
        except ExceptionGroup:
            log.exception("it broke")


def groups_whose_members_took_other_ways(log: logging.Logger) -> None:
    def directly() -> Exception:
        return caught(ValueError)

    def differently() -> Exception:
        try:
            int("x")
        except ValueError as error:
            return error
        raise AssertionError

    for way in (directly, differently, differently):
        try:
            raise ExceptionGroup("several", [way()])
        except ExceptionGroup:
            log.exception("it broke")
    log.error("and one more")


class Alike(type):
    """Of classes that say that they are all equal, and have no hash."""

    def __eq__(cls, other: object) -> bool:
        return True


def types_with_a_metaclass_of_their_own(log: logging.Logger) -> None:
    kinds = [Alike(name, (Exception,), {}) for name in ("One", "Two", "Three")]
    for kind in (*kinds, kinds[1]):
        try:
            fail(kind)
        except Exception:
            log.exception("it broke")


def words_that_look_like_hex(log: logging.Logger) -> None:
    for word in ("deadbeef", "facade", "effaced", "facade"):
        log.error(f"cannot read {word}")


def tracebacks_that_are_text(log: logging.Logger) -> None:
    for name in ("one", "two", "three", "two"):
        made = log.makeRecord(log.name, logging.ERROR, __file__, 1, "it broke", (), None)
        made.exc_text = f"Traceback (most recent call last):\n  in {name}\nValueError: 17"
        log.handle(made)


def view_of_orders(request: str) -> None:
    int(request)


def view_of_prices(request: str) -> None:
    int(request)


def view_of_goods(request: str) -> None:
    int(request)


def through_a_framework(view: Callable[[str], None], deeper: int = 6) -> None:
    through_a_framework(view, deeper - 1) if deeper else view("no number at all, whoever may have asked " * 10)


def ways_that_a_queue_makes_into_text(log: logging.Logger) -> None:
    queue = QueueHandler(SimpleQueue())
    for number, view in enumerate((view_of_orders, view_of_prices, view_of_goods, view_of_prices)):
        try:
            through_a_framework(view)
        except ValueError as error:
            log.handle(queue.prepare(record(f"request {number} failed", error=error)))


def ways_that_a_socket_makes_into_text(log: logging.Logger) -> None:
    socket = SocketHandler("127.0.0.1", 9)
    for view in (view_of_orders, view_of_prices, view_of_goods, view_of_prices):
        try:
            through_a_framework(view)
        except ValueError as error:
            pickled = socket.makePickle(record("it broke", error=error))
            log.handle(logging.makeLogRecord(pickle.loads(pickled[4:])))


def raised(log: logging.Logger, program: Callable[[Any], object], *values: Any) -> None:
    for value in values:
        try:
            program(value)
        except Exception:
            log.exception("it broke")


def columns_that_own_code_quotes(log: logging.Logger) -> None:
    def price(column: str) -> None:
        raise ValueError(f"no such column: {column!r}")

    raised(log, price, "amount", "user", "price", "user")


def codecs_that_cannot_read(log: logging.Logger) -> None:
    raised(log, b"\xff\xff".decode, "utf-8", "ascii", "gbk", "gbk")


class Reason(enum.Enum):
    AWAY = 1
    SLOW = 2
    FULL = 3


class CallError(Exception):
    def __init__(self, code: object) -> None:
        super().__init__("the call failed")
        self.code = code


def members_of_an_enum_as_codes(log: logging.Logger) -> None:
    def call(reason: Reason) -> None:
        raise CallError(reason)

    raised(log, call, Reason.AWAY, Reason.SLOW, Reason.FULL, Reason.AWAY)


def replies_of_a_mail_server(log: logging.Logger) -> None:
    def send(code: int) -> None:
        raise SMTPDataError(code, b"denied")

    raised(log, send, 421, 550, 554, 550)


DIFFERENT: list[Program] = [
    through_one_helper,
    through_one_helper_without_a_template,
    through_one_helper_with_a_template_of_signs,
    named_placeholder,
    levels_of_one_call,
    own_recipients,
    own_mention,
    loggers,
    types_of_exceptions,
    types_with_a_metaclass_of_their_own,
    ways_to_one_raising_line,
    two_checks_within_one_function,
    groups_of_different_exceptions,
    groups_within_groups,
    groups_whose_members_took_other_ways,
    words_that_look_like_hex,
    tracebacks_that_are_text,
    ways_that_a_queue_makes_into_text,
    ways_that_a_socket_makes_into_text,
    columns_that_own_code_quotes,
    codecs_that_cannot_read,
    members_of_an_enum_as_codes,
    replies_of_a_mail_server,
]


@pytest.mark.parametrize("program", DIFFERENT, ids=lambda program: program.__name__)
def test_different_failures_are_never_merged(handler: WeComHandler, log: logging.Logger, program: Program) -> None:
    """Of four records three are different, and the last is one of them again."""
    program(log)
    same_people = program is own_recipients  # who is named there is whom the handler has, too
    assert ended(handler) == (3 - same_people, 1 + same_people)


def numbers(log: logging.Logger) -> None:
    for number in (17, 4711, 0, 17.5):
        log.error(f"order {number} failed")


def uuids(log: logging.Logger) -> None:
    for _ in range(4):
        log.error(f"request {uuid.uuid4()} failed")


def hexadecimals(log: logging.Logger) -> None:
    for text in ("0x7f3a", "0xDEADBEEF", "12ab34cd", "9f86d081884c7d65"):
        log.error(f"block {text} is broken")


def named_values(log: logging.Logger) -> None:
    for text in ("'amy'", "'bob and amy'", '"zoe"', "''"):
        log.error(f"bad order (input_value={text})")


def arguments_of_a_constant_template(log: logging.Logger) -> None:
    for name in ("amy", "bob", "zoe", "a whole sentence about it"):
        log.error("user %s is unknown", name)


def ids_in_the_text_of_an_exception(log: logging.Logger) -> None:
    for order in (17, 4711, "9f86d081884c7d65", uuid.uuid4()):
        try:
            fail(ValueError, f"no order {order}")
        except ValueError:
            log.exception("it broke")


def ids_through_one_helper(log: logging.Logger) -> None:
    def report(problem: object) -> None:
        log.error("%s", problem)

    for number in range(4):
        report(f"order {number} of {uuid.uuid4()} failed")


def long_texts_that_differ_in_the_middle(log: logging.Logger) -> None:
    for word in ("amy", "bob", "zoe", "joe"):
        log.error("begin " + "x" * 300 + word + "y" * 300 + " end")


def groups_of_the_same_exceptions(log: logging.Logger) -> None:
    for number in range(4):
        try:
            raise ExceptionGroup("several", [caught(ValueError, f"order {number}"), caught(KeyError)])
        except ExceptionGroup:
            log.exception("it broke")


def the_same_recipients_in_another_form(log: logging.Logger) -> None:
    for users in (["sandbox-user"], ("sandbox-user",), "sandbox-user", ["sandbox-user"]):
        log.error("it broke", extra={"wecom": {"users": users}})


def records_of_other_processes(log: logging.Logger) -> None:
    for process in (1, 2, None, os.getpid()):
        made = log.makeRecord(log.name, logging.ERROR, __file__, 1, "order 17 failed", (), None)
        made.process = process
        log.handle(made)


def numbers_that_no_clock_shows(log: logging.Logger) -> None:
    for created in (10**400, 1e300, None, float("nan")):
        made = log.makeRecord(log.name, logging.ERROR, __file__, 1, "a constant", (), None)
        made.__dict__["created"] = created
        log.handle(made)


def instructions_that_become_fast(log: logging.Logger) -> None:
    """CPython replaces them by others once they ran a few times; 3.11 says another place for those."""
    namespace: dict[str, Any] = {}
    exec("def price(text):\n    return float(text)", namespace)
    for number in range(61):
        try:
            namespace["price"]("n/a")
        except ValueError:
            if number % 20 == 0:
                log.exception("no price")


def inputs_that_are_no_numbers(log: logging.Logger) -> None:
    raised(log, int, "abc", "12a", "", "it's")


def inputs_that_the_standard_library_refuses(log: logging.Logger) -> None:
    raised(log, lambda text: datetime.strptime(text, "%Y"), "abc", "x y", "MMXXVI", '"')


def inputs_that_are_no_members(log: logging.Logger) -> None:
    raised(log, Reason, "abc", "x", "away", "slow")


def bytes_that_are_no_text(log: logging.Logger) -> None:
    raised(log, bytes.decode, b"\xff", b"abc\xfe", b"ok\xe4", b"\xe4\xb8")


def characters_that_a_codec_lacks(log: logging.Logger) -> None:
    raised(log, lambda text: text.encode("latin-1"), "\u4e2d", "abc \u65e5\u672c", "\U0001f600", "x\u4e2d")


def keys_with_numbers(log: logging.Logger) -> None:
    raised(log, {}.__getitem__, (1, "cn"), (503, "cn"), (401, "cn"), (17, "cn"))


def causes_that_are_inputs(log: logging.Logger) -> None:
    def price(text: str) -> None:
        try:
            int(text)
        except ValueError as error:
            raise RuntimeError("no price") from error

    raised(log, price, "abc", "12a", "x", "n/a")


def total(tree: object) -> float:
    return sum(total(one) for one in tree) if isinstance(tree, list) else max([1 / one for one in [tree]])


def comprehensions_within_a_recursion(log: logging.Logger) -> None:
    raised(log, total, 0, [0], [[1, 2], [0]], [[[0]]])


THE_SAME: list[Program] = [
    numbers,
    uuids,
    hexadecimals,
    named_values,
    arguments_of_a_constant_template,
    ids_in_the_text_of_an_exception,
    ids_through_one_helper,
    long_texts_that_differ_in_the_middle,
    groups_of_the_same_exceptions,
    the_same_recipients_in_another_form,
    records_of_other_processes,
    numbers_that_no_clock_shows,
    instructions_that_become_fast,
    inputs_that_are_no_numbers,
    inputs_that_the_standard_library_refuses,
    inputs_that_are_no_members,
    bytes_that_are_no_text,
    characters_that_a_codec_lacks,
    keys_with_numbers,
    causes_that_are_inputs,
    comprehensions_within_a_recursion,
]


@pytest.mark.parametrize("program", THE_SAME, ids=lambda program: program.__name__)
def test_one_failure_is_one_alert_whatever_changes_in_it(
    handler: WeComHandler, log: logging.Logger, program: Program
) -> None:
    """Four records of one failure."""
    program(log)
    assert ended(handler) == (1, 3)


@pytest.mark.slow
@pytest.mark.parametrize("program", [*DIFFERENT, *THE_SAME], ids=lambda program: program.__name__)
def test_what_one_process_separates_all_who_share_a_state_do(
    sandbox: Sandbox, tmp_path: Path, program: Program
) -> None:
    """By the group key alone: what two handlers have told, each for itself, is one in the state."""
    logger = logging.getLogger("test.same")
    logger.propagate = False
    told = [app_handler(sandbox.url, rate_limit=None, state=f"sqlite:///{tmp_path}/alerts.db") for _ in range(2)]
    try:
        for handler in told:
            logger.addHandler(handler)
            program(logger)
            logger.removeHandler(handler)
            assert handler.flush(30)
        found = told[0].incidents()
        same_people = program is own_recipients  # who is named there is whom the handler has, too
        assert len(found) == (3 - same_people if program in DIFFERENT else 1)
        assert sum(one.count for one in found) == 8
    finally:
        for handler in told:
            handler.close()


def test_a_record_in_between_does_not_end_a_group(handler: WeComHandler, log: logging.Logger) -> None:
    for number in range(10):
        log.error("a constant %d", number)
        log.error(f"order {number} failed")
        log.warning("%s", "something else entirely")
    assert ended(handler) == (3, 27)


def test_the_first_is_told_with_its_own_text_and_the_digest_shows_samples(
    handler: WeComHandler, log: logging.Logger, sandbox: Sandbox
) -> None:
    for name in ("amy", "bob", "zoe"):
        log.error("user %s is unknown", name)
    assert ended(handler) == (1, 2)
    told = "\n".join(message["content"] for message in sandbox.messages())
    assert [name in told for name in ("amy", "bob", "zoe")] == [True] * 3


def test_a_unit_behind_a_placeholder_is_no_word_that_routes_have_in_common(
    handler: WeComHandler, log: logging.Logger
) -> None:
    for route, took in (("/orders", 4.83), ("/orders", 0.1), ("/stock", 4.83)):
        log.error("%d %s %.2fms", 500, f"GET {route}", took)
    assert ended(handler) == (2, 1)


TEMPLATES: list[tuple[str, tuple[object, ...]]] = [
    ("order %d failed", (17,)),
    ("order %d failed", (4711,)),
    ("no connection", ()),
    ("wrong password of %s", ("amy",)),
    ("wrong password of %s", ("bob",)),
    ("%s", ("disk full",)),
    ("%s", ("no disk",)),
    ("%s: %s", ("disk", "full")),
]
EXTRAS: list[dict[str, Any]] = [
    {},
    {},
    {},
    {"wecom": {"users": ["sandbox-user"]}},
    {"wecom": {"mention": ["amy"]}},
    {"wecom": {"fingerprint": "mine"}},
    {"wecom": {"title": "Payments"}},
    {"exc_text": "Traceback (most recent call last):\nValueError: 17"},
]


@pytest.mark.slow
def test_the_shortcut_for_repeats_counts_as_the_long_way_does() -> None:
    """Past it go the records of a handler with a filter, and those that somebody gives to `emit`."""
    choose = random.Random(4711)
    kinds: set[object] = set()
    with ScriptedWeCom() as wecom:
        short, filtered, long = (app_handler(wecom.url, rate_limit=None, max_pending=100_000) for _ in range(3))
        filtered.addFilter(lambda record: True)
        for _ in range(4000):
            (message, arguments), more = choose.choice(TEMPLATES), choose.choice(EXTRAS)
            level, line = choose.choice([logging.WARNING, logging.ERROR]), choose.randrange(2)
            failure = choose.choice([None, None, ValueError, KeyError])
            for take in (short.handle, filtered.handle, long.emit):
                error = None if failure is None else caught(failure)
                take(record(message, *arguments, level=level, line=line, error=error, **more))
            own = more.get("wecom", {})
            text = message if re.search("[a-z]{2}", message) else (message, arguments)
            call_site = (line, text, failure, more.get("exc_text") if failure is None else None)
            kinds.add((level, own.get("fingerprint", call_site), str(own.get("mention"))))  # all for the same people
        ends = [ended(handler) for handler in (short, filtered, long)]
        for handler in (short, filtered, long):
            handler.close()
    assert ends[0] == ends[1] == ends[2]
    assert ends[0] == (len(kinds), 4000 - len(kinds))


def test_an_interpreter_with_another_hash_seed_gives_the_same_short_ids(sandbox: Sandbox) -> None:
    code = """
    import logging
    from wecom_logging import WeComHandler
    handler = WeComHandler()
    log = logging.getLogger("shop")
    log.addHandler(handler)
    try:
        raise ValueError("order 7 has no price")
    except ValueError:
        log.exception("job %s failed", "export", extra={"wecom": {"users": ["sandbox-user"]}})
    log.error("disk full")
    assert handler.flush(20)
    print(sorted(one.short_id for one in handler.incidents()))
    """
    one, two = (run(code, url=sandbox.url, PYTHONHASHSEED=seed) for seed in ("1", "2"))
    assert one.out == two.out
    assert len(one.out.split()) == 2
