"""Above the phones of the page: a phone rings and is answered, texts stand there, heartbeats go red."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from wecom_logging._sandbox import Sandbox

from ..sandbox.caller import Caller, Clerk, FakeClock
from .conftest import Open
from .test_finding import violations

ME = "sandbox-user"
SIZES: dict[str, Any] = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 390, "height": 844}}
both = pytest.mark.parametrize(
    ("locale", "rings", "refuse", "refused", "late"),
    [
        ("en", "WeCom calls 沙箱用户", "Refuse", "沙箱用户: refused", "late: 1 heartbeat"),
        ("zh-CN", "企业微信来电：沙箱用户", "拒接", "沙箱用户: 拒接", "心跳中断：共 1 次"),
    ],
    ids=["en", "zh"],
)


def board(page: Page) -> Any:
    return page.locator("#board")


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
    late: str,
) -> None:
    page = open_page(sandbox.url, viewport=size, locale=locale).page
    app = Clerk(wecom, "sandbox-app-secret")
    sandbox.show("值班 on call", "张三 → 李四\n<b>not bold</b>")
    wecom.get("/sandbox/ping/watch", grace_s=60)
    (call,) = app.write("pstncc/call", callee_userid=[ME])["states"]
    group = page.get_by_role("group", name=rings)
    expect(group).to_be_visible()
    expect(page.locator("#announcer")).to_have_text(rings)
    expect(board(page)).to_contain_text("<b>not bold</b>")
    expect(page.locator("#heartbeats li")).to_have_class("good")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for button in group.get_by_role("button").all():
        assert button.is_visible()
    group.get_by_role("button", name=refuse, exact=True).click()
    expect(board(page)).to_contain_text(refused)
    expect(group).to_have_count(0)
    state = app.write("pstncc/getstates", callee_userid=ME, callid=call["callid"])
    assert (state["istalked"], state["reason"]) == (0, 7)
    sandbox.clock.advance(61)
    expect(page.locator("#heartbeats li.bad")).to_contain_text(late)
    sandbox.show("值班 on call", "")
    expect(page.locator(".panel")).to_have_count(0)


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


def test_a_panel_cannot_act(open_page: Open, sandbox: Sandbox) -> None:
    page = open_page(sandbox.url).page
    sandbox.show("<img src=x onerror=alert(1)>\u202etitle", "<script>alert(1)</script>\u202egpj.exe " + "x" * 3900)
    expect(page.locator(".panel h3")).to_have_text("<img src=x onerror=alert(1)>title")
    expect(page.locator(".panel pre")).to_contain_text("<script>alert(1)</script>gpj.exe")
    assert page.locator(".panel img, .panel script").count() == 0
    assert page.locator(".panel").bounding_box()["height"] < 300  # type: ignore[index]
