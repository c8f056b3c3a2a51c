"""From a request to its answer: who may ask, which call it is, WeCom's way of answering, and the faults on order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from .access import Access
from .app import App
from .bot import Bot
from .control import answer_faults, answer_json, answer_messages
from .corp import Corp
from .departments import Departments
from .faults import Fault
from .inspector import Exchange, read, told
from .lookups import Lookups
from .members import Members
from .page import Page
from .refusal import TEXTS, Refusal, errmsg
from .roster import Roster
from .strangers import Doorkeeper
from .tags import Tags

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Endpoint = Callable[[Request], dict[str, Any]]


# A refusal of these still carries the list, empty (https://developer.work.weixin.qq.com/document/path/92520 does so).
EMPTY_LISTS = {
    "/cgi-bin/department/list": "department",
    "/cgi-bin/department/simplelist": "department_id",
    "/cgi-bin/user/simplelist": "userlist",
    "/cgi-bin/user/list": "userlist",
    "/cgi-bin/tag/list": "taglist",
}


def directory_endpoints(corp: Corp, access: Access) -> dict[str, tuple[str, Endpoint]]:
    departments, members, tags = Departments(corp, access), Members(corp, access), Tags(corp, access)
    roster, lookups = Roster(corp, access), Lookups(corp, access)
    return {
        "/cgi-bin/department/create": ("POST", departments.create),
        "/cgi-bin/department/update": ("POST", departments.update),
        "/cgi-bin/department/delete": ("GET", departments.delete),
        "/cgi-bin/department/list": ("GET", departments.list),
        "/cgi-bin/department/simplelist": ("GET", departments.simplelist),
        "/cgi-bin/department/get": ("GET", departments.get),
        "/cgi-bin/user/create": ("POST", members.create),
        "/cgi-bin/user/update": ("POST", members.update),
        "/cgi-bin/user/delete": ("GET", members.delete),
        "/cgi-bin/user/batchdelete": ("POST", members.batchdelete),
        "/cgi-bin/user/get": ("GET", roster.get),
        "/cgi-bin/user/simplelist": ("GET", roster.list_names),
        "/cgi-bin/user/list": ("GET", roster.list_details),
        "/cgi-bin/user/list_id": ("POST", roster.list_id),
        "/cgi-bin/user/getuserid": ("POST", lookups.by_mobile),
        "/cgi-bin/user/get_userid_by_email": ("POST", lookups.by_email),
        "/cgi-bin/batch/invite": ("POST", members.invite),
        "/cgi-bin/tag/create": ("POST", tags.create),
        "/cgi-bin/tag/update": ("POST", tags.update),
        "/cgi-bin/tag/delete": ("GET", tags.delete),
        "/cgi-bin/tag/get": ("GET", tags.get),
        "/cgi-bin/tag/addtagusers": ("POST", tags.add),
        "/cgi-bin/tag/deltagusers": ("POST", tags.remove),
        "/cgi-bin/tag/list": ("GET", tags.list),
    }


class Dropped(Exception):
    """The connection is to be closed without an answer."""


class Web:
    """The sandbox as a WSGI application. ``wait`` sleeps for a delayed answer; it is true when the sandbox stops."""

    def __init__(self, corp: Corp, wait: Callable[[float], bool], doorkeeper: Doorkeeper) -> None:
        self._corp = corp
        self._wait = wait
        self._doorkeeper = doorkeeper
        self._page = Page(corp, wait)
        access = Access(corp)
        app, bot = App(corp, access), Bot(corp)
        self._endpoints: dict[str, tuple[str, Endpoint]] = {
            "/cgi-bin/gettoken": ("GET", app.gettoken),
            "/cgi-bin/message/send": ("POST", app.send),
            "/cgi-bin/message/recall": ("POST", app.recall),
            "/cgi-bin/media/upload": ("POST", app.upload),
            "/cgi-bin/agent/get": ("GET", app.describe),
            "/cgi-bin/webhook/send": ("POST", bot.send),
            "/cgi-bin/webhook/upload_media": ("POST", bot.upload),
            **directory_endpoints(corp, access),
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with Request(environ) as request:
            try:
                status = self._doorkeeper.refuse(request)
                response = _html(status) if status else self._answer(request)
            except HTTPException as error:
                response = Response.force_type(error.get_response(), environ)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.path.startswith("/cgi-bin/"):
            return self._answer_api(request)
        if request.path.startswith("/sandbox/"):
            return self._answer_control(request) if self._doorkeeper.knows(request) else _html(401)
        return self._page.file(request) or _html(404)

    def _answer_control(self, request: Request) -> Response:
        if request.path == "/sandbox/events":
            return self._page.events(request)
        with self._corp.lock:
            if request.path == "/sandbox/messages":
                return answer_messages(self._corp, request)
            if request.path == "/sandbox/faults":
                return answer_faults(self._corp, request)
        return _html(404)

    def _answer_api(self, request: Request) -> Response:
        corp = self._corp
        began = time.perf_counter()
        with corp.lock:
            exchange = read(request, corp.clock(), corp.secrets())
            number = corp.journal.open(corp.clock(), request.path)
            fault = corp.faults.take(request.path)
        if fault is not None:
            self._wait(fault.delay_s)
            if fault.drop or fault.status is not None:
                with corp.lock:
                    self._note(replace(exchange, status=fault.status or 0), began)
                if fault.status is None:
                    raise Dropped
                return _html(fault.status)
        with corp.lock:
            delivered, discarded = corp.mailbox.count, corp.pulse.discarded
            answer = self._call(request, fault)
            corp.journal.close(number, answer["errcode"])
            message = corp.mailbox.count if corp.mailbox.count > delivered else 0
            done = replace(exchange, message=message, discarded=corp.pulse.discarded - discarded)
            self._note(told(done, answer, corp.secrets()), began)
        return _wecom(answer)

    def _note(self, exchange: Exchange, began: float) -> None:
        """For the page. Under the lock."""
        corp = self._corp
        corp.inspector.note(replace(exchange, ms=(time.perf_counter() - began) * 1000))
        delivered, failed = int(exchange.message > 0), int(exchange.errcode != 0)
        corp.pulse.note(corp.clock(), delivered=delivered, failed=failed, discarded=exchange.discarded)
        corp.touch()

    def _call(self, request: Request, fault: Fault | None) -> dict[str, Any]:
        """WeCom's answer: the code and its text first, then what the call gives."""
        try:
            if fault is not None and fault.errcode is not None:
                raise Refusal(fault.errcode)
            return {"errcode": 0, "errmsg": TEXTS[0], **self._find(request)(request)}
        except Refusal as no:
            if no.errcode == 0:
                return {"errcode": 0, "errmsg": TEXTS[0]}
            text = errmsg(no.errcode, no.detail, now=self._corp.clock(), ip=request.remote_addr or "")
            empty = EMPTY_LISTS.get(request.path)
            return {"errcode": no.errcode, "errmsg": text, **({empty: []} if empty else {}), **no.extra}

    def _find(self, request: Request) -> Endpoint:
        """A wrong method is not told as such: the parameters are looked for where they are not (path/90313)."""
        found = self._endpoints.get(request.path)
        if found is None:
            raise Refusal(40058, "the sandbox does not have this call")
        method, endpoint = found
        if request.method != method:
            raise Refusal(40058)
        return endpoint


def _wecom(answer: dict[str, Any]) -> Response:
    """HTTP 200 whatever happened, the code once more in the headers."""
    response = answer_json(answer)
    response.headers["Error-Code"] = str(answer["errcode"])
    response.headers["Error-Msg"] = answer["errmsg"]
    return response


def _html(status: int) -> Response:
    body = "" if status in (204, 304) else f"<html><body><h1>{status}</h1></body></html>\n"
    return Response(body, status, content_type="text/html; charset=utf-8")
