"""The sandbox's page in a real browser."""

from __future__ import annotations

import http.server
import itertools
import json
import socket
import statistics
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from wecom_logging._sandbox import Sandbox
from wecom_logging._sandbox.page.page import MOST

from ..programs import app_handler, until
from ..sandbox.caller import Caller
from .conftest import Open

MEMBER, WECHAT, GROUP = "沙箱用户 · WeCom", "沙箱用户 · WeChat", "Group of bot 1 · WeCom"


def phone(page: Page, title: str) -> Any:
    return page.get_by_role("region", name=title, exact=True)


def delete_all(page: Page) -> None:
    page.get_by_role("button", name="Delete all").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()


def test_a_message_appears_without_reloading(open_page: Open, sandbox: Sandbox, wecom: Caller) -> None:
    watched = open_page(sandbox.url)
    expect(phone(watched.page, GROUP).get_by_role("listitem")).to_have_count(0)
    wecom.push(part="磁盘已满 💾")
    expect(phone(watched.page, GROUP).get_by_text("磁盘已满 💾")).to_be_visible()
    expect(watched.page.locator("#announcer")).to_have_text("New message for Group of bot 1")
    expect(watched.page.get_by_role("status")).to_contain_text("1 message kept of at most 10000")
    assert watched.visits == 1


def test_an_alert_of_the_handler_arrives(open_page: Open, sandbox: Sandbox) -> None:
    import logging

    page = open_page(sandbox.url).page
    handler = app_handler(sandbox.url)
    record = logging.LogRecord("shop", logging.ERROR, __file__, 1, "no stock of %s", ("茶",), None)
    handler.handle(record)
    handler.close()
    expect(phone(page, MEMBER)).to_contain_text("no stock of 茶")
    expect(phone(page, WECHAT)).to_contain_text("no stock of 茶")


def test_wechat_does_not_show_markdown(open_page: Open, sandbox: Sandbox, wecom: Caller) -> None:
    page = open_page(sandbox.url).page
    wecom.send("markdown", '# title\n<font color="warning">hot</font> **bold** [site](https://example.com/)')
    wecom.send(part="text")
    shown = phone(page, MEMBER)
    expect(shown.locator(".warning")).to_have_text("hot")
    expect(shown.get_by_role("link", name="site")).to_have_attribute("rel", "noopener noreferrer")
    expect(shown.get_by_role("heading", name="title", exact=True)).to_be_visible()
    expect(phone(page, WECHAT)).to_contain_text("not shown in WeChat")
    expect(phone(page, WECHAT)).to_contain_text("text")
    expect(phone(page, WECHAT)).not_to_contain_text("bold")


def test_the_inspector_shows_the_request_and_what_to_do(open_page: Open, sandbox: Sandbox, wecom: Caller) -> None:
    page = open_page(sandbox.url).page
    wecom.push("markdown", "汉" * 2000)
    wecom.push(part="fine")
    refused = page.locator("#calls li").filter(has_text="40058")
    expect(refused).to_contain_text("6000/4096 B")
    refused.locator("summary").click()
    expect(refused).to_contain_text("key=***")
    expect(refused).to_contain_text("A parameter is wrong")
    page.get_by_role("button", name="request of message 1").click()
    details = page.locator("#calls li").filter(has_text="ok").filter(has_text="webhook/send")
    expect(details.locator("pre").first).to_contain_text('"content": "fine"')
    page.get_by_label("only what failed").check()
    expect(page.locator("#calls li")).to_have_count(1)
    assert "sandbox-bot" not in page.locator("#inspector").inner_html()


def test_a_call_that_somebody_reads_stays_open_in_a_storm(open_page: Open, sandbox: Sandbox, wecom: Caller) -> None:
    page = open_page(sandbox.url).page
    wecom.push("markdown", "汉" * 2000)
    refused = page.locator("#calls li").filter(has_text="40058")
    refused.locator("summary").click()
    page.get_by_role("heading", name="WeCom sandbox").click()  # the keyboard is elsewhere
    for _ in range(3):
        for number in range(80):
            wecom.send(part=f"order {number}")
        expect(page.locator("#calls li").first).to_contain_text("message/send")
    newest = str(len(sandbox.calls))
    expect(page.locator("#calls li").first).to_have_attribute("data-number", newest)
    expect(refused.get_by_text("A parameter is wrong")).to_be_visible()
    assert page.locator("#calls li").count() <= 101
    refused.locator("summary").click()
    page.get_by_role("heading", name="WeCom sandbox").click()
    for number in range(100):
        wecom.send(part=f"one more {number}")
    expect(refused).to_have_count(0)


def test_faults_are_injected_and_removed(open_page: Open, sandbox: Sandbox, wecom: Caller) -> None:
    watched = open_page(sandbox.url)
    page = watched.page
    page.get_by_label("Times").fill("2")
    page.get_by_role("button", name="Inject").click()
    expect(page.locator(".waiting")).to_contain_text("webhook/send: errcode 45009 · 2 times")
    assert wecom.push()["errcode"] == 45009
    expect(page.locator(".waiting")).to_contain_text("errcode 45009 · once")
    page.locator(".waiting").get_by_role("button").click()
    expect(page.locator(".waiting")).to_have_text("None.")
    assert wecom.push()["errcode"] == 0
    page.get_by_label("refuse every address").check()
    until(lambda: wecom.send()["errcode"] == 60020)
    page.get_by_label("refuse every address").uncheck()
    until(lambda: wecom.send()["errcode"] == 0)
    page.get_by_label("Times").fill("0")
    page.get_by_label("Times").evaluate("box => box.removeAttribute('min')")
    page.get_by_role("button", name="Inject").click()
    expect(page.get_by_role("alert")).to_contain_text("times")
    watched.faults[:] = [fault for fault in watched.faults if "400" not in fault]
    page.get_by_role("button", name="Delete all").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(phone(page, GROUP).get_by_role("listitem")).to_have_count(1)
    delete_all(page)
    until(lambda: sandbox.messages() == [])
    expect(phone(page, GROUP).get_by_role("listitem")).to_have_count(0)


def test_chinese_and_english(open_page: Open, sandbox: Sandbox) -> None:
    page = open_page(sandbox.url, locale="zh-CN").page
    expect(page).to_have_title("企业微信沙箱")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.get_by_role("button", name="English").click()
    expect(page).to_have_title("WeCom sandbox")
    page.reload()
    expect(page.get_by_role("button", name="中文")).to_be_visible()
    words = page.evaluate("async () => Object.keys((await import('/static/words.js')).WORDS ?? {})")
    assert words == []


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (800, "light"), (1440, "dark")])
def test_nothing_sticks_out(open_page: Open, sandbox: Sandbox, wecom: Caller, width: int, scheme: Any) -> None:
    sandbox.add_member("w" * 64, name="W" * 64)
    wecom.send(part="to a long name", touser="w" * 64)
    wecom.push("markdown_v2", "| column " * 30 + "|\n" + "|-" * 30 + "|\n")
    wecom.push(part="x" * 900)
    wecom.send("markdown", "**" + "long" * 300 + "**")
    wecom.push("markdown", "汉" * 2000)
    page = open_page(sandbox.url, viewport={"width": width, "height": 800}, color_scheme=scheme).page
    if width < 640:
        page.get_by_role("button", name="Group of bot 1").click()
    expect(phone(page, GROUP)).to_contain_text("xxxx")
    page.get_by_role("button", name="Filter").click()
    phone(page, GROUP).get_by_role("listitem").last.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CLIPPED) == []
    if width < 960:
        page.get_by_role("button", name="Inspector").click()
    page.locator("#calls summary").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CLIPPED) == []
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, paper[4:-1].split(","))) < 200) == (scheme == "dark")


CLIPPED = """[...document.querySelectorAll(`
    .phone ol, .bubble, .acts, #search, #fields, #inspector section, .order input`)]
  .filter(found => found.scrollWidth > found.clientWidth + 1).map(found => found.outerHTML.slice(0, 200))"""

FOCUSABLE = "button, a[href], select, input, summary, [tabindex='0']"
WHICH = f"""() => {{
  const all = [...document.querySelectorAll("{FOCUSABLE}")].filter(found => found.checkVisibility() && !found.disabled);
  return [all.indexOf(document.activeElement), all.length];
}}"""
UNNAMED = f"""() => [...document.querySelectorAll("{FOCUSABLE}, section, meter")]
  .filter(found => found.checkVisibility() && !(found.textContent.trim() || found.getAttribute("aria-label")
    || found.getAttribute("aria-labelledby") || found.labels?.length)).map(found => found.outerHTML)"""


def test_the_keyboard_reaches_everything(open_page: Open, sandbox: Sandbox, wecom: Caller) -> None:
    wecom.push(part="one https://example.com/")
    page = open_page(sandbox.url).page
    expect(phone(page, GROUP)).to_contain_text("one")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        index, count = page.evaluate(WHICH)
        reached.add(index)
    assert set(range(count)) <= reached
    assert page.evaluate(UNNAMED) == []
    page.get_by_role("button", name=WECHAT).focus()
    page.keyboard.press("Space")
    expect(phone(page, WECHAT)).to_have_count(0)
    page.get_by_role("button", name="request of message 1").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("group", name="Message 1").get_by_role("button", name="Delete")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("summary:focus")).to_contain_text("webhook/send")
    page.keyboard.press("Enter")
    expect(page.locator("#calls details[open]")).to_have_count(0)
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#inspector")).to_be_focused()


def test_phones_that_are_not_drawn_are_counted(open_page: Open, sandbox: Sandbox, wecom: Caller) -> None:
    page = open_page(sandbox.url).page
    expect(page.locator("#without")).to_be_hidden()
    members = [f"member-{number}" for number in range(32)]
    for user_id in members:
        sandbox.add_member(user_id)
    wecom.send(part="all hands", touser="|".join(members))  # beside the three that are there: 67
    expect(page.locator("#without")).to_have_text(
        "3 more phones are not drawn, at most 64 are; their messages are in the calls."
    )
    expect(page.locator(".phone")).to_have_count(64)
    delete_all(page)
    expect(page.locator("#without")).to_be_hidden()


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><image href='http://evil.test/a.png'/></svg>",
    '"><iframe src="javascript:alert(1)"></iframe>',
    '<a href="javascript:alert(1)">x</a> <a href="https://ok.test/" onmouseover="alert(1)">y</a>',
    "[x](javascript:alert(1)) ![x](http://evil.test/b.png) <javascript:alert(1)>",
    '<style>@import "http://evil.test/c.css"</style><link rel=stylesheet href=http://evil.test/d.css>',
    '<meta http-equiv="refresh" content="0;url=http://evil.test/">',
    "</ol></section></main><base href='http://evil.test/'><form action='http://evil.test/'>",
    "<input autofocus onfocus=alert(1)><details open ontoggle=alert(1)>",
    "{{7*7}} ${alert(1)} %3Cscript%3E \u202e\u2066 \x00 \u2028 __proto__ constructor",
    '<font color="info"><font color="warning"><script>alert(1)</script></font>',
]


@pytest.mark.case("X07")
def test_a_hostile_message_does_nothing(open_page: Open) -> None:
    ticks = itertools.count(1_700_000_000, 4)
    with Sandbox(clock=lambda: float(next(ticks))) as sandbox, closing(Caller(sandbox).session):
        wecom = Caller(sandbox)
        sandbox.add_member("evil", name="<img src=x onerror=alert(1)>")
        wecom.session.headers["User-Agent"] = "<script>alert(1)</script>"
        watched = open_page(sandbox.url)
        page = watched.page
        elements = page.locator("script, iframe, object, embed, img, link, style, base, meta, form").count()
        for text in HOSTILE:
            for kind in ("text", "markdown"):
                wecom.send(kind, text, touser="sandbox-user|evil")
            for kind in ("text", "markdown", "markdown_v2"):
                wecom.push(kind, text)
            wecom.send("textcard", {"title": text, "description": text, "url": "https://ok.test/", "btntxt": text})
            wecom.push(
                "news", {"articles": [{"title": text, "url": "https://ok.test/", "picurl": "http://evil.test/p"}]}
            )
            card = {"card_type": "text_notice", "main_title": {"title": text}, "card_action": {"type": 1, "url": text}}
            wecom.push("template_card", card)
            upload = wecom.upload("file", b"content", name=text.replace("\x00", "") + ".txt")
            wecom.send("file", {"media_id": upload["media_id"]})
            path = "/cgi-bin/" + text.replace("\x00", "").replace("?", "")
            wecom.session.post(sandbox.url + path, json={text: text}, timeout=60)
            callback = {"url": f"http://127.0.0.1:1/{text}", "token": text, "encodingaeskey": "a" * 43}
            job = {"media_id": upload["media_id"], "callback": callback}
            contacts = wecom.gettoken("sandbox-contacts-secret")["access_token"]
            wecom.post("/cgi-bin/batch/syncuser", job, access_token=contacts)
        expect(page.get_by_role("status")).to_contain_text(f"{len(sandbox.messages())} messages kept")
        for file in page.locator("button.file:visible").all()[-4:]:
            file.click()
            expect(page.locator("#file-body")).to_have_text("content")
            expect(page.locator("#file-name")).to_have_text(file.inner_text()[1:].strip())
            page.keyboard.press("Escape")
        for button in page.locator("#receivers button").all():
            if button.get_attribute("aria-pressed") == "false":
                button.click()
        for summary in page.locator("#calls summary").all()[:30]:
            summary.click()
        expect(phone(page, MEMBER)).to_contain_text("<img src=x onerror=alert(1)>")
        assert page.locator("script, iframe, object, embed, img, link, style, base, meta, form").count() == elements
        links = page.evaluate("[...document.querySelectorAll('a[href]')].map(a => a.href)")
        assert {link.split(":")[0] for link in links} <= {"http", "https"}
        events = (
            "[...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames()).filter(n => /^on|^style/.test(n))"
        )
        assert page.evaluate(events) == []
        assert watched.visits == 1


@pytest.mark.case("X07")
def test_a_name_turns_nothing_but_itself(open_page: Open, sandbox: Sandbox, wecom: Caller) -> None:
    for user_id in ("constructor", "__proto__"):
        sandbox.add_member(user_id, name=f"\u202e{user_id}\u2066")
        wecom.send(part="hello", touser=user_id)
    page = open_page(sandbox.url).page
    for user_id in ("constructor", "__proto__"):
        expect(page.get_by_role("button", name=f"{user_id} · WeCom", pressed=True)).to_be_visible()
        expect(phone(page, f"{user_id} · WeCom")).to_contain_text("hello")


@pytest.mark.case("X07")
def test_the_browser_itself_refuses_markup(open_page: Open, sandbox: Sandbox) -> None:
    watched = open_page(sandbox.url)
    made = "() => { try { document.body.innerHTML = '<b>x</b>'; return 'made'; } catch (error) { return error.name; } }"
    assert watched.page.evaluate(made) == "TypeError"
    made = "() => { const made = document.createElement('style'); made.textContent = 'x {}'; return made; }"
    assert watched.page.evaluate(f"() => document.head.appendChild(({made})()).sheet") is None
    watched.faults[:] = [
        fault for fault in watched.faults if "Content Security Policy" not in fault and "Trusted" not in fault
    ]


@pytest.mark.case("X09")
def test_ten_thousand_messages_and_it_still_answers(open_page: Open) -> None:
    ticks = itertools.count(1_700_000_000, 2)  # so that no limit is ever reached
    with Sandbox(clock=lambda: float(next(ticks))) as sandbox:
        page = open_page(sandbox.url).page
        flood = threading.Thread(target=_flood, args=(sandbox, 10_000))
        flood.start()
        waits = []
        while flood.is_alive():
            waits.append(page.evaluate(INTERACTION))
        flood.join()
        expect(page.get_by_role("status")).to_contain_text("10000 messages kept", timeout=60_000)
        expect(phone(page, GROUP)).to_contain_text("number 9999")
        assert len(waits) > 4
        assert statistics.median(waits) < 100
        assert statistics.median(page.evaluate(INTERACTION) for _ in range(5)) < 100
        expect(phone(page, GROUP).get_by_role("listitem").last).to_be_in_viewport()
        for counted in page.evaluate(
            "[...document.querySelectorAll('.phone ol, #calls')].map(list => list.children.length)"
        ):
            assert counted <= 200
        phone(page, GROUP).locator("ol").focus()
        page.keyboard.press("Home")
        until(lambda: phone(page, GROUP).locator("ol").evaluate("list => list.scrollTop") < 300)
        Caller(sandbox).push(part="while somebody reads above")
        mark = phone(page, GROUP).get_by_role("button", name="1 new")
        expect(mark).to_be_visible()
        assert phone(page, GROUP).locator("ol").evaluate("list => list.scrollTop") < 300
        mark.click()
        expect(phone(page, GROUP).get_by_text("while somebody reads above")).to_be_in_viewport()


INTERACTION = """() => new Promise(resolve => {
  const began = performance.now();
  document.querySelector("#receivers button:nth-child(2)").click();
  requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - began)));
})"""


def _flood(sandbox: Sandbox, count: int) -> None:
    """Real requests, a hundred at a time down one connection."""
    port = int(sandbox.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection, connection.makefile("rb") as answers:
        for first in range(0, count, 100):
            connection.sendall(b"".join(_push(f"number {number}") for number in range(first, first + 100)))
            for _ in range(100):
                length = 0
                while (line := answers.readline()) != b"\r\n":
                    if line.startswith(b"Content-Length:"):
                        length = int(line.split()[1])
                assert b'"errcode":0' in answers.read(length)


def _push(text: str) -> bytes:
    body = json.dumps({"msgtype": "text", "text": {"content": text}}).encode()
    head = "POST /cgi-bin/webhook/send?key=sandbox-bot HTTP/1.1\r\nHost: localhost\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def test_a_sandbox_that_comes_back_is_found_again(open_page: Open, sandbox: Sandbox, wecom: Caller) -> None:
    watched = open_page(sandbox.url)
    wecom.push(part="before")
    expect(phone(watched.page, GROUP)).to_contain_text("before")
    port = int(sandbox.url.rpartition(":")[2])
    sandbox.stop()
    expect(watched.page.get_by_role("status")).to_have_text("connection lost, trying again")
    with Sandbox(port) as again:
        Caller(again).push(part="after")
        expect(phone(watched.page, GROUP)).to_contain_text("after")
        expect(phone(watched.page, GROUP)).not_to_contain_text("before")
    watched.faults[:] = [
        fault for fault in watched.faults if "ERR_CONNECTION_REFUSED" not in fault and "ERR_" not in fault
    ]


SEEN = """seen => {
  Object.defineProperty(document, "hidden", {value: !seen, configurable: true});
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_tabs_that_nobody_looks_at_leave_the_connections_to_others(
    browser: Browser, sandbox: Sandbox, wecom: Caller
) -> None:
    with closing(browser.new_context(locale="en")) as tabs:
        wecom.push(part="before")
        for _ in range(7):
            page = tabs.new_page()
            page.goto(sandbox.url)
            expect(phone(page, GROUP)).to_contain_text("before")
            page.evaluate(SEEN, False)
        wecom.push(part="meanwhile")
        page = tabs.pages[0]
        page.evaluate(SEEN, True)
        expect(phone(page, GROUP).get_by_role("listitem")).to_have_count(2)
        expect(phone(page, GROUP)).to_contain_text("meanwhile")


def test_the_title_of_a_tab_counts_what_came_meanwhile(open_page: Open, sandbox: Sandbox, wecom: Caller) -> None:
    wecom.push(part="before")
    page = open_page(sandbox.url).page
    expect(phone(page, GROUP)).to_contain_text("before")
    page.evaluate(SEEN, False)
    wecom.push(part="one")
    wecom.push(part="two")
    expect(page).to_have_title("(2) WeCom sandbox", timeout=15_000)
    page.evaluate(SEEN, True)
    expect(page).to_have_title("WeCom sandbox")
    expect(phone(page, GROUP)).to_contain_text("two")


def test_a_page_too_many_says_so_and_gets_its_place(open_page: Open, sandbox: Sandbox) -> None:
    with ExitStack() as others:
        for _ in range(MOST):
            others.enter_context(requests.get(f"{sandbox.url}/sandbox/events", stream=True, timeout=10))
        watched = open_page(sandbox.url, wait=False)
        expect(watched.page.get_by_role("status")).to_have_text("too many pages are open, trying again")
    watched.page.locator("#standing[data-state=live]").wait_for()
    watched.faults[:] = [fault for fault in watched.faults if "503" not in fault]


@pytest.mark.case("X04")
def test_away_from_loopback_the_page_wants_the_token(open_page: Open) -> None:
    with Sandbox(host="0.0.0.0") as sandbox:
        url = f"http://127.0.0.1:{sandbox.url.rpartition(':')[2]}/"
        locked = open_page(url, wait=False)
        expect(locked.page.get_by_role("status")).to_contain_text("needs its token")
        locked.faults[:] = [fault for fault in locked.faults if "401" not in fault]
        page = open_page(f"{url}#{sandbox.token}").page
        assert page.url == url
        page.get_by_role("button", name="Inject").click()
        expect(page.locator(".waiting")).to_contain_text("45009")
        page.reload()
        page.locator("#standing[data-state=live]").wait_for()


ATTACKS = """
Promise.allSettled([
  fetch(TARGET + "/sandbox/messages", {method: "DELETE"}),
  fetch(TARGET + "/sandbox/faults", {method: "POST", mode: "no-cors", body: '{"void_token": true}'}),
  fetch(TARGET + "/cgi-bin/webhook/send?key=sandbox-bot", {method: "POST", mode: "no-cors", body: PUSH}),
  fetch(TARGET + "/sandbox/messages").then(answer => answer.text()),
  new Promise((heard, refused) => {
    const source = new EventSource(TARGET + "/sandbox/events");
    source.onmessage = heard;
    source.onerror = () => { source.close(); refused(); };
  }),
  new Promise((loaded, refused) => {
    const script = document.createElement("script");
    Object.assign(script, {src: TARGET + "/static/main.js", onload: loaded, onerror: refused});
    document.head.append(script);
  }),
  new Promise((loaded, refused) => {
    const picture = new Image();
    Object.assign(picture, {src: TARGET + "/static/icon.svg", onload: loaded, onerror: refused});
  }),
]).then(results => results.map(result => result.status === "fulfilled" && result.value?.type !== "opaque"))
"""


@pytest.fixture
def other_site() -> Iterator[str]:
    """A page of somebody else on this machine."""

    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>other</title>")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


@pytest.mark.case("X06")
def test_a_page_of_another_site_gets_nothing(
    browser: Browser, other_site: str, sandbox: Sandbox, wecom: Caller
) -> None:
    token = wecom.token()
    wecom.push(part="kept")
    push = json.dumps(json.dumps({"msgtype": "text", "text": {"content": "forged"}}))
    for target in (sandbox.url, sandbox.url.replace("127.0.0.1", "localhost")):
        with closing(browser.new_page()) as page:
            page.goto(other_site)
            code = ATTACKS.replace("TARGET", json.dumps(target)).replace("PUSH", push)
            assert page.evaluate(code) == [False] * 7
    assert [message["content"] for message in sandbox.messages()] == ["kept"]
    assert wecom.send(token=token)["errcode"] == 0


@pytest.mark.case("X05")
def test_a_name_that_was_made_to_point_here_gets_nothing(browser: Browser, sandbox: Sandbox) -> None:
    with closing(browser.new_page()) as page:
        response = page.goto(sandbox.url.replace("127.0.0.1", "evil.test"))
        assert response is not None
        assert response.status == 421
        assert page.evaluate("fetch('/sandbox/messages').then(answer => answer.status)") == 421
