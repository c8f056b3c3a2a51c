"""A client of the AI bot in a few lines, of its own: frames as they are."""

from __future__ import annotations

import base64
import json
import ssl
from typing import Any

from websockets.sync.client import connect

from wecom_logging._sandbox import Sandbox

BOT = {"bot_id": "sandbox-aibot", "secret": "sandbox-aibot-secret"}
CHUNK = 512 * 1024


def card(task_id: str = "a17-1", **fields: Any) -> dict[str, Any]:
    """With a drop-down and two buttons."""
    options = [{"id": "1h", "text": "1 h"}, {"id": "8h", "text": "8 h"}]
    return {
        "card_type": "button_interaction",
        "main_title": {"title": "A17 · 312 errors", "desc": "pay.py:88"},
        "button_selection": {"question_key": "for", "title": "Quiet", "option_list": options, "selected_id": "1h"},
        "button_list": [{"text": "I take it", "style": 1, "key": "ack:A17"}, {"text": "Quiet", "key": "quiet:A17"}],
        "task_id": task_id,
        **fields,
    }


def done(text: str, task_id: str = "a17-1") -> dict[str, Any]:
    """What a card may become."""
    action = {"type": 1, "url": "https://example.com"}
    return {"card_type": "text_notice", "main_title": {"title": text}, "card_action": action, "task_id": task_id}


class Talker:
    def __init__(self, sandbox: Sandbox, path: str = "/aibot", *, subscribe: bool = True) -> None:
        address = f"ws{sandbox.url.removeprefix('http')}{path}"
        trust = sandbox.environment.get("SSL_CERT_FILE")
        tls = ssl.create_default_context(cafile=trust) if trust else None
        self.socket = connect(address, ssl=tls, proxy=None).__enter__()
        self._count = 0
        if subscribe:
            assert self.ask("aibot_subscribe", **BOT)["errcode"] == 0

    def __enter__(self) -> Talker:
        return self

    def __exit__(self, *error: object) -> None:
        self.socket.close()

    def tell(self, cmd: str, req_id: str = "", **body: Any) -> str:
        self._count += 1
        req_id = req_id or f"{cmd}_{self._count}"
        self.socket.send(json.dumps({"cmd": cmd, "headers": {"req_id": req_id}, "body": body}))
        return req_id

    def hear(self, timeout: float = 10) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(self.socket.recv(timeout))
        return frame

    def ask(self, cmd: str, req_id: str = "", **body: Any) -> dict[str, Any]:
        asked = self.tell(cmd, req_id, **body)
        answer = self.hear()
        assert "cmd" not in answer
        assert answer["headers"] == {"req_id": asked}
        return answer

    def code(self, cmd: str, req_id: str = "", **body: Any) -> int:
        code: int = self.ask(cmd, req_id, **body)["errcode"]
        return code

    def push(self, chat: str = "sandbox-user", *, msgtype: str = "markdown", part: Any = None, **body: Any) -> int:
        part = {"content": "**hello**"} if part is None else {"content": part} if isinstance(part, str) else part
        return self.code("aibot_send_msg", chatid=chat, msgtype=msgtype, **{msgtype: part}, **body)

    def push_card(self, chat: str = "sandbox-user", task_id: str = "a17-1", **fields: Any) -> int:
        return self.push(chat, msgtype="template_card", part=card(task_id, **fields))

    def rewrite(self, req_id: str, card: dict[str, Any], **more: Any) -> int:
        body = {"response_type": "update_template_card", "template_card": card, **more}
        return self.code("aibot_respond_update_msg", req_id, **body)

    def upload(self, kind: str, data: bytes, name: str = "a.log", **more: Any) -> dict[str, Any]:
        pieces = [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)]
        sizes = {"total_size": len(data), "total_chunks": len(pieces)}
        begun = self.ask("aibot_upload_media_init", type=kind, filename=name, **sizes, **more)
        if begun["errcode"]:
            return begun
        id = begun["body"]["upload_id"]
        for index, piece in reversed(list(enumerate(pieces))):
            encoded = base64.b64encode(piece).decode()
            assert self.code("aibot_upload_media_chunk", upload_id=id, chunk_index=index, base64_data=encoded) == 0
        return self.ask("aibot_upload_media_finish", upload_id=id)
