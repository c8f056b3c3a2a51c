"""Above the phones of the page: a phone rings and is answered."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from wecom_logging._sandbox import Sandbox

from ..sandbox.caller import Caller, Clerk, FakeClock
from .conftest import Open
from .test_finding import violations

ME = "sandbox-user"
SIZES: dict[str, Any] = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 390, "height": 844}}
both = pytest.mark.parametrize(
    ("locale", "rings", "refuse", "refused"),
    [
        ("en", "WeCom calls 沙箱用户", "Refuse", "沙箱用户: refused"),
        ("zh-CN", "企业微信来电：沙箱用户", "拒接", "沙箱用户: 拒接"),
    ],
    ids=["en", "zh"],
)


@both
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_a_phone_rings_and_a_hand_answers(
    open_page: Open,
    sandbox: Sandbox,
    wecom: Caller,
    size: dict[str, int],
    locale: str,
    rings: str,
    refuse: str,
    refused: str,
) -> None:
    page = open_page(sandbox.url, viewport=size, locale=locale).page
    app = Clerk(wecom, "sandbox-app-secret")
    (call,) = app.write("pstncc/call", callee_userid=[ME])["states"]
    group = page.get_by_role("group", name=rings)
    expect(group).to_be_visible()
    expect(page.locator("#announcer")).to_have_text(rings)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for button in group.get_by_role("button").all():
        assert button.is_visible()
    group.get_by_role("button", name=refuse, exact=True).click()
    expect(page.locator("#ringing")).to_contain_text(refused)
    expect(group).to_have_count(0)
    state = app.write("pstncc/getstates", callee_userid=ME, callid=call["callid"])
    assert (state["istalked"], state["reason"]) == (0, 7)


def test_each_button_is_what_a_member_can_do(
    open_page: Open, sandbox: Sandbox, wecom: Caller, clock: FakeClock
) -> None:
    page = open_page(sandbox.url).page
    app = Clerk(wecom, "sandbox-app-secret")
    for name, reason in (("Answer", 3), ("Let it ring out", 4), ("Switched off", 8)):
        (call,) = app.write("pstncc/call", callee_userid=[ME])["states"]
        group = page.get_by_role("group", name="WeCom calls")
        group.get_by_role("button", name=name, exact=True).click()
        expect(group).to_have_count(0)
        assert app.write("pstncc/getstates", callee_userid=ME, callid=call["callid"])["reason"] == reason
        clock.now += 600
    with page.expect_response("**/sandbox/faults"):
        page.get_by_label("Phone calls (pstncc)").select_option("no balance (301051)")
    assert app.write("pstncc/call", callee_userid=[ME])["errcode"] == 301051
    expect(page.locator("#calls")).to_contain_text("301051")
