"""Files of messages, opened on the page: a flood's table, texts, pictures, and what wants to be more than a text."""

from __future__ import annotations

import base64
import hashlib
import logging
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from wecom_logging._sandbox import Sandbox

from ..programs import app_handler, word
from ..sandbox.caller import AMR, Caller
from .conftest import Open
from .test_finding import violations

MEMBER = "沙箱用户 · WeCom"
EVIL = '<img src=x onerror="document.title=1"><script>document.title=2</script>'


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def png() -> bytes:
    """A picture of two pixels by one."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = (2).to_bytes(4, "big") + (1).to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    data = zlib.compress(b"\x00" + b"\xff\x00\x00" * 2)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def send(wecom: Caller, name: str, data: bytes, kind: str = "file") -> None:
    media_id = wecom.upload(kind, data, name)["media_id"]
    assert wecom.send(kind, {"media_id": media_id})["errcode"] == 0


def opened(page: Page, name: str) -> Any:
    page.get_by_role("region", name=MEMBER, exact=True).get_by_role("button", name=name).last.click()
    dialog = page.get_by_role("dialog", name=name)
    expect(dialog).to_be_visible()
    return dialog


def test_the_table_of_a_flood_is_opened_from_its_bubble(open_page: Open, sandbox: Sandbox) -> None:
    page = open_page(sandbox.url).page
    handler = app_handler(sandbox.url)
    for number in range(400):
        handler.handle(logging.makeLogRecord({"name": "shop", "levelno": 40, "msg": f"broken {word(number)}"}))
    handler.close()
    (file,) = sandbox.wait(msgtype="file", timeout=60)
    dialog = opened(page, file["content"])
    expect(dialog.locator("thead th").first).not_to_be_empty()
    expect(dialog.get_by_role("cell", name=f"broken {word(399)}")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_texts_tables_and_pictures_are_shown_and_the_rest_is_kept(
    open_page: Open, sandbox: Sandbox, wecom: Caller, tmp_path: Path
) -> None:
    cells = 'a,b\r\n"1,\n""x""",\u7c97\u4f53\r\n,"' + "y" * 100_000 + '"\r\nshort\r\n,,\r\n'
    send(wecom, "cells.CSV", cells.encode("utf-8-sig"))
    send(wecom, "loose.csv", b'say "hi" there,"a"b,c\n5" pipe,"open,end\n"x,y"z,\n')
    send(wecom, "trace.txt", EVIL.encode() + "\n第二行".encode())
    send(wecom, "long.log", "汉".encode() * 200_000)
    send(wecom, "dot.png", png(), "image")
    send(wecom, "dump.bin", bytes(range(256)))
    send(wecom, "page.html", f"<html>{EVIL}</html>".encode())
    watched = open_page(sandbox.url)
    page = watched.page
    dialog = opened(page, "cells.CSV")
    table = dialog.locator("tr").evaluate_all("all => all.map(row => [...row.cells].map(cell => cell.textContent))")
    assert table == [["a", "b"], ['1,\n"x"', "\u7c97\u4f53"], ["", "y" * 100_000], ["short"], ["", "", ""]]
    page.keyboard.press("Escape")
    dialog = opened(page, "loose.csv")
    table = dialog.locator("tr").evaluate_all("all => all.map(row => [...row.cells].map(cell => cell.textContent))")
    assert table == [['say "hi" there', '"a"b', "c"], ['5" pipe', '"open', "end"], ['"x', 'y"z', ""]]
    page.keyboard.press("Escape")
    dialog = opened(page, "trace.txt")
    expect(dialog.locator("pre")).to_have_text(EVIL + "\n第二行")
    page.keyboard.press("Escape")
    dialog = opened(page, "long.log")
    expect(dialog.get_by_text("Only the beginning is shown.")).to_be_visible()
    assert set(dialog.locator("pre").inner_text()) == {"汉"}
    page.keyboard.press("Escape")
    dialog = opened(page, "image")
    expect(dialog.get_by_role("img", name="image")).to_have_js_property("naturalWidth", 2)
    page.keyboard.press("Escape")
    dialog = opened(page, "page.html")
    expect(dialog.locator("pre")).to_contain_text("<html><img")
    page.keyboard.press("Escape")
    dialog = opened(page, "dump.bin")
    expect(dialog).to_contain_text("256 bytes")
    expect(dialog).to_contain_text("There is no preview of this file.")
    with page.expect_download() as downloading:
        dialog.get_by_role("button", name="Save").click()
    downloading.value.save_as(tmp_path / "kept")
    assert downloading.value.suggested_filename == "dump.bin"
    assert (tmp_path / "kept").read_bytes() == bytes(range(256))
    watched.faults.clear()  # the download
    assert page.title() == "WeCom sandbox"


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_nothing_serious_in_an_open_file(
    open_page: Open, sandbox: Sandbox, wecom: Caller, width: int, scheme: str
) -> None:
    send(wecom, "cells.csv", b"what,count\n" + b"no stock,1\n" * 300)
    options = {"viewport": {"width": width, "height": 844}, "color_scheme": scheme, "reduced_motion": "reduce"}
    page = open_page(sandbox.url, **options).page
    dialog = opened(page, "cells.csv")
    assert violations(page) == []
    box = dialog.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()


def test_what_is_no_longer_kept_says_so(open_page: Open, sandbox: Sandbox, wecom: Caller) -> None:
    send(wecom, "a.amr", AMR, "voice")
    watched = open_page(sandbox.url)
    page = watched.page
    expect(page.get_by_role("button", name="a.amr").first).to_be_visible()
    for _ in range(4):
        wecom.upload("file", bytes(19 * 1024 * 1024))
    dialog = opened(page, "a.amr")
    expect(dialog).to_contain_text("This file is no longer kept.")
    expect(dialog.get_by_role("button", name="Save")).to_be_hidden()
    assert [fault for fault in watched.faults if "404" not in fault] == []
    watched.faults.clear()


def test_a_bots_picture_is_in_its_request(open_page: Open, sandbox: Sandbox, wecom: Caller) -> None:
    part = {"base64": base64.b64encode(png()).decode(), "md5": hashlib.md5(png()).hexdigest()}
    assert wecom.push("image", part)["errcode"] == 0
    page = open_page(sandbox.url).page
    page.get_by_role("region", name="Group of bot 1 · WeCom", exact=True).get_by_role("button", name="image").click()
    expect(page.get_by_role("dialog", name="image").get_by_role("img")).to_be_visible()


def test_the_token_goes_with_it(open_page: Open, tmp_path: Path) -> None:
    with Sandbox(host="0.0.0.0") as sandbox:
        url = f"http://127.0.0.1:{sandbox.url.rpartition(':')[2]}"
        secret = sandbox.environment["WECOM_SECRET"]
        with Sandbox() as plain:
            wecom = Caller(plain)
        wecom.sandbox = type("Elsewhere", (), {"url": url})()
        wecom._token = wecom.gettoken(secret)["access_token"]
        send(wecom, "trace.txt", b"in a file")
        wecom.session.close()
        page = open_page(f"{url}/#{sandbox.token}").page
        expect(opened(page, "trace.txt").locator("pre")).to_have_text("in a file")


def test_a_name_does_not_turn_what_is_read(open_page: Open, sandbox: Sandbox, wecom: Caller) -> None:
    send(wecom, "invoice\u202egpj.exe", b"\x00\x01\x02\x03\x04\x05")
    page = open_page(sandbox.url).page
    shown = page.get_by_role("region", name=MEMBER, exact=True).get_by_role("button", name="invoice")
    assert "invoicegpj.exe" in shown.inner_text()
    expect(opened(page, "invoicegpj.exe").get_by_role("heading")).to_have_text("invoicegpj.exe")
