"""What integrations, hooks, decorators and `progress` say, in the language of the handler that sends it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wecom_logging import WeComHandler, notify_on_exception, progress
from wecom_logging._sandbox import Sandbox
from wecom_logging.integrations.wsgi import WeComMiddleware
from wecom_logging.testing import CapturedAlerts, capture_alerts

from ..programs import run


@pytest.fixture
def told() -> Iterator[CapturedAlerts]:
    handler = WeComHandler(corp_id="ww", agent_id=1, secret="s", users="bob", language="zh")
    logging.getLogger("店").addHandler(handler)
    with capture_alerts() as alerts:
        yield alerts
    logging.getLogger("店").removeHandler(handler)
    handler.close()


class 缺货(Exception):  # a program may be written so
    pass


def fails(*_: Any) -> Any:
    raise 缺货("没有了")


def test_a_decorator(told: CapturedAlerts) -> None:
    with pytest.raises(缺货):
        notify_on_exception(fails)()
    (text,) = told.texts
    assert "🔴 错误 " in text
    assert "fails 抛出缺货: " in text
    assert "raised" not in text


def test_a_request_and_what_is_logged_in_it(told: CapturedAlerts) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        logging.getLogger("店").error("库存不足")
        fails()

    with pytest.raises(缺货):
        WeComMiddleware(app)({"REQUEST_METHOD": "GET", "PATH_INFO": "/pay"}, None)
    logged, failed = told.texts
    assert "│ 方法：GET\n│ 路由：/pay\n" in logged
    assert "GET /pay 失败：" in failed
    assert "│ 状态码：500" in failed


def test_what_nobody_catches(sandbox: Sandbox) -> None:
    code = """
import threading
from wecom_logging import WeComHandler, install_hooks
handler = WeComHandler(language="zh")
install_hooks()
def fails(text):
    raise ValueError(text)
thread = threading.Thread(target=fails, args=["没有了"], name="付款线程")
thread.start()
thread.join()
class Ends:
    def __del__(self):
        fails("关不掉")
Ends()
fails("完了")
"""
    assert run(code, url=sandbox.url).status == 1
    texts = [message["content"] for message in sandbox.messages()]
    assert len(texts) == 3
    for words in ("线程异常退出：", "中的异常被忽略：", "程序异常退出："):
        assert any(words in text for text in texts), words
    assert any("│ 线程：付款线程" in text for text in texts)
    assert any("│ 位置：Ends.__del__" in text for text in texts)


def test_long_work(told: CapturedAlerts) -> None:
    with progress("导入", total=4, start=True) as step:
        step(2, 损失=3, took="3 h")
        logging.getLogger("店").error("库存不足")
        step(2)
    logged, started, done = sorted(told.texts, key=lambda text: ("库存不足" not in text, "已完成" in text))
    assert "导入：已开始" in started
    assert "│ 总步数：4" in started
    assert "│ 导入：2/4（50 %），用时 1 秒" in logged
    assert "🔵 信息 " in done
    assert "导入：已完成，4/4（100 %），用时 1 秒" in done
    assert "│ 损失：3\n│ took: 3 h\n" in done  # the program's own


def test_what_came_again_is_shown_in_chinese_too(told: CapturedAlerts) -> None:
    app = WeComMiddleware(fails)
    for _ in range(3):
        with pytest.raises(缺货):
            app({"REQUEST_METHOD": "GET", "PATH_INFO": "/pay"}, None)
    assert len(told.texts) == 2
    assert "累计 3 次" in told.texts[1]
    assert "GET /pay 失败：" in told.texts[1]
    assert "failed" not in "".join(told.texts)


SHARED = """
import logging, sys, time
from wecom_logging import WeComHandler, notify_on_exception
handler = WeComHandler(window=1)
@notify_on_exception
def pay():
    raise ValueError("no stock")
for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 1):
    try:
        pay()
    except ValueError:  # it was told
        pass
handler.flush(10)
print(*(f"{one.short_id} {one.count}" for one in handler.incidents()))
"""


@pytest.mark.slow
def test_what_is_the_same_does_not_depend_on_the_language(sandbox: Sandbox, tmp_path: Path) -> None:
    state = f"sqlite://{tmp_path}/alerts.db"
    english = run(SHARED, url=sandbox.url, WECOM_STATE=state, WECOM_LANGUAGE="en")
    chinese = run(SHARED, url=sandbox.url, WECOM_STATE=state, WECOM_LANGUAGE="zh")
    (short_id, one), (same_id, two) = english.out.split(), chinese.out.split()
    assert (short_id, one, two) == (same_id, "1", "2")
    first, second = (message["content"] for message in sandbox.messages())
    assert "pay raised ValueError: no stock" in first
    assert "累计 2 次" in second
    assert "pay 抛出 ValueError: no stock" in second  # captured by the other process
