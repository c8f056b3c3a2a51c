"""The night of the demo, seen on the page: who is on call, a phone that rings, the chats of those who are told."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from playwright.sync_api import Page, expect

from wecom_logging._cli.demo_night import Night
from wecom_logging._runtime import clock
from wecom_logging._sandbox import Sandbox

from .conftest import Open
from .test_board import SIZES
from .test_finding import violations

SAYS = {
    "en": ("CRITICAL goes to 张三; after 10 min without a take to 李四", "WeCom calls 李四", "take ", "still open"),
    "zh": ("严重发给张三；10 分钟无人认领则发给李四", "企业微信来电：李四", " 认领", "2 件，尚未结束"),
}
FIRST, NEXT = "张三 · WeCom", "李四 · AI bot"
CHATS = {"en": (FIRST, NEXT), "zh": ("张三 · 企业微信", "李四 · 智能机器人")}


@pytest.mark.slow
@pytest.mark.parametrize("language", SAYS)
@pytest.mark.parametrize("size", SIZES)
def test_a_night_is_seen_on_the_page(open_page: Open, language: str, size: str) -> None:
    plan, calls, take, goes_on = SAYS[language]
    first, bot = CHATS[language]
    with Sandbox(clock=clock.wall) as sandbox:
        variables = {**sandbox.environment, "WECOM_LANGUAGE": language}
        locale = {"en": "en", "zh": "zh-CN"}[language]
        page = open_page(sandbox.url, viewport=SIZES[size], locale=locale).page

        def see_rule() -> None:
            expect(page.locator(".panel").first).to_contain_text(plan)

        def see_ring() -> None:
            expect(page.get_by_role("group", name=calls)).to_be_visible()
            assert violations(page) == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

        events: list[Callable[[], Any]] = [see_rule, see_rule, lambda: None, see_ring, *[lambda: None] * 3]
        with patch.dict(os.environ, variables):
            night = Night(sandbox, str, lambda: events.pop(0)())
            night.run()
        assert events == []
        expect(_phone(page, first)).to_contain_text(goes_on)
        if size == "wide":
            expect(_phone(page, bot)).to_contain_text(take)


def _phone(page: Page, title: str) -> Any:
    return page.locator(".phone:visible").filter(has=page.get_by_role("heading", name=title, exact=True))
