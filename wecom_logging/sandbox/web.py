"""From a request to its answer: who may ask, which call it is, WeCom's way of answering, and the faults on order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from .access import Access
from .app import App
from .bot import Bot
from .control import answer_faults, answer_json, answer_messages
from .corp import Corp
from .departments import Departments
from .faults import Fault
from .lookups import Lookups
from .members import Members
from .page import POLICY, render
from .refusal import TEXTS, Refusal, errmsg
from .roster import Roster
from .tags import Tags

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

LOCAL_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?", re.IGNORECASE)

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
    """The sandbox as a WSGI application. ``wait`` sleeps for a delayed answer."""

    def __init__(self, corp: Corp, wait: Callable[[float], object]) -> None:
        self._corp = corp
        self._wait = wait
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
                response = _refuse_strangers(request) or self._answer(request)
            except HTTPException as error:
                response = Response.force_type(error.get_response(), environ)
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.path.startswith("/cgi-bin/"):
            return self._answer_api(request)
        with self._corp.lock:
            if request.path == "/sandbox/messages":
                return answer_messages(self._corp, request)
            if request.path == "/sandbox/faults":
                return answer_faults(self._corp, request)
            if request.path == "/" and request.method in ("GET", "HEAD"):
                policy = {"Content-Security-Policy": POLICY}
                return Response(render(self._corp.mailbox), content_type="text/html; charset=utf-8", headers=policy)
        return _html(404)

    def _answer_api(self, request: Request) -> Response:
        corp = self._corp
        with corp.lock:
            number = corp.journal.open(corp.clock(), request.path)
            fault = corp.faults.take(request.path)
        if fault is not None:
            self._wait(fault.delay_s)
            if fault.drop:
                raise Dropped
            if fault.status is not None:
                return _html(fault.status)
        with corp.lock:
            answer = self._call(request, fault)
            corp.journal.close(number, answer["errcode"])
        return _wecom(answer)

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


def _refuse_strangers(request: Request) -> Response | None:
    """A page of another site, or a name that was made to point here, must not speak to the sandbox."""
    host = request.environ.get("HTTP_HOST", "")
    if not LOCAL_HOST.fullmatch(host):
        return _html(421)
    origin = request.environ.get("HTTP_ORIGIN")
    if origin is not None and _host_of(origin) != host:
        return _html(403)
    if request.environ.get("HTTP_SEC_FETCH_SITE", "none") not in ("none", "same-origin"):
        return _html(403)  # an <img> of another site sends no Origin
    return None


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _wecom(answer: dict[str, Any]) -> Response:
    """HTTP 200 whatever happened, the code once more in the headers."""
    response = answer_json(answer)
    response.headers["Error-Code"] = str(answer["errcode"])
    response.headers["Error-Msg"] = answer["errmsg"]
    return response


def _html(status: int) -> Response:
    body = "" if status in (204, 304) else f"<html><body><h1>{status}</h1></body></html>\n"
    return Response(body, status, content_type="text/html; charset=utf-8")
