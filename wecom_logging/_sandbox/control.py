"""The other side of the sandbox, below ``/sandbox/``: what was delivered, and everything that can be set.

`openapi.DOCUMENT` describes it. Bad input is 400 with ``error``, a text for people, and ``field``.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from itertools import chain, islice
from typing import Any
from urllib.parse import quote

from werkzeug.wrappers import Request, Response

from . import stage
from .aibot import control as aibot
from .aibot.people import AiBot
from .corp import Corp
from .directory import ROOT
from .downloads import as_archive, as_lines, as_list, files_of
from .fields import COMPACT, is_large
from .files import answer_picture
from .filters import NAMES, Filter
from .inspector import KEPT_CHARS as CALLS_CHARS
from .kept import Kept
from .mailbox import KEPT, KEPT_BYTES, Message
from .media import KEPT_BYTES as FILES_BYTES
from .openapi import DOCUMENT, page
from .snapshots import list_departments, list_members, list_tags
from .wishes import WrongField, an_object, in_query, only, seconds

MAX_WAIT_S = 600
MAX_ADVANCE_S = 366 * 24 * 3600
LOOK_S = 1.0
MOST_USED = 100

Json = dict[str, Any]


def answer_json(value: object, status: int = 200, *, compact: bool = False) -> Response:
    """``compact`` is without spaces, as WeCom writes it: scripts look for ``"errcode":0`` in its answers."""
    text = json.dumps(value, ensure_ascii=False, separators=COMPACT if compact else None)
    return Response(text, status, content_type="application/json; charset=UTF-8")


def find_messages(corp: Corp, wanted: Filter) -> list[Message]:
    """The lock is held while they are picked up, not while they are looked through."""
    with corp.lock:
        kept = list(corp.mailbox)
    return [message for message in kept if wanted.fits(message)]


def wait_for(corp: Corp, wanted: Filter, count: int, timeout_s: float) -> list[Message]:
    """So many that fit, or what there is when the time is up or the sandbox stops. What came before counts."""
    ends = time.monotonic() + timeout_s
    found: list[Message] = []
    seen, held = 0, (-1, -1)
    with corp.changed:
        while True:
            now = corp.mailbox.epoch, corp.mailbox.changes
            if held != now:  # one went away, or became another: what was found may be gone
                found, seen, held = [], 0, now
            new = corp.mailbox.newest(KEPT, after=seen)
            found += [message for _, message in new if wanted.fits(message)]
            seen = corp.mailbox.count
            left = ends - time.monotonic()
            if len(found) >= count or left <= 0 or corp.stopping.is_set():
                return found
            corp.changed.wait(min(left, LOOK_S))


class Control:
    def __init__(self, corp: Corp) -> None:
        self._corp = corp
        self._aibot = AiBot(corp)
        self._slow = [self._messages, self._lines, self._wait, self._archive]
        self._routes: list[tuple[re.Pattern[str], dict[str, Callable[..., Response]]]] = [
            (_path("messages"), {"GET": self._messages, "DELETE": self._clear}),
            (_path("messages", "([^/]+)", "files", "([0-9]{1,2})"), {"GET": self._file}),
            (_path("messages", "(.+)"), {"GET": self._message, "DELETE": self._remove}),
            (_path("messages.jsonl"), {"GET": self._lines}),
            (_path("messages.zip"), {"GET": self._archive}),
            (_path("wait"), {"GET": self._wait}),
            (_path("health"), {"GET": self._health}),
            (_path("openapi.json"), {"GET": lambda request: answer_json(DOCUMENT)}),
            (_path("docs"), {"GET": self._docs}),
            (_path("pictures", "(.+)"), {"GET": self._picture}),
            (_path("faults"), {"GET": self._faults, "POST": self._post(stage.order), "DELETE": self._take_back}),
            (_path("members"), {"GET": self._list(list_members), "POST": self._post(stage.put_member)}),
            (_path("members", "(.+)"), {"DELETE": self._remove_member}),
            (_path("departments"), {"GET": self._list(list_departments), "POST": self._post(stage.put_department)}),
            (_path("departments", "([0-9]{1,10})"), {"DELETE": self._remove_department}),
            (_path("tags"), {"GET": self._list(list_tags), "POST": self._post(stage.put_tag)}),
            (_path("tags", "([0-9]{1,10})"), {"DELETE": self._remove_tag}),
            (_path("bots"), {"GET": lambda _: answer_json(stage.list_bots(corp)), "POST": self._post(stage.put_bot)}),
            (_path("bots", "(.+)"), {"DELETE": self._remove_bot}),
            (_path("apps"), {"GET": lambda _: answer_json(stage.list_apps(corp)), "POST": self._post(stage.put_app)}),
            (_path("apps", "([0-9]{1,10})"), {"DELETE": self._remove_app}),
            (
                _path("limits"),
                {"GET": self._limits, "POST": self._post(stage.put_limits), "DELETE": self._usual_limits},
            ),
            (_path("aibot"), {"GET": lambda _: answer_json(self._aibot.as_json())}),
            (_path("aibot", "say"), {"POST": self._happen(aibot.say)}),
            (_path("aibot", "click"), {"POST": self._happen(aibot.click)}),
            (_path("aibot", "enter"), {"POST": self._happen(aibot.enter)}),
            (_path("aibot", "groups"), {"POST": self._put_group}),
            (_path("aibot", "groups", "(.+)"), {"DELETE": self._leave}),
            (_path("clock"), {"GET": self._clock, "POST": self._advance, "DELETE": self._reset_clock}),
        ]

    def answer(self, request: Request) -> Response:
        for pattern, methods in self._routes:
            if found := pattern.fullmatch(request.path):
                method = "GET" if request.method == "HEAD" else request.method
                if method not in methods:
                    response = answer_json({"error": f"{', '.join(methods)} only", "field": ""}, 405)
                    response.headers["Allow"] = ", ".join(methods)
                    return response
                try:
                    return self._run(methods[method], request, *found.groups())
                except WrongField as wrong:
                    return answer_json({"error": str(wrong), "field": wrong.field}, 400)
        return _gone("path")

    def _run(self, act: Callable[..., Response], request: Request, *ids: str) -> Response:
        if act in self._slow:  # they may take long, and lock for themselves
            return act(request)
        with self._corp.lock:
            response = act(request, *ids)
            if request.method in ("POST", "DELETE"):
                self._corp.touch()
        return response

    def _post(self, put: Callable[[Corp, stage.Wish], None]) -> Callable[[Request], Response]:
        def act(request: Request) -> Response:
            put(self._corp, _body(request))
            return answer_json({})

        return act

    def _happen(self, act: Callable[[AiBot, stage.Wish], str]) -> Callable[[Request], Response]:
        """Something that the AI bot's subscriber is told of; whoever reads slowly there holds up nobody else."""

        def happen(request: Request) -> Response:
            return answer_json({"req_id": act(self._aibot, _body(request))})

        self._slow.append(happen)
        return happen

    def _put_group(self, request: Request) -> Response:
        aibot.put_group(self._aibot, _body(request))
        return answer_json({})

    def _leave(self, request: Request, chat: str) -> Response:
        if chat not in self._corp.aibot.groups:
            return _gone("group")
        self._aibot.leave(chat)
        return answer_json({})

    def _list(self, listed: Callable[..., list[Json]]) -> Callable[[Request], Response]:
        return lambda request: answer_json(listed(self._corp.directory))

    def _messages(self, request: Request) -> Response:
        return _answer_list(self._fitting(request))

    def _fitting(self, request: Request) -> list[Message]:
        _only(request, *NAMES)
        return find_messages(self._corp, self._filter(request))

    def _filter(self, request: Request) -> Filter:
        return Filter.read(request.args, self._corp)

    def _lines(self, request: Request) -> Response:
        return _download(Kept.written(as_lines(self._fitting(request))), "messages.jsonl")

    def _archive(self, request: Request) -> Response:
        return _download(as_archive(self._corp, self._fitting(request)), "messages.zip")

    def _clear(self, request: Request) -> Response:
        self._corp.mailbox.clear()
        return answer_json({})

    def _message(self, request: Request, id: str) -> Response:
        message = self._corp.mailbox.find(id)
        return _gone("message") if message is None else answer_json(message.as_json())

    def _file(self, request: Request, id: str, number: str) -> Response:
        message = self._corp.mailbox.find(id)
        found = list(islice(files_of(self._corp, message), int(number), int(number) + 1)) if message else []
        return _download(Kept.written(found[0].pieces), found[0].name) if found else _gone("file")

    def _remove(self, request: Request, id: str) -> Response:
        return answer_json({}) if self._corp.mailbox.remove(id) else _gone("message")

    def _wait(self, request: Request) -> Response:
        _only(request, *NAMES, "count", "timeout")
        wanted = self._filter(request)
        count, timeout_s = in_query(request.args, "count", 1, KEPT), in_query(request.args, "timeout", 0, MAX_WAIT_S)
        wished = 1 if count is None else int(count)
        found = wait_for(self._corp, wanted, wished, 10.0 if timeout_s is None else timeout_s)
        if len(found) >= wished:
            return _answer_list(found)
        return _answer_list(found, f'{{"error": "{len(found)} of {wished} came", "field": "", "messages": ', "}", 408)

    def _health(self, request: Request) -> Response:
        corp = self._corp
        kept = {
            "messages": {"count": len(corp.mailbox), "bytes": corp.mailbox.size, "most_bytes": KEPT_BYTES},
            "files": {"bytes": corp.media.size, "most_bytes": FILES_BYTES},
            "calls": {"bytes": 4 * corp.inspector.chars, "most_bytes": 4 * CALLS_CHARS},
        }
        return answer_json({"status": "ok", "strict": corp.strict, "now": corp.clock(), "kept": kept})

    def _docs(self, request: Request) -> Response:
        headers = {"Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"}
        return Response(page(), content_type="text/html; charset=utf-8", headers=headers)

    def _picture(self, request: Request, id: str) -> Response:
        return answer_picture(self._corp, id) or _gone("picture")

    def _faults(self, request: Request) -> Response:
        waiting = self._corp.faults.waiting().items()
        return answer_json([{"number": number, **asdict(fault)} for number, fault in waiting])

    def _take_back(self, request: Request) -> Response:
        """All faults that wait, or one of them. Restrictions and the mode of tokens stay."""
        number = request.args.get("number")
        if number is None:
            self._corp.faults.clear()
        elif number.isascii() and number.isdigit() and len(number) < 10:
            self._corp.faults.remove(int(number))
        else:
            raise WrongField("number", '"number" must be that of a fault')
        return answer_json({})

    def _remove_member(self, request: Request, user_id: str) -> Response:
        member = self._corp.directory.member(user_id)
        if member is None:
            return _gone("member")
        self._corp.directory.remove_member(member)
        return answer_json({})

    def _remove_department(self, request: Request, id: str) -> Response:
        directory, number = self._corp.directory, int(id)
        if number not in directory.departments:
            return _gone("department")
        if number == ROOT or directory.children(number) or directory.people(number):
            return answer_json({"error": "it is the root, or not empty", "field": "id"}, 409)
        directory.remove_department(number)
        return answer_json({})

    def _remove_tag(self, request: Request, id: str) -> Response:
        if int(id) not in self._corp.directory.tags:
            return _gone("tag")
        self._corp.directory.remove_tag(int(id))
        return answer_json({})

    def _remove_bot(self, request: Request, key: str) -> Response:
        if key not in self._corp.bot_keys:
            return _gone("bot")
        del self._corp.bot_keys[key]
        return answer_json({})

    def _remove_app(self, request: Request, id: str) -> Response:
        if int(id) not in self._corp.ranges:
            return _gone("app")
        self._corp.remove_app(int(id))
        return answer_json({})

    def _limits(self, request: Request) -> Response:
        return answer_json(stage.list_limits(self._corp, MOST_USED))

    def _usual_limits(self, request: Request) -> Response:
        stage.reset_limits(self._corp)
        return answer_json({})

    def _clock(self, request: Request) -> Response:
        return answer_json({"now": self._corp.clock(), "ahead_s": self._corp.clock.ahead_s})

    def _advance(self, request: Request) -> Response:
        wish = _body(request)
        only(wish, ("advance_s",))
        self._corp.clock.advance(seconds(wish, "advance_s", MAX_ADVANCE_S))
        return self._clock(request)

    def _reset_clock(self, request: Request) -> Response:
        """The real time again. Nobody is counted, because that was in the future."""
        self._corp.clock.reset()
        for window in self._corp.rates.values():
            window.clear()
        return self._clock(request)


def _path(*parts: str) -> re.Pattern[str]:
    return re.compile("/sandbox/" + "/".join(part if part.startswith("(") else re.escape(part) for part in parts), re.S)


def _body(request: Request) -> Json:
    if is_large(request):
        raise WrongField("", "the body is too large")
    try:
        wish = json.loads(request.get_data())
    except (ValueError, RecursionError):
        raise WrongField("", "the body is no JSON") from None
    return an_object(wish)


def _only(request: Request, *names: str) -> None:
    only(request.args, (*names, "token"))


def _answer_list(messages: Iterable[Message], before: str = "", after: str = "", status: int = 200) -> Response:
    listed = Kept.written(chain([before.encode()], as_list(messages), [after.encode()]))
    response = Response(iter(listed), status, content_type="application/json; charset=UTF-8")
    response.content_length = listed.size
    return response


def _download(file: Kept, name: str) -> Response:
    plain = re.fullmatch(r"[\w.-]+", name, re.ASCII)
    named = f"filename={name}" if plain else f"filename*=UTF-8''{quote(name, safe='', errors='replace')}"
    headers = {"Content-Disposition": f"attachment; {named}", "Content-Length": str(file.size)}
    return Response(iter(file), content_type="application/octet-stream", headers=headers)


def _gone(what: str) -> Response:
    return answer_json({"error": f"there is no such {what}", "field": ""}, 404)
