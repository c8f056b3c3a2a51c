"""A handler that stood on a logger and stands on none any more: said once, and not where it is meant to be so."""

from __future__ import annotations

import pytest

from tests.programs import run
from wecom_logging._sandbox import Sandbox

START = """
import logging, logging.config, logging.handlers, os, queue, sys, unittest
from wecom_logging import WeComBotHandler
from wecom_logging._runtime import standing
root = logging.getLogger()
WITHOUT = {"version": 1, "disable_existing_loggers": False, "root": {"handlers": []}}
HANDLER = {"class": "wecom_logging.WeComBotHandler"}
def config(**options):
    handlers = {"wecom": {**HANDLER, **options}}
    logging.config.dictConfig({**WITHOUT, "handlers": handlers, "root": {"handlers": ["wecom"]}})
def time_passes():
    standing.standing.tell()
    standing.GRACE_S = 0
    standing.standing.tell(taken_s=0, others_s=0)
"""
SAYS = (
    "wecom_logging: WeComBotHandler stood on a logger and stands on none any more; what is logged does not reach it. "
)
CODE = "A later logging config, or code that empties a logger's handlers, has taken it away: create it after that\n"

TAKEN = {
    "a later dictConfig": ("config(); logging.config.dictConfig(WITHOUT)", CODE),
    "basicConfig(force=True)": ("config(); logging.basicConfig(force=True)", CODE),
    "removeHandler, after it has sent something": (
        "config(); root.error('x'); root.handlers[0].flush(10); root.handlers.clear(); time_passes()",
        CODE,
    ),
    "the last reference to it": (
        "root.addHandler(WeComBotHandler()); standing.standing.look(); root.handlers.clear(); time_passes()",
        CODE,
    ),
    "two configs without it": ("config(); [logging.config.dictConfig(WITHOUT) for _ in range(2)]; time_passes()", CODE),
    "Litestar": (
        "config(); from litestar import Litestar; Litestar([])",
        "Litestar(…) configures logging anew: create the handler after it, or pass logging_config=None to it\n",
    ),
    "Prefect, as it configures logging where nothing else has": (
        "config(); sys.modules['prefect'] = sys; logging.config.dictConfig(WITHOUT)",
        "Prefect configures logging anew when it is imported: create the handler after that\n",
    ),
}


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        pytest.param(*row, id=name, marks=pytest.mark.others if name == "Litestar" else ())
        for name, row in TAKEN.items()
    ],
)
def test_who_was_taken_away_says_so_once_with_the_remedy(sandbox: Sandbox, code: str, remedy: str) -> None:
    ended = run(START + code, url=sandbox.url, WECOM_LANGUAGE="en")
    assert (ended.status, ended.err) == (0, SAYS + remedy)


def test_it_is_said_soon_after_the_config_and_in_the_reader_s_language(sandbox: Sandbox) -> None:
    code = """
import io, time
sys.stderr = said = io.StringIO()
standing.GRACE_S = 0.01
config()
logging.config.dictConfig(WITHOUT)
while not said.getvalue().endswith("\\n"):
    time.sleep(0.01)
print(said.getvalue())
"""
    ended = run(START + code, url=sandbox.url, WECOM_LANGUAGE="zh")
    assert ended.out == (
        "wecom_logging: WeComBotHandler 原来挂在 logger 上，现在不在任何 logger 上，收不到日志。"
        "它被后来的 logging 配置，或清空 logger 的 handler 的代码移除了：请在那之后创建 handler\n\n"
    )


MEANT = {
    "used directly": "handler = WeComBotHandler(); logging.config.dictConfig(WITHOUT)",
    "the same config again": "config(); config()",
    "a later config with another": "config(); config(service='shop')",
    "a server's config": (
        "config(); logging.config.dictConfig({'version': 1, 'disable_existing_loggers': False,"
        "'loggers': {'uvicorn': {'level': 'INFO'}}})"
    ),
    "closed": "config(); handler = root.handlers[0]; root.removeHandler(handler); handler.close()",
    "put on another logger": (
        "config(); standing.standing.look(); handler = root.handlers.pop(); standing.standing.tell();"
        "logging.getLogger('shop').addHandler(handler)"
    ),
    "put behind a queue": (
        "config(); standing.standing.look(); handler = root.handlers.pop(); waiting = queue.Queue();"
        "root.addHandler(logging.handlers.QueueHandler(waiting));"
        "listener = logging.handlers.QueueListener(waiting, handler); listener.start()"
    ),
    "behind a MemoryHandler": (
        "config(); standing.standing.look(); handler = root.handlers.pop();"
        "root.addHandler(logging.handlers.MemoryHandler(9, target=handler))"
    ),
    "the fallback of another": (
        "config(); standing.standing.look(); handler = root.handlers.pop();"
        "root.addHandler(WeComBotHandler(fallback=handler, service='shop'))"
    ),
    "a fallback by its name": (
        "logging.config.dictConfig({**WITHOUT, 'handlers': {'backup': HANDLER, 'wecom': {**HANDLER, 'fallback':"
        "'backup', 'service': 'shop'}}, 'root': {'handlers': ['wecom']}})"
    ),
    "switched off": "config(enabled=False); logging.config.dictConfig(WITHOUT)",
    "swapped for a test": (
        "config(); standing.standing.look(); case = unittest.TestCase()\n"
        "with case.assertLogs() as caught: root.error('x'); standing.standing.tell()"
    ),
    "in a child that is forked later": (
        "config(); standing.standing.look(); handler = root.handlers.pop(); pid = os.fork()\n"
        "if pid: os.waitpid(pid, 0); root.addHandler(handler)"
    ),
}


@pytest.mark.parametrize("code", MEANT.values(), ids=MEANT)
def test_who_is_meant_to_stand_on_none_says_nothing(sandbox: Sandbox, code: str) -> None:
    ended = run(f"{START}{code}\ntime_passes()\nif 'listener' in globals(): listener.stop()", url=sandbox.url)
    assert (ended.status, ended.err) == (0, "")


def test_what_the_program_takes_away_as_it_ends_is_not_missed(sandbox: Sandbox) -> None:
    code = "config(); root.error('x'); handler = root.handlers[0]; handler.flush(10); root.removeHandler(handler)"
    assert run(START + code, url=sandbox.url).err == ""
