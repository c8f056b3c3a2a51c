"""What of a text tells two failures apart, and what changes from one to the next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wecom_logging._incidents.pattern import pattern

THE_SAME = [
    ("order 17 failed", "order 4711 failed"),
    ("balance is -5", "balance is 7.25", "balance is 1,024"),
    ("took 900 ms", "took 1.2 s", "took 3 minutes", "took 2h"),
    ("耗时 35 毫秒", "耗时 2 秒"),
    ("订单12345失败", "订单9失败"),
    ("trace a1b2c3 lost", "trace 9f-4e1 lost", "trace k3J9_x82mQ7-zp lost", "trace c2VjcmV0bHk= lost"),
    ("request 9f4b2c1e-0d7a-4c55-9a3e-6d1f00aa12bc failed", "request 0a0b0c0d-1111-2222-3333-444455556666 failed"),
    ("object at 0x7f3a9c gone", "object at 0xDEADBEEF gone"),
    ("mail to amy@shop.example bounced", "mail to zoe.li@mail.example bounced"),
    ("port of 00:1a:2b:3c:4d:5e is down", "port of aa:bb:cc:dd:ee:ff is down"),
    ("no route to fe80::1ff:fe23:4567:890a", "no route to 2001:db8::17"),
    ("no answer from 10.0.0.5:5432", "no answer from 192.168.17.4:5432"),
    ("cannot read /srv/in/orders.csv", "cannot read /srv/in/users/7/x.json", "cannot read ./in/a.csv"),
    (r"cannot read C:\in\orders.csv", r"cannot read D:\x\y.txt"),
    ("GET https://api.example.com/users/amy failed", "GET https://api.example.com/orders/17?full=1 failed"),
    ("expired on 2026-11-27T10:00:00+08:00", "expired on 2025-01-02", "expired on Fri Nov 27 01:18:44 2026"),
    ("expired on 27 Nov 2026", "expired on Jan 3, 2027"),
    ("failed ids: [3]", "failed ids: [3, 17]", "failed ids: [1, 2, 3, 4]"),
    ("db1 is down", "db2 is down"),
    ("pod web-7d4b9c6f5-x2k9p restarted", "pod web-6c8f7d9b4-q8w7z restarted"),
    ("unhandled errors in a TaskGroup (1 sub-exception)", "unhandled errors in a TaskGroup (3 sub-exceptions)"),
    ("bad order [input_value='x', input_type=str]", "bad order [input_value='abc', input_type=str]"),
    ("returned 12 rows", "returned 503 rows"),
    ("answered in 401 ms", "answered in 503 ms"),
    ("order 404 not found", "order 17 not found"),
    ("took 0:00:12", "took 1:02:03.5"),
    ("cannot open '/srv/a/b c/d.txt'", "cannot open '/x/y.txt'"),
    ("hint: [1700000001_1_abcdef]", "hint: [1700000002_9_fedcba]"),
    ("sent 512 bytes (0.5 KB)", "sent 9 bytes"),
]


@pytest.mark.parametrize("texts", THE_SAME, ids=lambda texts: texts[0])
def test_what_changes_from_one_failure_to_the_next_is_no_part(texts: tuple[str, ...]) -> None:
    assert len(set(map(pattern, texts))) == 1


DIFFERENT = [
    ("upstream answered 401", "upstream answered 503"),
    ("401 Client Error: Unauthorized for url: https://a.example/x", "503 Server Error: Service Unavailable for url: https://a.example/x"),
    ("[Errno 28] cannot write", "[Errno 13] cannot write"),
    ("[WinError 10061] no connection", "[WinError 10060] no connection"),
    ("SQLSTATE[42S02]: it broke", "SQLSTATE[42000]: it broke"),
    ("ERROR 1045 (28000): it broke", "ERROR 1062 (23000): it broke"),
    ("(1045, \"it broke\")", "(2003, \"it broke\")"),
    ("ORA-00942: it broke", "ORA-01017: it broke"),
    ("errcode=40001", "errcode=45009"),
    ('{"errcode": 40001, "errmsg": "x"}', '{"errcode": 301002, "errmsg": "x"}'),
    ("错误码：40001", "错误码：40014"),
    ("返回 502", "返回 404"),
    ("exited with code 1", "exited with code 137"),
    ("worker died of signal 9", "worker died of signal 11"),
    ("HTTP/1.1 500", "HTTP/1.1 502"),
    ("GET https://a.example/x -> 500", "GET https://a.example/x -> 404"),
    ("status=500 path=/a/b", "status=404 path=/a/b"),
    ("no such table: orders", "no such table: users"),
    ("No module named 'numpy'", "No module named 'torch'"),
    ("service 'pay' is down", "service 'stock' is down"),
    ("bad event: KeyError('amount')", "bad event: KeyError('user')"),
    ("can't open disk, won't retry", "can't reach peer, won't retry"),
    ("cannot read deadbeef", "cannot read facade"),
    ("no answer from db.shop.example", "no answer from cache.shop.example"),
    ("GET https://api.example.com/x failed", "GET https://pay.example.com/x failed"),
]  # fmt: skip


@pytest.mark.parametrize("texts", DIFFERENT, ids=lambda texts: texts[0])
def test_codes_and_names_tell_failures_apart(texts: tuple[str, ...]) -> None:
    assert len(set(map(pattern, texts))) == len(texts)


@given(st.text(max_size=600))
def test_any_text_has_a_pattern(text: str) -> None:
    assert len(pattern(text)) <= 2 * len(text) + 1100


WORST = ["a", "1 ", "a-", "a1", ":", "/a", "@", "a.", "'", "Mon ", "0x", "f", "with ", "code ", "-1", "1,", "a@a.", "https://",
         "_-1", "aaaa/", "1:", "return with ", " ", "value=", "{1", "Jan 1 ", "A=", "1-1-", "f:"]  # fmt: skip


@pytest.mark.parametrize("part", WORST)
def test_the_worst_texts_are_bounded_by_what_is_compared(part: str) -> None:
    """Both ends alone are compared: of a megabyte no more than of 512 characters, which is looked at once."""
    long = pattern(part * 1_000_000)
    assert len(long) <= 1100
    assert pattern(part * 1_000_000) == long
