"""media/upload and webhook/upload_media."""

from __future__ import annotations

import pytest

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


def test_the_part_must_be_named_media(wecom: Caller) -> None:
    files = {"file": ("a.log", b"123456")}
    answer = wecom.post("/cgi-bin/media/upload", files=files, access_token=wecom.token(), type="file")
    assert answer["errcode"] == 44001


def test_an_upload_needs_a_token(wecom: Caller) -> None:
    assert wecom.post("/cgi-bin/media/upload", files={"media": b"123456"}, type="file")["errcode"] == 41001


def test_a_name_that_is_not_ascii_is_kept(wecom: Caller) -> None:
    media_id = wecom.upload("file", b"123456", name="日志.log")["media_id"]
    wecom.send("file", {"media_id": media_id})
    assert wecom.sandbox.messages()[-1]["content"] == "日志.log"


def test_a_bot_uploads_files_and_voices_only(wecom: Caller) -> None:
    assert wecom.push_upload("file", b"123456")["errcode"] == 0
    assert wecom.push_upload("voice", AMR)["errcode"] == 0
    assert wecom.push_upload("image", JPG)["errcode"] == 40005


def test_a_bot_uploads_with_its_key(wecom: Caller) -> None:
    assert wecom.push_upload("file", b"123456", key="wrong")["errcode"] == 93000
    answer = wecom.push_upload("file", b"123456", key="")
    assert answer["errcode"] == 40058
    assert answer["errmsg"].startswith("invalid param 'key'")
