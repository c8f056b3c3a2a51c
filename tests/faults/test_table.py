"""One table: what every HTTP status and every errcode means for an alert, through the whole pipeline.

Four fates: the next round comes soon, or in five minutes, or when WeCom's pause is over, or the alert is given up.
"""

from __future__ import annotations

import enum

import pytest

from tests.scripted import ScriptedWeCom, body, errcode, status
from wecom_logging._wecom.errcodes import errcodes

from .rig import PUSH, SEND, Rig


class Fate(enum.Enum):
    SOON = "within a second"
    PAUSED = "after the pause that was asked for, a minute unless it says something else"
    MENDED = "once in five minutes, until somebody has mended it"
    GIVEN_UP = "never"


# By classes, as WeCom's documents have them.
REFRESHED = {40014, 42001}
BUSY = {846609, -1, 6000, 45033, 45035, 301070, 302008}
LIMITED = {45009, 45036, 846607}
WRONG_CONFIGURATION = {
    93019,
    853000,
    *(40001, 40013, 40056, 41002, 41004, 41011, 42007, 42009, 43004, 43009, 43012, 45024, 45026, 45031, 48001, 48002),
    *(48004, 48005, 48006, 48008, 48009, 48010, 50001, 50002, 50003, 50006, 60011, 60020, 60021, 60030, 60031, 81011),
    *(
        86008,
        90001,
        90206,
        90208,
        92000,
        92001,
        92002,
        92003,
        93000,
        93001,
        93004,
        93006,
        93008,
        301002,
        301005,
        301007,
        301049,
        301050,
        301051,
    ),
}


def fate_of_errcode(code: int) -> tuple[Fate, int]:
    """And how many requests a round makes of it."""
    if code in REFRESHED:
        return Fate.SOON, 2
    if code in BUSY:
        return Fate.SOON, 3
    if code in LIMITED:
        return Fate.PAUSED, 1
    return (Fate.MENDED if code in WRONG_CONFIGURATION else Fate.GIVEN_UP), 1


def fate_of_status(code: int) -> tuple[Fate, int]:
    if code >= 500:
        return Fate.SOON, 3
    if code == 429:
        return Fate.PAUSED, 1
    return (Fate.GIVEN_UP if code == 413 else Fate.SOON), 1


def seen(rig: Rig, wecom: ScriptedWeCom, path: str) -> tuple[Fate, int]:
    """What becomes of one alert."""
    rig.log("disk full")
    rig.turn()
    tries = len(wecom.bodies(path))
    if rig.stats().pending == 0:
        assert rig.stats().dropped == {"rejected": 1}
        return Fate.GIVEN_UP, tries
    wecom.mend()
    waited = rig.run_until_settled(within_s=300)
    assert (rig.stats().delivered, len(wecom.bodies(path))) == (1, tries + 1)
    if waited <= 1:
        return Fate.SOON, tries
    return {60: Fate.PAUSED, 300: Fate.MENDED}[round(waited)], tries


@pytest.mark.slow
@pytest.mark.case("W01", "W02", "W05", "W06", "W07", "W08", "W13")
@pytest.mark.parametrize("bot", [False, True], ids=["app", "bot"])
def test_every_errcode(bot: bool, capfd: pytest.CaptureFixture[str]) -> None:
    path = PUSH if bot else SEND
    for code in [*(row.code for row in errcodes()), 999999, -2, 2**31, 10**18]:
        with ScriptedWeCom() as wecom:
            wecom.always(path, errcode(code))
            fate, tries = fate_of_errcode(code)
            assert (code, *seen(Rig(wecom.url, bot=bot), wecom, path)) == (
                code,
                fate,
                1 if bot and tries == 2 else tries,
            )


@pytest.mark.slow
@pytest.mark.case("N11", "N12", "N13", "N17", "N19")
@pytest.mark.parametrize("data", [b'{"errcode": 0, "errmsg": "ok"}', b"<html>"], ids=["with errcode 0", "with HTML"])
def test_every_http_status_but_200(data: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    for code in [*range(201, 600), 999]:
        with ScriptedWeCom() as wecom:
            wecom.always(PUSH, status(code, data if code not in (204, 304) else b""))
            assert (code, *seen(Rig(wecom.url, bot=True), wecom, PUSH)) == (code, *fate_of_status(code))


@pytest.mark.case("W13")
def test_nothing_but_the_number_0_is_a_success(capfd: pytest.CaptureFixture[str]) -> None:
    numbers = (
        "false",
        "true",
        "null",
        '"0"',
        '""',
        "0.0",
        "-0.0",
        "0e0",
        "[]",
        "[0]",
        "{}",
        "NaN",
        "1e-400",
        "00",
        "+0",
    )
    for number in numbers:
        with ScriptedWeCom() as wecom:
            wecom.always(PUSH, body(b'{"errcode": %s, "errmsg": "ok"}' % number.encode()))
            assert (number, *seen(Rig(wecom.url, bot=True), wecom, PUSH)) == (number, Fate.SOON, 3)
