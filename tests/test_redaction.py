"""`wecom_logging.redaction`: a program's own names and patterns, checked when the function is made."""

from __future__ import annotations

import logging
import logging.config
import re
from typing import Any

import pytest

from wecom_logging._sandbox import Sandbox
from wecom_logging.errors import ConfigurationError
from wecom_logging.redaction import redact, redact_personal, redactor


@pytest.mark.parametrize(
    "text",
    [
        "shop_door=4711",
        "shop-door: 4711",
        "{'shopDoor': '4711', 'user': 'bob'}",
        "OLD_SHOP_DOOR=4711",
        "GET /x?shop_door=4711&page=2",
        "<shop_door>4711</shop_door>",
        "--shop-door=4711",
    ],
)
def test_names_are_found_in_each_form(text: str) -> None:
    mask = redactor(extra=["shop_door"])
    assert "4711" not in mask(text)
    assert redact(text) == text
    assert mask("workshop_doork=4711 ping=4711") == "workshop_doork=4711 ping=4711"


def test_patterns_mask_all_that_they_match_and_the_rest_is_masked_too() -> None:
    mask = redactor(extra=[re.compile(r"(?<=PIN )\d{4}"), "shop_door", re.compile("room [a-z]++", re.IGNORECASE)])
    assert mask("PIN 4711 of ROOM b, password=x1") == "PIN *** of ***, password=***"


def test_names_of_ones_own_and_personal_data_go_together() -> None:
    text = "merchant_key=4711 password=x1 身份证 11010519491231002X phone 13812345678"
    assert redactor(extra=["merchant_key"], personal=True)(text) == "merchant_key=*** password=*** 身份证 *** phone ***"
    assert "13812345678" in redactor(extra=["merchant_key"])(text)
    assert redactor(personal=True)(text) == redact_personal(text)


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        ("shop_door", "a list is needed, such as ['merchant_key']"),
        ([7], "names and patterns of str are needed, not int"),
        ([re.compile(b"x")], "names and patterns of str are needed, not Pattern"),
        (["shop_door", ""], "entry 2 is no name"),
        (["shop door"], "for more, use re.compile"),
        (["x" * 65], "is no name"),
        ([re.compile("x*")], "matches the empty text"),
        ([re.compile("(a+)+b")], "a repeat within a repeat"),
        ([re.compile("(?:a*b?)*c")], "a repeat within a repeat"),
        ([re.compile(r"(\w+\s?)+$")], "a repeat within a repeat"),
        ([re.compile("(?:ab|abc)+x")], "a choice within a repeat"),
        ([re.compile("x(?=(a+)+b)")], "a repeat within a repeat"),
    ],
)
def test_what_cannot_be_used_is_refused_when_it_is_made(extra: Any, says: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(says)) as raised:
        redactor(extra=extra)
    assert raised.value.field == "extra"


def test_a_secret_that_is_given_in_place_of_its_name_is_not_repeated() -> None:
    for extra in (["S3cr3t-Pa55w0rd!xyz"], "S3cr3t-Pa55w0rd!xyz", [re.compile("(S3cr3t-Pa55w0rd!xyz+)+y")]):
        with pytest.raises(ConfigurationError) as raised:
            redactor(extra=extra)
        assert "S3cr3t" not in f"{raised.value} {vars(raised.value)}"


@pytest.mark.parametrize("pattern", [r"(?:a++)+b", r"(?>a+)+b", r"[ab]+c", r"\d{4}(?:-\d{4}){3}", "a|b"])
def test_patterns_of_linear_time_are_taken(pattern: str) -> None:
    assert callable(redactor(extra=[re.compile(pattern)]))


def test_a_dict_config_takes_it(sandbox: Sandbox) -> None:
    mask = redactor(extra=["shop_door"])
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {
                "wecom": {
                    "class": "wecom_logging.WeComBotHandler",
                    "webhook": sandbox.environment["WECOM_WEBHOOK"],
                    "api_base": sandbox.url,
                    "redact": mask,
                }
            },
            "loggers": {"shop": {"handlers": ["wecom"]}},
        }
    )
    (handler,) = logging.getLogger("shop").handlers
    logging.getLogger("shop").error("shop_door=4711, password=x1, call 13812345678")
    assert handler.flush(10)
    handler.close()
    logging.getLogger("shop").removeHandler(handler)
    (message,) = sandbox.messages()
    assert "4711" not in message["content"]
    assert "x1" not in message["content"]
    assert "13812345678" in message["content"]


def test_persons() -> None:
    assert redact_personal("shop_door=4711, call 13812345678") == "shop_door=4711, call ***"
