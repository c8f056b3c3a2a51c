"""The other side of the sandbox, below ``/sandbox/``: read what was delivered, order troubles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from .corp import Corp
from .faults import read_fault
from .tokens import MODES


def answer_json(value: object, status: int = 200) -> Response:
    return Response(json.dumps(value, ensure_ascii=False), status, content_type="application/json; charset=UTF-8")


def list_messages(corp: Corp) -> list[dict[str, Any]]:
    return [message.as_json() for message in corp.mailbox]


def order(corp: Corp, wish: Mapping[str, Any]) -> None:
    """``{"void_token": true}``, ``{"token_mode": …}``, a restriction, or a fault. ValueError where it is none of them.

    Restrictions: ``{"trusted_ips": ["10.0.0.1"]}`` (null: everybody again), ``{"contacts_details": false}``.
    """
    corp.touch()
    if corp.restrictions.order(wish):
        return
    if "void_token" in wish:
        if dict(wish) != {"void_token": True}:
            raise ValueError('"void_token" must be true and stand alone')
        corp.tokens.void_all()
    elif "token_mode" in wish:
        if len(wish) > 1 or wish["token_mode"] not in MODES:
            raise ValueError(f'"token_mode" must be one of {", ".join(MODES)} and stand alone')
        corp.tokens.mode = wish["token_mode"]
    else:
        corp.faults.add(read_fault(wish))


def answer_messages(corp: Corp, request: Request) -> Response:
    if request.method == "DELETE":
        corp.mailbox.clear()
        corp.touch()
        return answer_json({})
    if request.method in ("GET", "HEAD"):
        return answer_json(list_messages(corp))
    return answer_json({"error": "GET reads, DELETE empties"}, 405)


def answer_faults(corp: Corp, request: Request) -> Response:
    if request.method == "DELETE":
        return _take_back(corp, request.args.get("number"))
    if request.method != "POST":
        return answer_json({"error": "POST one fault, DELETE all or ?number=N"}, 405)
    try:
        wish = json.loads(request.get_data())
        if not isinstance(wish, dict):
            raise ValueError("a fault is a JSON object")
        order(corp, wish)
    except (ValueError, RecursionError) as error:
        return answer_json({"error": str(error)}, 400)
    return answer_json({})


def _take_back(corp: Corp, number: str | None) -> Response:
    """All faults that wait, or one of them. Restrictions and the mode of tokens stay."""
    if number is None:
        corp.faults.clear()
    elif number.isascii() and number.isdigit() and len(number) < 10:
        corp.faults.remove(int(number))
    else:
        return answer_json({"error": '"number" must be that of a fault'}, 400)
    corp.touch()
    return answer_json({})
