"""From a request to its answer: who may ask, which call it is, and how WeCom answers, injected faults included."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from .access import Asked, any_app, any_token, anybody, contacts_sync, details, disabled_too
from .agents import Agents
from .aibot.connections import PATHS as AIBOT_PATHS
from .aibot.connections import Connections
from .app import App, Bot
from .calls import answer_json
from .chats import Chats
from .control import CALLS
from .corp import Corp
from .departments import Departments
from .faults import AIBOT, Fault, is_wecoms
from .fields import READING, Reading
from .files import Files
from .imports import Imports
from .journal import read, told
from .limits import Limit, SlidingWindow
from .members import Members, Roster
from .page.page import Page
from .refusal import OK, WARNING, Refusal, errmsg, known, refuse_if
from .ringing import Ringing
from .sockets import Sockets, converse
from .strangers import Doorkeeper
from .tags import Tags

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Check = Callable[[Corp, Request], Asked]
Endpoint = Callable[[Asked], dict[str, Any] | Response]

DEBUG_LIMIT = Limit(5, 60)
"""Of calls with ``debug=1`` in the URL (https://developer.work.weixin.qq.com/document/path/90313)."""

OPEN_TO_ALL = ("/sandbox/health", "/sandbox/openapi.json")
"""They hold no data of a person, and a program that watches a container has no token."""

SLASHES = re.compile("/{2,}")
"""Clients in use ask for ``//cgi-bin/…`` and ``/cgi-bin//…``, and are answered."""

WITHOUT_HINT = 40014
WITH_HINT_ALWAYS = "/cgi-bin/getcallbackip"

# A refusal of these still carries its lists, empty (https://developer.work.weixin.qq.com/document/path/92520 does so).
EMPTY_LISTS = {
    "/cgi-bin/department/list": ("department",),
    "/cgi-bin/department/simplelist": ("department_id",),
    "/cgi-bin/user/get": ("department", "order", "is_leader_in_dept", "direct_leader"),
    "/cgi-bin/user/simplelist": ("userlist",),
    "/cgi-bin/user/list": ("userlist",),
    "/cgi-bin/user/list_id": ("dept_user",),
    "/cgi-bin/tag/list": ("taglist",),
    "/cgi-bin/getcallbackip": ("ip_list",),
    "/cgi-bin/get_api_domain_ip": ("ip_list",),
}


class Dropped(Exception):
    """The connection is to be closed without an answer."""


def _endpoints(corp: Corp) -> dict[str, tuple[str, Check, Endpoint]]:
    app, bot, chats = App(corp), Bot(corp), Chats(corp)
    agents, files, roster = Agents(corp), Files(corp), Roster(corp)
    departments, members, tags = Departments(corp), Members(corp), Tags(corp)
    imports = Imports(corp, members, departments)
    ringing = Ringing(corp)
    return {
        "/cgi-bin/gettoken": ("GET", anybody, app.gettoken),
        "/cgi-bin/getcallbackip": ("GET", any_token, roster.ip_list),
        "/cgi-bin/get_api_domain_ip": ("GET", any_token, roster.ip_list),
        "/cgi-bin/message/send": ("POST", any_app, app.send),
        "/cgi-bin/message/recall": ("POST", any_app, app.recall),
        "/cgi-bin/message/update_template_card": ("POST", any_app, app.update_card),
        "/cgi-bin/appchat/create": ("POST", any_app, chats.create),
        "/cgi-bin/appchat/update": ("POST", any_app, chats.update),
        "/cgi-bin/appchat/get": ("GET", any_app, chats.get),
        "/cgi-bin/appchat/send": ("POST", any_app, chats.send),
        "/cgi-bin/media/upload": ("POST", any_app, files.upload),
        "/cgi-bin/media/get": ("GET", any_app, files.get),
        "/cgi-bin/media/uploadimg": ("POST", any_app, files.upload_picture),
        "/cgi-bin/agent/get": ("GET", disabled_too, agents.get),
        "/cgi-bin/agent/list": ("GET", any_app, agents.list),
        "/cgi-bin/agent/set": ("POST", any_app, agents.set),
        "/cgi-bin/menu/create": ("POST", any_app, agents.create_menu),
        "/cgi-bin/menu/get": ("GET", any_app, agents.get_menu),
        "/cgi-bin/menu/delete": ("GET", any_app, agents.delete_menu),
        "/cgi-bin/batch/openuserid_to_userid": ("POST", any_token, roster.open_userids),
        "/cgi-bin/webhook/send": ("POST", anybody, bot.send),
        "/cgi-bin/webhook/upload_media": ("POST", anybody, bot.upload),
        "/cgi-bin/department/create": ("POST", contacts_sync, departments.create),
        "/cgi-bin/department/update": ("POST", contacts_sync, departments.update),
        "/cgi-bin/department/delete": ("GET", contacts_sync, departments.delete),
        "/cgi-bin/department/list": ("GET", details, departments.list),
        "/cgi-bin/department/simplelist": ("GET", any_token, departments.simplelist),
        "/cgi-bin/department/get": ("GET", details, departments.get),
        "/cgi-bin/user/create": ("POST", contacts_sync, members.create),
        "/cgi-bin/user/update": ("POST", contacts_sync, members.update),
        "/cgi-bin/user/delete": ("GET", contacts_sync, members.delete),
        "/cgi-bin/user/batchdelete": ("POST", contacts_sync, members.batchdelete),
        "/cgi-bin/user/get": ("GET", details, roster.get),
        "/cgi-bin/user/simplelist": ("GET", details, roster.list_names),
        "/cgi-bin/user/list": ("GET", details, roster.list_details),
        "/cgi-bin/user/list_id": ("POST", contacts_sync, roster.list_id),
        "/cgi-bin/user/getuserid": ("POST", any_token, roster.by_mobile),
        "/cgi-bin/user/get_userid_by_email": ("POST", any_token, roster.by_email),
        "/cgi-bin/user/convert_to_openid": ("POST", any_token, roster.openid),
        "/cgi-bin/user/convert_to_userid": ("POST", any_token, roster.userid),
        "/cgi-bin/batch/invite": ("POST", any_token, members.invite),
        "/cgi-bin/batch/syncuser": ("POST", contacts_sync, imports.sync),
        "/cgi-bin/batch/replaceuser": ("POST", contacts_sync, imports.replace),
        "/cgi-bin/batch/replaceparty": ("POST", contacts_sync, imports.replace_departments),
        "/cgi-bin/batch/getresult": ("GET", contacts_sync, imports.result),
        "/cgi-bin/tag/create": ("POST", any_token, tags.create),
        "/cgi-bin/tag/update": ("POST", any_token, tags.update),
        "/cgi-bin/tag/delete": ("GET", any_token, tags.delete),
        "/cgi-bin/tag/get": ("GET", any_token, tags.get),
        "/cgi-bin/tag/addtagusers": ("POST", any_token, tags.add),
        "/cgi-bin/tag/deltagusers": ("POST", any_token, tags.remove),
        "/cgi-bin/tag/list": ("GET", any_token, tags.list),
        "/cgi-bin/pstncc/call": ("POST", any_app, ringing.call),
        "/cgi-bin/pstncc/getstates": ("POST", any_app, ringing.states),
    }


class Web:
    """The sandbox as a WSGI application."""

    def __init__(self, corp: Corp, doorkeeper: Doorkeeper, idle_s: float) -> None:
        self._corp = corp
        self._doorkeeper = doorkeeper
        self.sockets = Sockets()
        connections = Connections(corp, idle_s)
        for path in AIBOT_PATHS:
            self.sockets.on(path, connections.talk)
        self._page = Page(corp)
        self._begin()
        corp.when_reset.append(self._begin)
        corp.faults.paths |= self._endpoints.keys()

    def _begin(self) -> None:
        """Groups, menus, jobs and the like are those of the endpoints."""
        self._debugged = SlidingWindow(self._corp.clock, DEBUG_LIMIT)
        self._endpoints = _endpoints(self._corp)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not self._corp.strict:
            environ["PATH_INFO"] = SLASHES.sub("/", environ.get("PATH_INFO", ""))
        with Request(environ) as request:
            try:
                is_socket = self.sockets.find(request) is not None
                refused = self._doorkeeper.refuse(request, is_socket=is_socket)
                response = _html(*refused) if refused else self._answer(request)
            except HTTPException as error:
                response = Response.force_type(error.get_response(), environ)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        handler = self.sockets.find(request)
        if handler is not None:
            response = self._refused(request) or converse(request, handler)
            if response is None:
                raise Dropped
            return response
        if request.path.startswith("/cgi-bin/"):
            return self._answer_api(request)
        if request.path.startswith("/sandbox/"):
            if request.path not in OPEN_TO_ALL and not self._doorkeeper.knows(request):
                return _html(401)
            is_page = request.path == "/sandbox/events"
            return self._page.events(request) if is_page else CALLS.answer(self._corp, request)
        return self._page.file(request) or _html(404)

    def _refused(self, request: Request) -> Response | None:
        """A fault of the AI bot's connection, which takes the place of the handshake."""
        if request.path not in AIBOT_PATHS:
            return None
        with self._corp.lock:
            fault = self._corp.faults.take(AIBOT)
        self._corp.wait(fault.delay_s)
        if fault.drop:
            raise Dropped
        return None if fault.status is None else _html(fault.status)

    def _answer_api(self, request: Request) -> Response:
        corp = self._corp
        began = time.perf_counter()
        with corp.lock:
            exchange = read(request, corp.clock(), corp.secrets())
            number = corp.journal.open(request.path)
            fault = corp.faults.take(request.path)
        corp.wait(fault.delay_s)
        if fault.drop or fault.status is not None:
            corp.close_call(number, replace(exchange, status=fault.status or 0), began)
            if fault.status is None:
                raise Dropped
            return _html(fault.status)
        if request.path not in self._endpoints and not is_wecoms(request.path):
            corp.close_call(number, replace(exchange, status=404), began)
            return Response(status=404)
        with corp.lock:
            delivered, discarded = corp.mailbox.count, corp.journal.discarded
            reading = request.environ[READING] = Reading(corp.strict)
            answer, response = self._call(request, reading, fault)
            message = corp.mailbox.count if corp.mailbox.count > delivered else 0
            done = replace(exchange, message=message, discarded=corp.journal.discarded - discarded)
            corp.close_call(number, told(done, answer, reading.warning, corp.secrets()), began)
        return _wecom(answer, response)

    def _call(self, request: Request, reading: Reading, fault: Fault) -> tuple[dict[str, Any], Response | None]:
        """WeCom's answer: the code and its text first, then what the call gives; or a file in its place."""
        ok = {"errcode": 0, "errmsg": OK}
        try:
            if fault.errcode is not None:
                raise Refusal(fault.errcode)
            refuse_if(request.args.get("debug") == "1" and not self._debugged.admits(0), 45009)
            check, endpoint = self._find(request, reading)
            found = endpoint(check(self._corp, request))
        except Refusal as no:
            if no.errcode == 0:
                return ok, None
            text = f"{WARNING if reading.doubts else ''}{no.text}"
            if no.errcode != WITHOUT_HINT or request.path == WITH_HINT_ALWAYS:
                text = errmsg(no.errcode, text, now=self._corp.clock(), ip=request.remote_addr or "")
            empty: dict[str, Any] = {name: [] for name in EMPTY_LISTS.get(request.path, ())}
            return {"errcode": no.errcode, "errmsg": text, **empty, **no.extra}, None
        if isinstance(found, Response):
            return ok, found
        answer = {**ok, **found}
        if reading.doubts:
            answer["errmsg"] += f". {WARNING}"
        return answer, None

    def _find(self, request: Request, reading: Reading) -> tuple[Check, Endpoint]:
        """A wrong method is not told as such: the parameters are looked for where they are not (path/90313).

        Those of a call for GET are in the URL, and are found there by POST, too: PowerWeChat 3 knows no other way for
        ``media/get`` and ``agent/get``.
        """
        unbuilt = f"the sandbox has not built {request.path.removeprefix('/cgi-bin/')[:100]}"
        method, check, endpoint = known(self._endpoints.get(request.path), 40058, unbuilt)
        if request.method != method:
            refuse_if(request.method != "POST", 40058)
            reading.remark("the documents ask with GET")
        return check, endpoint


def _wecom(answer: dict[str, Any], response: Response | None) -> Response:
    """HTTP 200 whatever happened, the code once more in the headers, which is all that is said beside a file."""
    response = response or answer_json(answer, compact=True)
    response.headers["Error-Code"] = str(answer["errcode"])
    response.headers["Error-Msg"] = re.sub("[^ -~]", "?", answer["errmsg"])
    return response


def _html(status: int, text: str = "") -> Response:
    said = f"<p>{html.escape(text)}</p>" if text else ""
    body = "" if status in (204, 304) else f"<html><body><h1>{status}</h1>{said}</body></html>\n"
    return Response(body, status, content_type="text/html; charset=utf-8")
