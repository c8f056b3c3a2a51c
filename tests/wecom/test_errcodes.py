"""The table of errcodes is whole, its rows agree with themselves, and an errmsg becomes a harmless exception."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from wecom_logging._wecom import errcodes
from wecom_logging._wecom.errcodes import MAX_ERRMSG_CHARS, ErrCode, Verdict, api_error, lookup
from wecom_logging.errors import (
    APIError,
    CredentialError,
    InvalidMessageError,
    InvalidRecipientError,
    PermissionDeniedError,
    RateLimitedError,
    ServerBusyError,
    TokenError,
)

# Written out from https://developer.work.weixin.qq.com/document/path/90313 and 99110, not taken from the table.
# fmt: off
DOCUMENTED = [
    -1, 6000,
    40001, 40003, 40004, 40005, 40006, 40007, 40008, 40009, 40011, 40013, 40014, 40031, 40032, 40033, 40035, 40039,
    40050, 40056, 40058, 40063, 40066, 40068, 40070, 40071, 40072, 40074, 40123, 40145, 40201, 40204, 40206,
    41001, 41002, 41004, 41006, 41011, 41016, 41033,
    42001, 42007, 42009, 42014, 42015, 42016, 42017, 42018, 42019, 42020,
    42027, 42028, 42029, 42030, 42031, 42032, 42033, 42034, 42035, 42036, 42037, 42038, 42039, 42040, 42041, 42042,
    42043, 42044, 42045, 42046, 42047, 42048, 42049, 42050, 42051, 42052,
    43004, 43009, 43012, 44001, 44004,
    45001, 45002, 45007, 45008, 45009, 45024, 45026, 45029, 45031, 45033, 45034, 45035, 45036,
    46004, 48001, 48002, 48004, 48005, 48006, 48008, 48009, 48010, 49008,
    50001, 50002, 50003, 50006,
    60001, 60003, 60004, 60005, 60006, 60007, 60008, 60009, 60010, 60011, 60020, 60021, 60030, 60031,
    60102, 60103, 60104, 60105, 60106, 60107, 60110, 60111, 60112, 60123, 60124, 60125, 60127, 60129, 60132,
    60140, 60146, 60147, 60148, 60257,
    81001, 81002, 81003, 81011, 81012, 81013, 81014, 82001, 82002, 82003, 82004, 85002,
    86001, 86002, 86003, 86004, 86005, 86006, 86007, 86008, 86101,
    86201, 86202, 86203, 86204, 86205, 86206, 86207, 86215, 86216, 86217, 86220,
    90001, 90200, 90201, 90202, 90203, 90204, 90205, 90206, 90207, 90208,
    92000, 92001, 92002, 92003, 93000, 93001, 93004, 93006, 93008, 93017, 93018, 93019,
    846605, 846607, 846608, 846609, 853000,  # of an AI bot's long connection, which no page lists
    301002, 301005, 301007, 301012, 301013, 301014, 301015, 301016, 301017, 301019, 301021, 301036, 302004, 302008,
    301049, 301050, 301051, 301070, 301075,
]
# fmt: on

CLASSES: dict[Verdict, set[type[APIError]]] = {
    Verdict.REFRESH: {TokenError},
    Verdict.BACKOFF: {ServerBusyError, RateLimitedError},
    Verdict.RATE_LIMIT: {RateLimitedError},
    Verdict.CONFIGURATION: {CredentialError, PermissionDeniedError},
    Verdict.PAYLOAD: {InvalidMessageError},
    Verdict.TARGET: {InvalidRecipientError},
}
RETRYABLE = {Verdict.REFRESH, Verdict.BACKOFF, Verdict.RATE_LIMIT}

SECRET = "Zx81kQm_vT-0aBcDeFgHiJkLmNoPqRsTuVwXyZ12345"
BOT_KEY = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa".replace("x", "0").replace("s", "5").replace("i", "1")

every_row = pytest.mark.parametrize("row", errcodes.errcodes(), ids=lambda row: str(row.code))


@pytest.mark.parametrize("code", DOCUMENTED)
def test_every_documented_code_has_a_row(code: int) -> None:
    assert lookup(code).code == code
    assert lookup(code).verdict is not Verdict.UNKNOWN


def test_no_code_is_there_twice_or_undocumented() -> None:
    assert len(list(errcodes._rows())) == len(errcodes.errcodes())
    assert sorted(row.code for row in errcodes.errcodes()) == sorted(DOCUMENTED)


def test_each_code_of_a_kind_is_of_one_kind_and_has_words() -> None:
    codes = [code for _, _, codes in errcodes.KINDS for code in codes]
    assert len(codes) == len(set(codes))
    assert set(codes) <= {row.code for row in errcodes.errcodes()}


def test_without_its_file_a_code_has_no_words_and_means_the_same_for_an_alert(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = errcodes.errcodes()

    def gone(package: str, name: str) -> object:
        raise FileNotFoundError(name)

    monkeypatch.setattr(errcodes, "table", gone)
    errcodes._said.cache_clear()
    for row in rows:
        found = lookup(row.code)
        if row.verdict is Verdict.PAYLOAD:  # it is given up either way
            assert found.verdict is Verdict.UNKNOWN
        else:
            assert (found.verdict, found.exception, found.retry_after_s) == (
                row.verdict,
                row.exception,
                row.retry_after_s,
            )
        assert str(row.code) in found.remedy
    monkeypatch.undo()
    assert lookup(40013).meaning == "the corp_id is wrong"


@every_row
def test_each_row_tells_what_to_do_in_both_languages(row: ErrCode) -> None:
    assert row.meaning
    assert not row.meaning.endswith(".")
    assert re.search(r"[\u4e00-\u9fff]{2}", row.meaning_zh)
    assert not row.meaning_zh.endswith("。")
    assert "\n" not in row.meaning + row.meaning_zh + row.remedy + row.remedy_zh
    assert re.fullmatch(r"[A-Z].{10,}\.", row.remedy)
    assert re.search(r"[\u4e00-\u9fff]{2}", row.remedy_zh)
    assert row.remedy_zh.endswith("。")


@every_row
def test_the_exception_fits_the_verdict(row: ErrCode) -> None:
    assert row.exception in CLASSES[row.verdict]


@every_row
def test_only_what_may_pass_by_itself_is_retryable(row: ErrCode) -> None:
    error = api_error(row.code, "text", "message/send")
    assert type(error) is row.exception
    assert error.retryable is (row.verdict in RETRYABLE)
    assert error.retry_after_s == row.retry_after_s
    assert (row.retry_after_s > 0) is (row.verdict is Verdict.RATE_LIMIT)


@pytest.mark.case("W13")
@pytest.mark.parametrize(
    ("codes", "verdict", "exception"),
    [
        ([40014, 42001], Verdict.REFRESH, TokenError),
        ([-1, 6000, 45035, 301070, 302008], Verdict.BACKOFF, ServerBusyError),
        ([45033], Verdict.BACKOFF, RateLimitedError),
        ([45009, 45036, 846607], Verdict.RATE_LIMIT, RateLimitedError),
        ([40001, 40013, 41002, 41004, 45031, 50003, 93000, 93004, 93006], Verdict.CONFIGURATION, CredentialError),
        ([40056, 41011, 48002, 48009, 60020, 301002], Verdict.CONFIGURATION, PermissionDeniedError),
        ([50002, 60011, 60021, 60030, 93001, 93008, 86008], Verdict.CONFIGURATION, PermissionDeniedError),
        ([40003, 40070, 46004, 49008, 60111, 81013, 301021], Verdict.TARGET, InvalidRecipientError),
        ([60146, 60147, 60148], Verdict.TARGET, InvalidRecipientError),
        ([40007, 40008, 40058, 40145, 41001, 44004, 45002, 93017], Verdict.PAYLOAD, InvalidMessageError),
    ],
)
def test_the_codes_that_decide_the_fate_of_an_alert(
    codes: list[int], verdict: Verdict, exception: type[APIError]
) -> None:
    assert {code: (lookup(code).verdict, lookup(code).exception) for code in codes} == dict.fromkeys(
        codes, (verdict, exception)
    )


def test_a_rate_limit_asks_for_a_minute() -> None:
    assert lookup(45009).retry_after_s == lookup(846607).retry_after_s == 60
    assert lookup(45036).retry_after_s == 60
    assert lookup(45033).retry_after_s == 0


def test_an_unknown_code_points_to_the_lookup_page() -> None:
    error = api_error(987654, "something new, hint: [17], from ip: 1.2.3.4", "message/send")
    assert type(error) is APIError
    assert lookup(987654).verdict is Verdict.UNKNOWN
    assert lookup(987654).meaning == "unknown errcode"
    assert not error.retryable
    assert "https://open.work.weixin.qq.com/devtool/query?e=987654" in error.remedy
    assert "https://open.work.weixin.qq.com/devtool/query?e=987654" in error.remedy_zh
    assert "something new" in str(error)


def test_success_is_no_error() -> None:
    with pytest.raises(ValueError, match="success"):
        lookup(0)
    with pytest.raises(ValueError, match="success"):
        api_error(0, "ok", "message/send")


@pytest.mark.parametrize(
    ("errmsg", "text", "hint"),
    [
        (
            "invalid credential, hint: [1699_7_0f2], from ip: 1.2.3.4, more info at https://open.work.weixin.qq.com/x?e=1",
            "invalid credential",
            "1699_7_0f2",
        ),
        ("api freq out of limit", "api freq out of limit", ""),
        ("no hint, from ip: 1.2.3.4, more info at https://open.work.weixin.qq.com/", "no hint", ""),
        ("empty content, hint:[12],from ip: 1.2.3.4", "empty content", "12"),
        ("left open, hint: [12", "left open", ""),
        ("not one id, hint: [a b\n]", "not one id", ""),
        ("不合法的参数, hint: [9]", "不合法的参数", "9"),
        ("", "", ""),
    ],
)
def test_the_hint_is_split_from_the_text(errmsg: str, text: str, hint: str) -> None:
    error = api_error(45009, errmsg, "webhook/send")
    assert (error.errmsg, error.hint, error.path) == (text, hint, "webhook/send")


def test_a_refused_payload_shows_wecoms_own_words() -> None:
    error = api_error(40058, "markdown.content exceed max length 4096. invalid Request Parameter, hint: [1]", "x")
    assert "markdown.content exceed max length 4096" in str(error)


@pytest.mark.case("W09")
@pytest.mark.parametrize("ip", ["1.2.3.4", "2408:8000:10:2::1f"])
def test_an_untrusted_ip_is_named_where_the_admin_reads(ip: str) -> None:
    error = api_error(60020, f"not allow to access from your ip, hint: [1], from ip: {ip}, more info at https://x", "x")
    assert ip in str(error)
    assert ip in error.remedy
    assert ip in error.remedy_zh
    assert "企业可信IP" in error.remedy_zh


@pytest.mark.parametrize("tail", ["", ", from ip: ", ", from ip: <b>", ", from ip: " + "1" * 500])
def test_an_untrusted_ip_that_wecom_does_not_name(tail: str) -> None:
    error = api_error(60020, "not allow to access from your ip" + tail, "x")
    assert (error.remedy, error.remedy_zh) == (lookup(60020).remedy, lookup(60020).remedy_zh)


@pytest.mark.case("W14")
@pytest.mark.parametrize(
    "errmsg",
    [
        "x " * 5000,
        "\n" * 10_000,
        "\x1b[31m" * 2000,
        "first\nsecond\r\n\x00\x07\x1b[2J\u2028\u2029\x85\u202e\udc80",
        "hint: [" * 2000,
        " " * 10_000 + "hint",
        "from ip: " * 2000,
        "中" * 10_000,
    ],
)
@pytest.mark.parametrize("code", [40058, 60020, 987654])
def test_a_hostile_errmsg_stays_one_short_line(errmsg: str, code: int) -> None:
    error = api_error(code, errmsg, "message/send")
    assert len(error.errmsg) <= MAX_ERRMSG_CHARS
    for text in (error.errmsg, error.hint, str(error), error.remedy, error.remedy_zh):
        assert text.isprintable()
        assert len(text) < 1000
        text.encode()


def test_control_characters_stay_visible() -> None:
    assert api_error(40058, "a\nb\x1b[2Jc\u2028d", "x").errmsg == r"a\nb\x1b[2Jc\u2028d"


@pytest.mark.case("W14")
@pytest.mark.parametrize(
    "errmsg",
    [
        f"invalid access_token={SECRET[:20]}&debug=1",
        f"bad corpsecret={SECRET[:20]}",
        f"bad key={BOT_KEY}",
        f"bad {BOT_KEY} here",
        f"bad token {SECRET}",
        "y " * 90 + SECRET * 12,  # would be cut in the middle
    ],
)
def test_what_looks_like_a_secret_is_masked(errmsg: str) -> None:
    error = api_error(40058, errmsg, "x")
    assert SECRET[:10] not in str(error) + error.errmsg
    assert BOT_KEY[:10] not in str(error) + error.errmsg
    assert "***" in error.errmsg


def test_the_module_imports_no_http_library() -> None:
    program = (
        "import sys, wecom_logging._wecom.errcodes\n"
        "print([name for name in ('requests', 'urllib3', 'ssl', 'tenacity') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
