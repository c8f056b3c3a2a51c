"""``wecom-logging members import``: a file of members into the directory.

One request at a time, departments before their members, as WeCom wants it
(https://developer.work.weixin.qq.com/document/path/90205). A row that is refused does not keep the next from going on.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ..._render import inert
from ..._wecom import WeComClient
from ...errors import APIError, MessageError, WeComError
from ...model import Department
from ..printing import print_json
from . import csv_table
from .department_path import Path as DepartmentPath
from .department_path import Place, Tree
from .entry import Entry
from .patience import Patience, stops_all
from .plan import Names, Plan, check_rows, compare
from .progress import Progress
from .refused import Report
from .whole_file import unwound_by_signals

TAKEN = frozenset({60102, 60104, 60106})
"""The user id, mobile number or e-mail address: perhaps by an earlier try of the same request."""


def run(options: argparse.Namespace, *, sleep: Callable[[float], None] = time.sleep) -> int:
    """Import a file; ``sleep`` is what waiting is done with."""
    source = Path(options.file)
    table = csv_table.read(source)
    target = Path(options.refused) if options.refused else source.with_name(f"{source.stem}.refused.csv")
    if target.exists() and target.samefile(source):  # however its path is written
        raise MessageError(f"{target}: it is the file to import; give --refused another")
    with unwound_by_signals(), Report(table, None if options.dry_run else target) as report:
        entries = check_rows(table, update=options.update, refuse=report.refuse)
        progress = Progress("members", len(table.rows))
        patience = Patience(progress.say, sleep)
        client = WeComClient(sleep=patience.nap)
        plan = Plan(Tree(()), set())
        if entries:
            plan = compare(entries, client, patience.call, update=options.update, refuse=report.refuse)
        if options.dry_run:
            return _show(plan, report, as_json=options.json)
        work = MemberImport(client, patience, progress, report, invite=not options.no_invite)
        work.carry_out(plan)
    return _summary(work, report, as_json=options.json)


class MemberImport:
    """Carries a plan out, and counts."""

    def __init__(
        self, client: WeComClient, patience: Patience, progress: Progress, report: Report, *, invite: bool
    ) -> None:
        self.created = self.updated = self.departments = 0
        self._client = client
        self._patience = patience
        self._progress = progress
        self._report = report
        self._invite = invite
        self._failed: dict[Names, WeComError] = {}

    def carry_out(self, plan: Plan) -> None:
        """All of it. Raises what stops everything, having said how far it came."""
        entries = plan.entries
        for _ in range(len(self._report.lines)):
            self._progress.step()
        try:
            for names in plan.missing:
                self._make(names, plan)
            self._members(entries, plan)
        except (WeComError, KeyboardInterrupt, SystemExit):
            done = self.created + self.updated
            self._progress.say(
                f"Stopped: {done} of {len(entries)} members are done. The same file with --update goes on from there."
            )
            raise
        finally:
            self._progress.end()

    def _members(self, entries: list[Entry], plan: Plan) -> None:
        """Direct leaders that come later in the file are set when they exist."""
        coming = {one.key for one in entries} - plan.known
        later: list[tuple[Entry, list[str]]] = []
        for one in entries:
            fields, leaders = _without_coming_leaders(one, coming)
            if self._done(one, partial(self._put, replace(one, fields=fields), plan)) and leaders:
                later.append((one, leaders))
            coming.discard(one.key)
            self._progress.step(f" ({len(self._report.lines)} refused)" if self._report.lines else "")
        for one, leaders in later:
            self._done(one, partial(self._lead, one, leaders))

    def _done(self, one: Entry, step: Callable[[], None]) -> bool:
        """Whether a step for one row was done; refused, the row goes into the report."""
        try:
            step()
        except MessageError as error:
            self._report.refuse(one.row, str(error))
        except WeComError as error:
            if stops_all(error):
                raise
            self._report.refuse(one.row, str(error))
        else:
            return True
        return False

    def _put(self, one: Entry, plan: Plan) -> None:
        found = one.with_ids(lambda place: self._id_of(place, plan))
        if one.key in plan.known:
            self._patience.call(lambda: self._client.members.update(one.user_id, **found))
            self.updated += 1
        else:
            self._create(one.user_id, found)
            plan.known.add(one.key)
            self.created += 1

    def _create(self, user_id: str, fields: dict[str, Any]) -> None:
        members = self._client.members
        try:
            self._patience.call(lambda: members.create(user_id=user_id, invite=self._invite, **fields))
        except APIError as error:
            if error.errcode not in TAKEN or not self._patience.repeated:
                raise
            taken = error
        else:
            return
        # An earlier try may have created the member although its answer was lost. Then the same fields can be set.
        try:
            self._patience.call(lambda: members.update(user_id, **fields))
        except APIError as error:
            raise error if stops_all(error) else taken from None

    def _lead(self, one: Entry, leaders: list[str]) -> None:
        try:
            self._patience.call(lambda: self._client.members.update(one.user_id, direct_leaders=leaders))
        except APIError as error:
            if stops_all(error):
                raise
            raise MessageError(f"direct_leaders: {error} The member exists now; use --update.") from None

    def _id_of(self, place: Place, plan: Plan) -> int:
        if not isinstance(place, DepartmentPath):
            return place
        names = plan.tree.names_of(place)
        for end in range(1, len(names) + 1):
            if (error := self._failed.get(names[:end])) is not None:
                raise MessageError(f"departments: {'/'.join(names[:end])} could not be made: {error}")
        id = plan.tree.find(names)
        if id is None:
            raise MessageError(f"departments: {'/'.join(names)} could not be made")
        return id

    def _make(self, names: Names, plan: Plan) -> None:
        """One department; a refusal is kept for the rows that need it."""
        parent_id = plan.tree.find(names[:-1])
        if parent_id is None:
            return
        departments = self._client.departments
        try:
            id = self._patience.call(lambda: departments.create(name=names[-1], parent_id=parent_id))
        except WeComError as error:
            if stops_all(error):
                raise
            if getattr(error, "errcode", None) == 60008 and self._patience.repeated:  # made by an earlier try
                for department in self._patience.call(departments.list):
                    plan.tree.add(department)
            if plan.tree.find(names) is None:
                self._failed[names] = error
                return
        else:
            plan.tree.add(Department(id, names[-1], parent_id))
        self.departments += 1


def _without_coming_leaders(one: Entry, coming: set[str]) -> tuple[dict[str, Any], list[str]]:
    leaders = one.fields.get("direct_leaders", [])
    if not any(leader.lower() in coming for leader in leaders):
        return one.fields, []
    return {name: value for name, value in one.fields.items() if name != "direct_leaders"}, leaders


def _show(plan: Plan, report: Report, *, as_json: bool) -> int:
    """What would be done."""
    for names in plan.missing:
        _say({"would": "make department", "department": "/".join(names)}, as_json=as_json)
    for one in plan.entries:
        would = "update" if one.key in plan.known else "create"
        member = {"would": would, "line": one.row.line, "user_id": one.user_id, "name": one.fields.get("name", "")}
        _say(member, as_json=as_json)
    for line, error in sorted(report.lines.items()):
        _say({"would": "refuse", "line": line, "error": error}, as_json=as_json)
    if not as_json:
        counts = (len(plan.create), len(plan.update), len(plan.missing))
        print("would create {}, update {}, make {} departments, refuse {}".format(*counts, len(report.lines)))
    return 1 if report.lines else 0


def _say(what: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(what)
    else:
        words = [f"line {value}:" if name == "line" else str(value) for name, value in what.items()]
        print(inert.line(" ".join(words)))


def _summary(work: MemberImport, report: Report, *, as_json: bool) -> int:
    refused = len(report.lines)
    where = str(report.path) if refused else ""
    if as_json:
        counts = {"created": work.created, "updated": work.updated, "departments": work.departments}
        print_json({**counts, "refused": refused, "report": where})
    else:
        print(
            f"created {work.created}, updated {work.updated}, made {work.departments} departments, refused {refused}"
            + (f" (see {inert.line(where)})" if where else "")
        )
    return 1 if refused else 0
