"""What of a text tells two failures apart, and what changes from one to the next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wecom_logging._incidents import pattern as patterns
from wecom_logging._incidents.pattern import pattern

THE_SAME = [
    ("order 17 failed", "order 4711 failed"),
    ("no price for (1704, 'cn')", "no price for (4711, 'cn')"),
    ("no row (1704, 'of the old table', 3)", "no row (4711, 'of the old table', 3)"),
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
    ("order SO-1001 is late", "order SO-1002 is late"),
    ("转换 '三' 失败", "转换 'x y' 失败"),
    ("错误的日期：“昨天”", "错误的日期：“2026-13-01”"),
    ("1 order is lost", "3 orders are lost"),
    ("1 entry was refused", "12 entries were refused"),
    ("1 batch failed", "7 batches failed"),
    ("loss is 1e-5", "loss is 3.2e+10", "loss is 0.5"),
    ("pod shop-api-7d9c6b5f4d-x2k9q died", "pod shop-api-5b6f7c8d9f-zz8wp died", "pod shop-api-bcdfghjk7l-bcdfg died"),
    ("pod export-28912345-x2k9q died", "pod export-28912346-bcdfg died"),
    ("blk_-1608999687919862906 is corrupt", "blk_38865049064139660 is corrupt"),
    ("POST /api/orders/17/items failed", "POST /api/orders/9f86d081884c7d65/items?page=3 failed"),
    ("no answer of https://a1b2c3d4e5f6.tunnel.example/x", "no answer of https://9f8e7d6c5b4a.tunnel.example/x"),
    ("SELECT a FROM t WHERE b = 'x' AND c > 5", "SELECT a FROM t WHERE b = 'O''Hara' AND c > 77"),
    ("INSERT INTO t (a, b) VALUES (1, 'x')", "INSERT INTO t (a, b) VALUES (22, 'y z')"),
    (r"cannot open C:\My Files\sum of all.xlsx", r"cannot open C:\My Files\report 1.xlsx"),
    ("cannot get in/2026/11/27/part.parquet", "cannot get in/2025/01/02/other.parquet"),
    (r"bad frame b'\x00\x01'", r"bad frame b'\xff\x17ok'"),
    ("refused:\n  row 3: bad total\n  row 9: bad total", "refused:\n  row 12: bad total"),
    ("expected 5 fields, got 232", "expected 7 fields, got 3"),
    ("文件/data/in/a.csv读取失败", "文件/data/报表/十月.csv读取失败"),
    ("请求https://api.example.com/a/1失败", "请求https://api.example.com/b/2失败"),
    ("DELETE FROM t WHERE a LIKE '%bob%'", "DELETE FROM t WHERE a LIKE '%x y%'"),
    ("SELECT a FROM t WHERE b IN ('x')", "SELECT a FROM t WHERE b IN ('x', 'y', 'z')"),
    ("took 1.2ms", "took 2m3.5s", "took 1h2m3s"),
    ("1 key does not match", "3 keys do not match"),
    ("cannot load plugin 1.0.0rc1", "cannot load plugin 2.1.3"),
    ("pairs [(1, 2), (3, 4)]", "pairs [(5, 6)]"),
    ("2001:db8::/32 is blocked", "fe80::/10 is blocked"),
    ("no report of September", "no report of January"),
    ("closed on Wednesday", "closed on Sunday"),
    ("周二的报表没有生成", "星期六的报表没有生成", "礼拜天的报表没有生成"),
    ("第二轮同步失败", "第十一轮同步失败"),
    ("下午4点的任务未执行", "凌晨1点30分的任务未执行"),
    ("已完成百分之七", "已完成百分之六十二点五"),
    ("用时 4小时12分", "用时 2天1小时5分", "用时 9 小时 30 分"),
    ("共 3.5万 条", "共 120 条", "共 2亿 条"),
    ("owes €3", "owes $1,250.75", "owes ￥88"),
    ("ratio .07 is off", "ratio 1.25 is off"),
    ("link at 10 Gbit/s", "link at 250 kbit/s"),
    ("battery at 3.9 V", "battery at 870 mV"),
    ("wanted 64. MiB", "wanted 1.86 GiB"),
    (r"cannot open \\files3\team\a b.docx", r"cannot open \\files7\x\y.csv"),
    ("got 0a 1f c3 9e", "got ff fe fd fc 00 11"),
    ("no such charge ch_Kj3TzQwEbLfRuV", "no such charge ch_aB7cDnPqRsTuVwX"),
    ("follower oXk3uAbcDEfGh1JkLmNopQr5sTuVw left", "follower oQq9wZyxWVuTs8RqPoNmlKj2iHgFe left"),
    ('{"error": "busy", "traceId": "ab12"}', '{"error": "busy", "traceId": "ff"}'),
    ("cannot decode 'caf\u00e9'", "cannot decode 'a b'"),
    ("invalid email 'amy at home'", "invalid email 'zoe'"),
    ("invalid value 'amy' for an age", "invalid value 'x y' for an age"),
    ("could not convert string to float: 'n/a'", "could not convert string to float: '1.2.3'"),
    ("Duplicate entry 'amy' for key 'login'", "Duplicate entry 'zoe li' for key 'login'"),
    ("Key (a, b)=(amy, 1) already exists.", "Key (a, b)=(zoe, x y) already exists."),
    ('index: b_1 dup key: { b: "amy" }', 'index: b_1 dup key: { b: "zoe" }'),
    (
        "'amy' is not of type 'integer'\n\nOn instance['n']:\n    'amy'",
        "'q' is not of type 'integer'\n\nOn instance['n']:\n    'q'",
    ),
    ("unclosed tag\n  <b>hello\n  ^", "unclosed tag\n  <b>other words\n  ^"),
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
    ("call: (1114, \"The table 'a' is full\")", "call: (1205, \"The table 'a' is full\")"),
    ("Error(1040, 'Too many connections')", "Error(1203, 'Too many connections')"),
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
    ("GET /api/orders -> 500", "GET /api/users -> 500"),
    ('"POST /v1/pay/17 HTTP/1.1" 500', '"POST /v1/refund/17 HTTP/1.1" 500'),
    ("pod shop-api-7d9c6b5f4d-x2k9q died", "pod mail-worker-6c8b9d7f5c-q4w7z died"),
    ("job export-2026-11-27 failed", "job import-2026-11-27 failed"),
    ("read returned -1", "read returned -110"),
    ("call failed ret=-1", "call failed ret=-3"),
    ("接口状态 401", "接口状态 503"),
    ("下单失败[40001]", "下单失败[45009]"),
    ("HRESULT 0x80070005", "HRESULT 0x80004005"),
    ("driver error 0xC0000005", "driver error 0xC0000022"),
    ("failed with ERR_1023", "failed with ERR_1099"),
    ("build error TS2304 in app", "build error TS2551 in app"),
    ("commit failed: ORA-02291", "commit failed: ORA-00060"),
    ("no right (os error 13)", "no right (os error 2)"),
    ("received 1006 (abnormal closure)", "received 1011 (abnormal closure)"),
    ("curl: (6) it broke", "curl: (28) it broke"),
    ("550 Denied by host", "530 Denied by host"),
    ("(550, b'denied')", "(421, b'denied')"),
    ("odd answer <Response [401]>", "odd answer <Response [503]>"),
    ("expected 200 but got 401", "expected 200 but got 503"),
    ("Exception on /orders/17/list [GET]", "Exception on /users/17/list [GET]"),
    ("rpc /shop.Orders/Create failed", "rpc /shop.Orders/Cancel failed"),
    ("no answer of /api/orders/17", "no answer of /api/users/17"),
    ("调用接口/shop/pay失败", "调用接口/shop/refund失败"),
    ("文件/data/in/a.csv读取失败", "文件/data/in/a.csv写入失败"),
    (r"文件C:\in\a.csv读取失败", r"文件C:\in\a.csv写入失败"),
    ("请求https://api.example.com/a/1超时", "请求https://api.example.com/a/1失败"),
    ("返回码：-1", "返回码：-2"),
    ("错误：10001 参数缺失", "错误：10002 参数缺失"),
    ("失败，代码 1001", "失败，代码 1002"),
    ("异常码1001", "异常码2002"),
    ("connect err=111", "connect err=113"),
    ("postgresql://db.example.com/shop refused", "postgresql://db.example.com/log refused"),
    ("saving failed, error_code: E3007", "saving failed, error_code: E3101"),
    ("PUT /cart 502", "PUT /cart 409"),
    ("DELETE /files/a.png: 403", "DELETE /files/a.png: 500"),
    ("errcode: STK_0007", "errcode: STK_0012"),
    ("[BILL-2044] it broke", "[BILL-2045] it broke"),
    ("【库存-1】x STOCK_OUT-310: 失败", "【库存-1】x STOCK_OUT-311: 失败"),
    ("it broke: ERR_BILL_7", "it broke: ERR_BILL_8"),
    ("motor fault 31", "motor fault 47"),
    ("故障代码 F0407", "故障代码 F0112"),
    ("错误号：-3", "错误号：-8"),
    ("报警码【2011】", "报警码【2012】"),
    ("error -2147024894 in the driver", "error -2147221164 in the driver"),
    ("peer closed with 1001", "peer closed with 1009"),
    ("abort reason: 2", "abort reason: 6"),
    ("too many 500 error responses", "too many 429 error responses"),
    ("p90 is too high", "p999 is too high"),
    ("cannot cast to int8", "cannot cast to int16"),
    ("no IPv4 address", "no IPv6 address"),
    ("step 01_load_users failed", "step 02_send_bills failed"),
    (r"cannot open \\files3\a.csv", r"cannot open \\backup3\a.csv"),
    ("unexpected value 'REFUNDED'", "unexpected value 'PAID'"),
    ("unknown value 'refunded' of a state", "unknown value 'closed' of a state"),
    ("invalid value 'REFUNDED'", "invalid value 'PAID'"),
    ("cannot parse template 'bill'", "cannot parse template 'mail'"),
    ("field 'mail' does not match", "field 'phone' does not match"),
    ("Duplicate entry 'amy' for key 'login'", "Duplicate entry 'amy' for key 'mail'"),
    ("第三方拒绝了请求", "第四方拒绝了请求"),
    ("unclosed tag\n  <b>hello\n  ^", "unknown tag\n  <b>hello\n  ^"),
]  # fmt: skip


@pytest.mark.parametrize("texts", DIFFERENT, ids=lambda texts: texts[0])
def test_codes_and_names_tell_failures_apart(texts: tuple[str, ...]) -> None:
    assert len(set(map(pattern, texts))) == len(texts)


ENDS_OF_PATHS = st.sampled_from(["", "a", "7", "/", "\\", ".", ":", "://", "数", "，", " ", "年", "秒"])


@given(st.lists(ENDS_OF_PATHS, max_size=24).map("".join))
def test_a_text_in_which_nothing_chinese_is_near_a_path_needs_the_simple_pattern_alone(text: str) -> None:
    if text.isascii() or not {"/", "\\"} & {*text}:
        assert patterns._CHANGING.sub("#", text) == patterns.changing_near_han().sub("#", text)


@given(st.text(max_size=600))
def test_any_text_has_a_pattern(text: str) -> None:
    assert len(pattern(text)) <= 2 * len(text) + 1100


WORST = [
    "a", "1 ", "a-", "a1", ":", "/a", "@", "a.", "'", "Mon ", "0x", "f", "with ", "code ", "-1", "1,", "a@a.",
    "https://", "_-1", "aaaa/", "1:", "return with ", " ", "value=", "{1", "Jan 1 ", "A=", "1-1-", "f:",
    "select ", "select 1 from t ='", "C:\\a b.", "b'\\x", "\n1", "GET /1/", "ab-", "1 ies ", "expect 1",
    "de ", "11 ", "value '", "parse 'a' ", "\na\n^", ")=(a", "dup key: {", "$1 ", "\\\\a\\", "1分", "百分之",
    "第三", "1.", "0_abc", "a_Aa1", "message id ", "closed with ",
]  # fmt: skip


@pytest.mark.parametrize("part", WORST)
def test_the_worst_texts_are_bounded_by_what_is_compared(part: str) -> None:
    """Both ends alone are compared: of a megabyte no more than of 512 characters, which is looked at once."""
    long = pattern(part * 1_000_000)
    assert len(long) <= 1100
    assert pattern(part * 1_000_000) == long
