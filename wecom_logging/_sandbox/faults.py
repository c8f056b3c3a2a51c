"""Faults that were injected: the next calls of a path get an errcode, an HTTP status, a delay, or no answer at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from .refusal import is_errcode
from .shapes import wrong_if

MAX_WAITING = 1000
AIBOT = "/aibot"
_FAMILIES = """
aibot auth calendar card chatdata checkin corp corpgroup dial exmail export externalcontact externalpay hardware health
idconvert ihr invoice journal kf linkedcorp living material meeting meetingroom miniprogram msgaudit oa pstncc report
rooms school security service smartsheet tool treasury wedoc wedrive workbench
"""
_CALLS = """
get_jsapi_ticket ticket/get
message/update_taskcard message/get_statistics
media/get/jssdk media/upload_attachment media/upload_by_url media/get_upload_by_url_result
user/authsucc user/getuserinfo user/getuserdetail user/get_active_stat user/tfa_succ
user/list_member_auth user/check_member_auth
batch/openuserid_to_userid batch/userid_to_openuserid
agent/set_workbench_template agent/get_workbench_template agent/set_workbench_data agent/get_permissions
agent/set_scope agent/get_workbench_data agent/batch_set_workbench_data
"""
FAMILIES = frozenset(_FAMILIES.split())
CALLS = frozenset(_CALLS.split())


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. ``delay_s`` goes together with each of the others, or alone: a late answer that is right.

    ``errcode`` 0 is WeCom's "ok" for a call that does nothing. ``withhold`` is for commands of the AI bot
    ("/aibot/ping" …): it is done, and not answered. "/aibot" alone is the connection.
    """

    path: str
    times: int = 1
    errcode: int | None = None
    status: int | None = None
    delay_s: float = 0
    drop: bool = False
    withhold: bool = False


NO_FAULT = Fault("")


class Faults:
    """In the order given; the oldest that fits a path is used up first."""

    def __init__(self) -> None:
        self.paths = {AIBOT}
        """What is built here; a fault may also be for what WeCom has."""
        self._waiting: dict[int, Fault] = {}
        self._count = 0

    def as_json(self) -> list[dict[str, Any]]:
        """Those that wait, in order."""
        return [{"number": number, **asdict(fault)} for number, fault in self._waiting.items()]

    def add(self, fault: Fault) -> None:
        path, errcode = fault.path, fault.errcode
        wrong_if(path not in self.paths and not is_wecoms(path), "path", f"neither WeCom nor its AI bot has {path}")
        wrong_if(errcode is not None and not is_errcode(errcode), "errcode", f"WeCom has no errcode {errcode}")
        wrong_if(len(self._waiting) >= MAX_WAITING, "", f"{MAX_WAITING} faults wait already; DELETE removes them")
        self._count += 1
        self._waiting[self._count] = fault

    def take(self, path: str) -> Fault:
        """`NO_FAULT` where none is for that path."""
        for number, fault in self._waiting.items():
            if fault.path == path:
                if fault.times > 1:
                    self._waiting[number] = replace(fault, times=fault.times - 1)
                else:
                    del self._waiting[number]
                return fault
        return NO_FAULT

    def remove(self, number: int | None = None, path: str | None = None) -> None:
        """Those that fit what is given."""
        for one, fault in list(self._waiting.items()):
            if number in (None, one) and path in (None, fault.path):
                del self._waiting[one]


def read_fault(wish: Mapping[str, Any]) -> Fault:
    """A fault from its JSON, whose shape was checked. `WrongField` where the whole makes no sense."""
    fault = Fault(**{name: value for name, value in wish.items() if value is not None})
    kinds = (fault.errcode is not None) + (fault.status is not None) + fault.drop + fault.withhold
    is_command, is_connection = fault.path.startswith(f"{AIBOT}/"), fault.path == AIBOT
    one_of = '"errcode", "status", "delay_s", "drop" and "withhold"'
    its_commands = 'a connection has no "errcode"; its commands have, as /aibot/ping'
    wrong_if(kinds > 1, "errcode", 'at most one of "errcode", "status", "drop" and "withhold"')
    wrong_if(is_command and fault.status is not None, "status", 'a frame has no "status"')
    wrong_if(fault.withhold and not is_command, "withhold", '"withhold" is for commands of the AI bot')
    wrong_if(is_connection and fault.errcode is not None, "errcode", its_commands)
    wrong_if(not kinds and not fault.delay_s, "errcode", f"one of {one_of} is needed")
    return fault


def is_wecoms(path: str) -> bool:
    """Of a path below ``/cgi-bin/``."""
    call = path.removeprefix("/cgi-bin/")
    return call in CALLS or call.partition("/")[0] in FAMILIES
