"""media/upload and webhook/upload_media."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from .caller import AMR, JPG, MP4, Caller, FakeClock

pytestmark = pytest.mark.case("X08")

MIB = 1024 * 1024
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("kind", "data"), [("image", JPG), ("image", PNG), ("voice", AMR), ("video", MP4), ("file", b"123456")]
)
def test_an_upload_gives_a_media_id(wecom: Caller, clock: FakeClock, kind: str, data: bytes) -> None:
    answer = wecom.upload(kind, data)
    assert (answer["errcode"], answer["type"]) == (0, kind)
    assert answer["created_at"] == str(int(clock.now))
    assert answer["media_id"]


@pytest.mark.parametrize(
    ("kind", "data", "errcode"),
    [
        ("file", b"12345", 40006),
        ("file", b"", 44001),
        ("file", bytes(20 * MIB + 1), 45001),
        ("image", JPG + bytes(10 * MIB), 40009),
        ("voice", AMR + bytes(2 * MIB), 45001),
        ("video", MP4 + bytes(10 * MIB), 40011),
        ("image", b"no picture", 40123),
        ("voice", b"no voice", 40004),
        ("video", b"no video", 40004),
        ("thumb", b"123456", 40005),
        ("", b"123456", 40005),
    ],
)
def test_size_and_type_are_checked(wecom: Caller, kind: str, data: bytes, errcode: int) -> None:
    assert wecom.upload(kind, data)["errcode"] == errcode


def test_a_file_of_20_mib_is_taken(wecom: Caller) -> None:
    assert wecom.upload("file", bytes(20 * MIB))["errcode"] == 0


@pytest.mark.parametrize("name", ["file", "picture", "None", "a.log"])
def test_the_part_may_have_any_name(wecom: Caller, strict: Caller, name: str) -> None:
    """The documents name it ``media``."""
    for caller, errcode in ((wecom, 0), (strict, 44001)):
        files = {name: ("a.log", b"123456")}
        answer = caller.post("/cgi-bin/media/upload", files=files, access_token=caller.token(), type="file")
        assert answer["errcode"] == errcode
        assert caller.push_upload("file", b"123456")["errcode"] == 0


def test_of_several_parts_the_one_named_media_is_the_file(wecom: Caller) -> None:
    files = {"other": ("b.log", b"654321"), "media": ("a.log", b"123456")}
    answer = wecom.post("/cgi-bin/media/upload", files=files, access_token=wecom.token(), type="file")
    assert fetch(wecom, answer["media_id"]).content == b"123456"


def fetch(wecom: Caller, media_id: str, span: str | None = None) -> requests.Response:
    params = {"access_token": wecom.token(), "media_id": media_id}
    url = f"{wecom.sandbox.url}/cgi-bin/media/get"
    return wecom.session.get(url, params=params, headers={"Range": span}, timeout=10)


def test_what_was_uploaded_is_given_back(wecom: Caller) -> None:
    response = fetch(wecom, wecom.upload("file", b"<script>", name="日志 1.html")["media_id"])
    assert (response.content, response.headers["Error-Code"]) == (b"<script>", "0")
    assert response.headers["Content-Type"] == "application/octet-stream"
    raw = "日志 1.html".encode().decode("latin-1")
    named = f"attachment; filename*=utf-8''%E6%97%A5%E5%BF%97%201.html; filename=\"{raw}\""
    assert response.headers["Content-Disposition"] == named
    assert wecom.sandbox.calls[-1].errcode == 0
    assert fetch(wecom, "unknown").json()["errcode"] == 40007
    assert fetch(wecom, "").json()["errcode"] == 41006
    assert fetch(wecom, wecom.push_upload("file", b"123456")["media_id"]).json()["errcode"] == 40007


@pytest.mark.parametrize("size", [2048, 3 * MIB])
def test_a_file_is_given_back_in_parts(wecom: Caller, size: int) -> None:
    data = bytes(range(256)) * (size // 256)
    media_id = wecom.upload("file", data)["media_id"]
    whole, first, last = (fetch(wecom, media_id, span) for span in (None, "bytes=0-1023", f"bytes={size - 10}-"))
    assert (whole.status_code, whole.headers["Accept-Ranges"], whole.content) == (200, "bytes", data)
    assert (first.status_code, first.headers["Content-Range"]) == (206, f"bytes 0-1023/{size}")
    assert (first.content, first.headers["Content-Length"]) == (data[:1024], "1024")
    assert (last.status_code, last.content) == (206, data[-10:])
    assert fetch(wecom, media_id, f"bytes={size}-").status_code == 416


def test_a_media_has_its_type_and_a_name_that_breaks_nothing(wecom: Caller) -> None:
    picture = fetch(wecom, wecom.upload("image", JPG, name='a"\\b.jpg')["media_id"])
    assert picture.headers["Content-Type"] == "image/jpeg"
    assert picture.headers["Content-Disposition"].count('"') == 2


def test_the_files_that_are_kept_are_bounded(wecom: Caller) -> None:
    ids = [wecom.upload("file", bytes(20 * MIB))["media_id"] for _ in range(4)]
    assert "newest 64 MiB" in fetch(wecom, ids[0]).json()["errmsg"]
    assert len(fetch(wecom, ids[3]).content) == 20 * MIB
    assert wecom.send("file", {"media_id": ids[0]})["errcode"] == 0


def test_a_picture_that_stays_has_an_address(wecom: Caller) -> None:
    def put(data: bytes) -> dict[str, Any]:
        return wecom.post("/cgi-bin/media/uploadimg", files={"media": ("a.png", data)}, access_token=wecom.token())

    response = wecom.session.get(put(PNG)["url"], timeout=10)
    assert (response.content, response.headers["Content-Disposition"][:10]) == (PNG, "attachment")
    assert put(b"no picture")["errcode"] == 40123
    assert put(PNG + bytes(2 * MIB))["errcode"] == 40009
    assert wecom.session.get(f"{wecom.sandbox.url}/sandbox/pictures/unknown", timeout=10).status_code == 404


def test_an_upload_needs_a_token(wecom: Caller) -> None:
    assert wecom.post("/cgi-bin/media/upload", files={"media": b"123456"}, type="file")["errcode"] == 41001


def test_a_name_that_is_not_ascii_is_kept(wecom: Caller) -> None:
    media_id = wecom.upload("file", b"123456", name="日志.log")["media_id"]
    wecom.send("file", {"media_id": media_id})
    assert wecom.sandbox.messages()[-1]["content"] == "日志.log"


@pytest.mark.parametrize(
    ("named", "shown"),
    [
        ('filename="日志.log"', "日志.log"),
        ("filename=a.log", "a.log"),
        (r'filename="a\"b.log"', 'a"b.log'),
        ("filename=\"%E6%97%A5.log\"; filename*=utf-8''%E6%97%A5.log", "%E6%97%A5.log"),
        ("filename*=utf-8''%E6%97%A5.log", None),
        ("", None),
    ],
)
def test_wecom_reads_one_kind_of_file_name(wecom: Caller, named: str, shown: str | None) -> None:
    head = f'--x\r\nContent-Disposition: form-data; name="media"; {named}\r\n\r\n'
    answer = wecom.session.post(
        f"{wecom.sandbox.url}/cgi-bin/media/upload",
        params={"access_token": wecom.token(), "type": "file"},
        data=head.encode() + b"123456\r\n--x--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=x"},
        timeout=10,
    ).json()
    if shown is None:
        assert answer["errcode"] == 44001
    else:
        wecom.send("file", {"media_id": answer["media_id"]})
        assert wecom.sandbox.messages()[-1]["content"] == shown


def test_a_bot_uploads_files_and_voices_only(wecom: Caller) -> None:
    assert wecom.push_upload("file", b"123456")["errcode"] == 0
    assert wecom.push_upload("voice", AMR)["errcode"] == 0
    assert wecom.push_upload("image", JPG)["errcode"] == 40005


def test_a_bot_uploads_with_its_key(wecom: Caller) -> None:
    assert wecom.push_upload("file", b"123456", key="wrong")["errcode"] == 93000
    assert wecom.push_upload("file", b"", key="wrong")["errcode"] == 44001
    answer = wecom.push_upload("file", b"123456", key="")
    assert answer["errcode"] == 40058
    assert answer["errmsg"].startswith("invalid param 'key', hint: [")
