"""Finding a message on the sandbox's page: search, filter, a download, and staying where one reads."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from playwright.sync_api import Page, expect

from wecom_logging._sandbox import Sandbox

from ..programs import until
from ..sandbox import conftest
from ..sandbox.caller import Caller, FakeClock
from .conftest import Open

clock, sandbox = conftest.clock, conftest.sandbox  # a sandbox whose time stands still

MEMBER, WECHAT, GROUP = "沙箱用户 · WeCom", "沙箱用户 · WeChat", "Group of bot 1 · WeCom"


def phone(page: Page, title: str) -> Any:
    return page.get_by_role("region", name=title, exact=True)


def items(page: Page, title: str) -> Any:
    return phone(page, title).get_by_role("listitem")


@pytest.fixture
def filled(wecom: Caller, clock: FakeClock) -> Caller:
    for number in range(30):
        clock.now += 5
        wecom.push("markdown", f"{'🔴' if number % 3 else '🚨'} **shop.prices** Order {number}")
        wecom.send(part=f"🟠 shop.stock order {number}")
    return wecom


def in_order(page: Page, title: str) -> bool:
    numbers = items(page, title).evaluate_all("all => all.map(found => Number(found.dataset.number))")
    return numbers == sorted(numbers) and len(numbers) == len(set(numbers))


def test_text_is_searched_and_the_filter_stands_in_the_address(
    open_page: Open, sandbox: Sandbox, filled: Caller
) -> None:
    page = open_page(sandbox.url).page
    expect(items(page, GROUP)).to_have_count(30)
    page.get_by_role("searchbox").fill("ORDER 12")
    expect(items(page, GROUP)).to_have_count(1)
    expect(items(page, MEMBER)).to_have_count(1)
    expect(page.locator("#found")).to_have_text("2 found")
    assert dict(parse_qsl(urlsplit(page.url).query)) == {"contains": "ORDER 12"}
    assert page.evaluate("[...CSS.highlights.get('found')].length") == 3  # WeChat shows the member's, too
    filled.push(part="order 12 once more")
    expect(items(page, GROUP)).to_have_count(2)
    filled.push(part="something else")
    page.get_by_role("button", name="Filter", exact=True).click()
    page.get_by_label("Channel").select_option("bot")
    expect(phone(page, MEMBER)).to_contain_text("No message fits the filter.")
    page.get_by_label("Level").select_option("error")
    expect(items(page, GROUP)).to_have_count(0)
    page.get_by_label("Level").select_option("critical")
    expect(items(page, GROUP)).to_have_count(1)
    address = page.url
    page.get_by_role("button", name="Reset filter").click()
    expect(items(page, GROUP)).to_have_count(32)
    assert page.url == sandbox.url + "/"
    again = open_page(address).page
    expect(items(again, GROUP)).to_have_count(1)
    expect(again.get_by_label("Level")).to_have_value("critical")
    expect(again.get_by_label("Channel")).to_have_value("bot")
    query = urlsplit(address).query
    listed = requests.get(f"{sandbox.url}/sandbox/messages?{query}", timeout=10).json()
    assert [message["content"] for message in listed] == ["🚨 **shop.prices** Order 12"]


def test_what_a_message_must_not_contain(open_page: Open, sandbox: Sandbox, wecom: Caller) -> None:
    wecom.push(part="disk full")
    wecom.push(part="disk full, once more")
    page = open_page(f"{sandbox.url}/?not_contains=MORE").page
    expect(items(page, GROUP)).to_have_count(1)
    without = page.get_by_role("textbox", name="Without")
    expect(without).to_have_value("MORE")
    without.fill("disk")
    without.press("Enter")
    expect(items(page, GROUP)).to_have_count(0)
    page.get_by_role("button", name="Reset filter").click()
    expect(items(page, GROUP)).to_have_count(2)


def test_receiver_type_and_time(open_page: Open, sandbox: Sandbox, filled: Caller, clock: FakeClock) -> None:
    sandbox.add_member("lisi", name="李四")
    filled.send("textcard", {"title": "a card", "description": "d", "url": "https://x.test/"}, touser="lisi")
    page = open_page(sandbox.url, timezone_id="Asia/Shanghai").page
    page.get_by_role("button", name="Filter", exact=True).click()
    page.get_by_role("combobox", name="Receiver").select_option(label="李四")
    expect(items(page, "李四 · WeCom")).to_have_count(1)
    expect(page.locator(".phone:visible")).to_have_count(2)
    page.get_by_role("combobox", name="Receiver").select_option(label="Group of bot 1")
    expect(items(page, GROUP)).to_have_count(30)
    assert "g%3A1" in page.url  # the page does not know the bot's key
    page.get_by_role("button", name="Reset filter").click()
    page.get_by_label("Type").select_option("textcard")
    expect(page.locator("#found")).to_have_text("1 found")
    page.get_by_label("Type").select_option("")
    page.get_by_role("textbox", name="From").fill("2023-11-15T06:15:35")  # 1 700 000 135 is then in Shanghai
    expect(items(page, GROUP)).to_have_count(4)
    page.get_by_role("textbox", name="To", exact=True).fill("2023-11-15T06:15:40")
    expect(items(page, GROUP)).to_have_count(2)
    assert dict(parse_qsl(urlsplit(page.url).query)) == {"since": "1700000135", "until": "1700000140"}


def test_a_filter_that_makes_no_sense_is_said(open_page: Open, sandbox: Sandbox) -> None:
    watched = open_page(sandbox.url + "/?channel=pigeon", wait=False)
    expect(watched.page.get_by_role("status")).to_contain_text('"channel" must be one of app, bot')
    watched.page.get_by_role("button", name="Reset filter").click()
    watched.page.locator("#standing[data-state=live]").wait_for()
    watched.faults[:] = [fault for fault in watched.faults if "400" not in fault]


def test_what_was_kept_is_downloaded(open_page: Open, sandbox: Sandbox, wecom: Caller, tmp_path: Any) -> None:
    for channel in (wecom.send, wecom.push):
        channel(part="order 1")
    watched = open_page(sandbox.url + "/?channel=app")
    with watched.page.expect_download() as download:
        watched.page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "messages.jsonl"
    download.value.save_as(tmp_path / "messages.jsonl")
    watched.faults[:] = [fault for fault in watched.faults if not fault.startswith("download: blob:")]
    lines = [json.loads(line) for line in (tmp_path / "messages.jsonl").read_text(encoding="utf-8").splitlines()]
    assert lines == [message for message in sandbox.messages() if message["channel"] == "app"]


@pytest.mark.parametrize("width", [1440, 390])
def test_the_page_opens_at_the_newest_and_stays_where_one_reads(
    open_page: Open, sandbox: Sandbox, wecom: Caller, clock: FakeClock, width: int
) -> None:
    for number in range(300):
        clock.now += 4
        wecom.push("markdown", f"message {number}\n> " + "long " * (number % 7 * 60) + "\n" * (number % 3))
    page = open_page(sandbox.url, viewport={"width": width, "height": 844}).page
    newest = items(page, GROUP).last
    expect(newest).to_contain_text("message 299")
    expect(newest).to_be_in_viewport(ratio=0.5)
    page.wait_for_function(
        "() => { const all = document.querySelectorAll('.phone:not([hidden]) ol');"
        " return [...all].every(list => list.scrollHeight - list.scrollTop - list.clientHeight < 2); }"
    )
    page.mouse.move(*(lambda box: (box["x"] + 100, box["y"] + 200))(phone(page, GROUP).bounding_box()))
    page.mouse.wheel(0, -2500)
    list_of = phone(page, GROUP).locator("ol")
    until(lambda: not list_of.evaluate("list => list.classList.contains('stuck')"))
    page.wait_for_timeout(300)  # the wheel has come to rest
    looked_at = list_of.evaluate(AT_THE_TOP)
    for number in range(3):
        clock.now += 4
        wecom.push(part=f"newer {number}")
    mark = phone(page, GROUP).get_by_role("button", name="3 new")
    expect(mark).to_be_visible()
    assert list_of.evaluate(AT_THE_TOP) == looked_at
    mark.click()
    expect(items(page, GROUP).last).to_contain_text("newer 2")
    expect(items(page, GROUP).last).to_be_in_viewport()
    expect(mark).to_be_hidden()
    assert in_order(page, GROUP)


AT_THE_TOP = """list => {
  const box = list.getBoundingClientRect();
  const at = document.elementFromPoint(box.x + box.width / 2, box.y + 60).closest("li[data-number]");
  return at && [at.dataset.number, Math.round(at.getBoundingClientRect().y)];
}"""


def test_deleting_one_leaves_the_others_where_they_are(
    open_page: Open, sandbox: Sandbox, filled: Caller, clock: FakeClock
) -> None:
    page = open_page(sandbox.url).page
    expect(items(page, GROUP)).to_have_count(30)
    first = items(page, GROUP).first.element_handle()
    items(page, GROUP).filter(has_text="Order 20").click()
    page.get_by_role("group", name="Message").get_by_role("button", name="Delete").click()
    until(lambda: len(sandbox.messages()) == 59)
    filled.push(part="after that")
    phone(page, GROUP).get_by_role("button", name="1 new").click()
    expect(phone(page, GROUP)).to_contain_text("after that")
    assert first.evaluate("found => found.isConnected")
    assert in_order(page, GROUP)


def test_a_narrow_page_has_the_inspector_behind_a_tab(open_page: Open, sandbox: Sandbox, wecom: Caller) -> None:
    wecom.push(part="磁盘已满")
    page = open_page(sandbox.url, viewport={"width": 390, "height": 844}).page
    expect(phone(page, GROUP)).to_contain_text("磁盘已满")  # the phone that has one
    expect(page.locator(".phone:visible")).to_have_count(1)
    expect(page.locator("#inspector")).to_be_hidden()
    page.get_by_role("button", name="Inspector").click()
    expect(page.get_by_role("region", name="Faults")).to_be_visible()
    expect(page.locator("#phones")).to_be_hidden()
    page.get_by_role("button", name="Messages", exact=True).click()
    page.get_by_role("button", name="request of message 1").click()
    expect(page.locator("#calls details[open]")).to_be_in_viewport()


def test_empty_phones_say_what_to_do(open_page: Open, sandbox: Sandbox) -> None:
    page = open_page(sandbox.url).page
    for title, names in (
        (MEMBER, ["WECOM_API_BASE", "WECOM_CORP_ID", "WECOM_AGENT_ID", "WECOM_SECRET", "WECOM_USERS"]),
        (GROUP, ["WECOM_API_BASE", "WECOM_WEBHOOK"]),
    ):
        lines = [f"export {name}={sandbox.environment[name]}\n" for name in names]
        expect(phone(page, title).locator(".hint pre").first).to_have_text("".join(lines))
    Caller(sandbox).push(part="hello")
    expect(phone(page, GROUP).get_by_text("WECOM_WEBHOOK")).to_have_count(0)


def test_what_was_taken_with_a_warning_is_amber(open_page: Open, sandbox: Sandbox, wecom: Caller) -> None:
    body = b'{"msgtype":"text","text":{"content":"odd"},}'
    assert "Warning" in wecom.post("/cgi-bin/webhook/send", data=body, key="sandbox-bot")["errmsg"]
    page = open_page(sandbox.url).page
    expect(page.locator("#calls .verdict.amber")).to_have_text("ok, but")
    expect(phone(page, GROUP).locator(".doubt.amber")).to_contain_text("WeCom took it with a warning")


@pytest.mark.parametrize(("width", "locale", "scheme"), [(1280, "en", "light"), (390, "zh-CN", "dark")])
def test_axe_finds_nothing_serious(
    open_page: Open, sandbox: Sandbox, wecom: Caller, width: int, locale: str, scheme: Any
) -> None:
    page = open_page(
        sandbox.url,
        viewport={"width": width, "height": 844},
        locale=locale,
        color_scheme=scheme,
        reduced_motion="reduce",
    ).page
    expect(page.locator(".phone pre").first).to_be_visible()
    found = violations(page)
    wecom.push(
        "markdown", '# title\n<font color="warning">hot</font> <font color="comment">cool</font> `code`\n> quote'
    )
    wecom.push("markdown_v2", "| a | b |\n|---|---|\n| 1 | 2 |\n\n```\ncode\n```\n")
    wecom.push("markdown", "汉" * 2000)
    wecom.post("/cgi-bin/webhook/send", data=b'{"msgtype":"text","text":{"content":"odd"},}', key="sandbox-bot")
    wecom.send("textcard", {"title": "t", "description": '<div class="gray">g</div>d', "url": "https://x.test/"})
    wecom.send(part="text https://x.test/")
    sandbox.add_fault({"path": "/cgi-bin/gettoken", "errcode": 45009})
    expect(page.locator("#calls li")).to_have_count(7)
    if width == 390:
        page.locator("#receivers button").nth(2).click()
    items_of = page.locator(".phone:visible li[data-number]")
    items_of.last.click(position={"x": 100, "y": 8})
    page.locator("#more").click()
    found += violations(page)
    if width == 390:
        page.locator("#views button").last.click()
    for summary in page.locator("#calls summary").all():
        summary.click()
    found += violations(page)
    page.locator("#clear").click()
    found += violations(page)
    assert found == []


def violations(page: Page) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    page.wait_for_timeout(300)  # what moves has come to rest
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['impact']} {rule['id']}: {node['html'][:150]} {node['failureSummary'][:300]}"
        for rule in found
        if rule["impact"] in ("serious", "critical", "moderate")
        for node in rule["nodes"][:3]
    ]
