"""batch/syncuser, replaceuser, replaceparty and getresult: members and departments from a CSV that was uploaded before.

Pages: syncuser https://developer.work.weixin.qq.com/document/path/90980, replaceuser /90981, replaceparty /90982,
getresult /90983. The job is done when its answer comes. Columns are known by their names in WeCom's own templates; a
member's departments are ids, with ``;`` between them. How a job ended is told to a server of the corp's own by an event
(https://developer.work.weixin.qq.com/document/path/90973), in three calls at most.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import requests

from .access import Answer, Asked
from .corp import CORP_ID, CREATOR, Corp
from .departments import Departments
from .directory import ROOT
from .fields import Fields
from .journal import Exchange
from .limits import Newest
from .media import APPS
from .members import Members
from .refusal import Refusal, known, refuse_if

COLUMNS = {
    "姓名": "name",
    "帐号": "userid",
    "账号": "userid",
    "手机号": "mobile",
    "手机": "mobile",
    "邮箱": "email",
    "所在部门": "department",
    "部门": "department",
    "职位": "position",
    "职务": "position",
    "性别": "gender",
    "别名": "alias",
    "地址": "address",
    "座机": "telephone",
    "英文名": "english_name",
}
GENDERS = {"男": "1", "女": "2"}
DEPARTMENT_COLUMNS = {"部门名称": "name", "部门ID": "id", "父部门ID": "parentid", "排序": "order"}
CREATED, RENAMED, MOVED, REORDERED = 1, 2, 4, 8
MAX_ROWS = 30_000
MAX_REMOVED = 50
REMOVED_SHARE = 0.2
Row = Mapping[str | None, Any]


class Imports:
    def __init__(self, corp: Corp, members: Members, departments: Departments, jobs: Jobs) -> None:
        self._corp = corp
        self._members = members
        self._departments = departments
        self._jobs = jobs

    def sync(self, asked: Asked) -> Answer:
        """Who is there is changed, who is not is added, no member is removed."""
        callback, rows = Callback.read(asked.body), self._rows(asked.body, _member)
        return self._jobs.done("sync_user", [self._put(row) for row in rows], callback)

    def replace(self, asked: Asked) -> Answer:
        """Who is not in the file is removed; 45026 where those are too many."""
        callback, rows = Callback.read(asked.body), self._rows(asked.body, _member)
        named = {row.text("userid").lower() for row in rows} | {CREATOR}
        members = self._corp.directory.members
        gone = [member for key, member in members.items() if key not in named]
        refuse_if(len(gone) > MAX_REMOVED and len(gone) > REMOVED_SHARE * len(members), 45026)
        told = [self._put(row) for row in rows]
        for member in gone:
            self._corp.directory.remove_member(member)
        return self._jobs.done("replace_user", told, callback)

    def replace_departments(self, asked: Asked) -> Answer:
        """Who is not in the file is removed where it is empty; else it stays."""
        callback, rows = Callback.read(asked.body), self._rows(asked.body, _department)
        told = [self._put_department(row) for row in rows]
        directory = self._corp.directory
        named = {row.number("id") for row in rows} | {ROOT}
        for id in reversed(list(directory.subtree(ROOT))):  # children before their parents
            if id not in named and not directory.children(id) and not directory.people(id):
                directory.remove_department(id)
        return self._jobs.done("replace_party", told, callback)

    def result(self, asked: Asked) -> Answer:
        return self._jobs.find(asked.text("jobid"))

    def _rows(self, body: Fields, read: Callable[[Row], Answer]) -> list[Fields]:
        media_id = body.text("media_id")
        refuse_if(not media_id, 41006)
        self._corp.media.find(media_id, "file", APPS)
        file = known(self._corp.media.file(media_id), 40007)
        try:
            text = io.StringIO(file.decode("utf-8-sig"), newline="")
            rows = list(islice(csv.DictReader(text), MAX_ROWS + 1))
        except (UnicodeDecodeError, csv.Error):
            raise Refusal(40035, "the file is no CSV in UTF-8") from None
        refuse_if(len(rows) > MAX_ROWS, 40035, f"more than {MAX_ROWS} rows")
        return [Fields(read(row)) for row in rows]

    def _put(self, row: Fields) -> Answer:
        user_id = row.text("userid")
        known = self._corp.directory.member(user_id)
        return {"userid": user_id, **_told(self._members.change if known else self._members.add, row)}

    def _put_department(self, row: Fields) -> Answer:
        id = row.number("id")
        old = self._corp.directory.departments.get(id)
        if id == ROOT:
            row = row.without("parentid")  # the root has none, whatever stands there
        told = _told(self._departments.change if old else self._departments.add, row)
        new = self._corp.directory.departments.get(id)
        if old is None or new is None:
            return {"action": CREATED, "partyid": id, **told}
        renamed = RENAMED if new.name != old.name else 0
        moved = MOVED if new.parent_id != old.parent_id else 0
        reordered = REORDERED if new.order != old.order else 0
        return {"action": renamed | moved | reordered, "partyid": id, **told}


def _told(act: Callable[[Fields], object], row: Fields) -> Answer:
    try:
        act(row)
    except Refusal as no:
        return {"errcode": no.errcode, "errmsg": no.text}
    return {"errcode": 0, "errmsg": "ok"}


def _department(row: Row) -> dict[str, Any]:
    """A row as ``department/create`` takes it; an empty cell says nothing, but a parent is the root."""
    cells = {DEPARTMENT_COLUMNS.get(str(column).strip()): str(cell or "").strip() for column, cell in row.items()}
    return {"parentid": ROOT, **{field: text for field, text in cells.items() if field and text}}


def _member(row: Row) -> dict[str, Any]:
    """A row as ``user/create`` takes it; an empty cell says nothing."""
    found: dict[str, Any] = {}
    for column, cell in row.items():
        field = COLUMNS.get(str(column).strip())
        text = str(cell or "").strip()
        if field == "department":
            found[field] = [part.strip() for part in text.split(";") if part.strip()]
        elif field and text:
            found[field] = GENDERS.get(text, text) if field == "gender" else text
    return found


MAX_JOBS = 10
TRIES = 3
PAUSE_S = 1
MOST_AT_ONCE = 16
ANSWER_S = 5
WEB = re.compile("https?://", re.IGNORECASE)
AES_KEY = re.compile("[A-Za-z0-9]{43}")
AES_BLOCK = 32


class Jobs:
    def __init__(self, corp: Corp) -> None:
        self._corp = corp
        self._jobs: Newest[str, Answer] = Newest(MAX_JOBS)
        self._telling = threading.BoundedSemaphore(MOST_AT_ONCE)

    def done(self, kind: str, result: list[Answer], callback: Callback | None) -> Answer:
        """A job is done when it begins; the newest ten are known."""
        id = secrets.token_hex(16)
        self._jobs[id] = {"status": 3, "type": kind, "total": len(result), "percentage": 100, "result": result}
        if callback is not None:
            event = _event(id, kind, self._corp.clock())
            threading.Thread(target=self._tell, args=(callback, event), name="wecom-sandbox-job", daemon=True).start()
        return {"jobid": id}

    def find(self, id: str) -> Answer:
        return known(self._jobs.get(id), 40035 if id else 40063)

    def _tell(self, callback: Callback, event: str) -> None:
        with self._telling:
            for _ in range(TRIES):
                began = time.perf_counter()
                status, why = callback.call(event, self._corp.clock())
                ms, errcode = (time.perf_counter() - began) * 1000, 0 if status == 200 else None
                with self._corp.changing():  # the page shows it among the calls
                    url = callback.url.partition("?")[0][:200]
                    sent = Exchange(self._corp.clock(), "POST", url, size=len(event), body=event, msgtype="event")
                    self._corp.journal.note(replace(sent, ms=ms, status=status, errcode=errcode, errmsg=why))
                if status == 200 or self._corp.wait(PAUSE_S):
                    return


def _event(id: str, kind: str, now: float) -> str:
    return (
        f"<xml><ToUserName><![CDATA[{CORP_ID}]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>"
        f"<CreateTime>{int(now)}</CreateTime><MsgType><![CDATA[event]]></MsgType>"
        f"<Event><![CDATA[batch_job_result]]></Event><BatchJob><JobId><![CDATA[{id}]]></JobId>"
        f"<JobType><![CDATA[{kind}]]></JobType><ErrCode>0</ErrCode><ErrMsg><![CDATA[ok]]></ErrMsg></BatchJob></xml>"
    )


@dataclass(frozen=True, slots=True)
class Callback:
    """Where something is told, and with which token and key."""

    url: str
    token: str
    key: str

    @classmethod
    def read(cls, body: Fields) -> Callback | None:
        """The part ``callback`` of a request; None where it has no URL."""
        part = body.part("callback")
        found = cls(part.text("url"), part.text("token"), part.text("encodingaeskey"))
        if not found.url:
            return None
        part.refuse_if(not WEB.match(found.url), "url", "must begin with http:// or https://")
        part.refuse_if(not AES_KEY.fullmatch(found.key), "encodingaeskey", "must be 43 letters and digits")
        return found

    def seal(self, event: str, now: float) -> tuple[dict[str, str], bytes]:
        """The parameters and the body of the call."""
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        key = base64.b64decode(self.key + "=")
        data = event.encode()
        plain = os.urandom(16) + len(data).to_bytes(4, "big") + data + CORP_ID.encode()
        padding = AES_BLOCK - len(plain) % AES_BLOCK
        encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
        sealed = encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()
        encrypted = base64.b64encode(sealed).decode()
        stamp, nonce = str(int(now)), str(secrets.randbelow(10**10))
        signature = hashlib.sha1("".join(sorted([self.token, stamp, nonce, encrypted])).encode()).hexdigest()
        body = (
            f"<xml><ToUserName><![CDATA[{CORP_ID}]]></ToUserName><AgentID><![CDATA[0]]></AgentID>"
            f"<Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
        )
        return {"msg_signature": signature, "timestamp": stamp, "nonce": nonce}, body.encode()

    def call(self, event: str, now: float) -> tuple[int, str]:
        """The HTTP status, or 0 and why there is none. No redirect is followed, and no proxy is asked."""
        parameters, body = self.seal(event, now)
        with requests.Session() as session:
            session.trust_env = False
            session.headers["Content-Type"] = "text/xml"
            try:
                with session.post(
                    self.url, params=parameters, data=body, timeout=ANSWER_S, allow_redirects=False, stream=True
                ) as answer:
                    return answer.status_code, ""
            except (requests.RequestException, ValueError) as error:  # ValueError: of some addresses that are none
                return 0, type(error).__name__
