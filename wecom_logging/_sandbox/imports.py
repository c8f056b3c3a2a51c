"""batch/syncuser, replaceuser, replaceparty and getresult: members and departments from a CSV that was uploaded before.

Pages: syncuser https://developer.work.weixin.qq.com/document/path/90980, replaceuser /90981, replaceparty /90982,
getresult /90983. The job is done when its answer comes. Columns are known by their names in WeCom's own templates; a
member's departments are ids, with ``;`` between them. No ``callback`` is told how a job ended.
"""

from __future__ import annotations

import csv
import io
import secrets
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from .access import Answer, Asked
from .corp import CREATOR, Corp
from .departments import Departments
from .directory import ROOT
from .fields import Fields
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
MAX_JOBS = 10
MAX_REMOVED = 50
REMOVED_SHARE = 0.2
Row = Mapping[str | None, Any]


class Imports:
    def __init__(self, corp: Corp, members: Members, departments: Departments) -> None:
        self._corp = corp
        self._members = members
        self._departments = departments
        self._jobs: Newest[str, Answer] = Newest(MAX_JOBS)

    def sync(self, asked: Asked) -> Answer:
        """Who is there is changed, who is not is added, no member is removed."""
        rows = self._rows(asked.body, _member)
        return self._done("sync_user", [self._put(row) for row in rows])

    def replace(self, asked: Asked) -> Answer:
        """Who is not in the file is removed; 45026 where those are too many."""
        rows = self._rows(asked.body, _member)
        named = {row.text("userid").lower() for row in rows} | {CREATOR}
        members = self._corp.directory.members
        gone = [member for key, member in members.items() if key not in named]
        refuse_if(len(gone) > MAX_REMOVED and len(gone) > REMOVED_SHARE * len(members), 45026)
        told = [self._put(row) for row in rows]
        for member in gone:
            self._corp.directory.remove_member(member)
        return self._done("replace_user", told)

    def replace_departments(self, asked: Asked) -> Answer:
        """Who is not in the file is removed where it is empty; else it stays."""
        rows = self._rows(asked.body, _department)
        told = [self._put_department(row) for row in rows]
        directory = self._corp.directory
        named = {row.number("id") for row in rows} | {ROOT}
        for id in reversed(list(directory.subtree(ROOT))):  # children before their parents
            if id not in named and not directory.children(id) and not directory.people(id):
                directory.remove_department(id)
        return self._done("replace_party", told)

    def result(self, asked: Asked) -> Answer:
        id = asked.text("jobid")
        return known(self._jobs.get(id), 40035 if id else 40063)

    def _done(self, kind: str, result: list[Answer]) -> Answer:
        """A job is done when it begins; the newest ten are known."""
        id = secrets.token_hex(16)
        self._jobs[id] = {"status": 3, "type": kind, "total": len(result), "percentage": 100, "result": result}
        return {"jobid": id}

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
