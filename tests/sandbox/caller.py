"""A client of a few lines, of its own: the sandbox is tested without the package that it helps to test."""

from __future__ import annotations

from typing import Any

import requests

from wecom_logging._sandbox import Sandbox

JPG = b"\xff\xd8\xff" + b"picture"
AMR = b"#!AMR\n" + b"voice"
MP4 = b"\x00\x00\x00\x18ftypmp42"


class FakeClock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class Caller:
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()
        self.session.trust_env = False
        self._token = ""

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        return self.session.get(self.sandbox.url + path, params=params, timeout=60).json()

    def post(self, path: str, body: Any = None, *, data: Any = None, files: Any = None, **params: Any) -> Any:
        url = self.sandbox.url + path
        return self.session.post(url, json=body, data=data, files=files, params=params, timeout=60).json()

    def gettoken(self, secret: str = "sandbox-app-secret", corp_id: str = "wwsandbox") -> dict[str, Any]:
        return self.get("/cgi-bin/gettoken", corpid=corp_id, corpsecret=secret)

    def token(self) -> str:
        self._token = self._token or self.gettoken()["access_token"]
        return self._token

    def send(self, msgtype: str = "text", part: Any = None, *, token: str | None = None, **envelope: Any) -> Any:
        """An app message; ``part`` is the content for text and markdown, else the part named like the msgtype."""
        part = {"content": "hello"} if part is None else part
        part = {"content": part} if isinstance(part, str) else part
        body = {"touser": "sandbox-user", "agentid": 1000002, "msgtype": msgtype, msgtype: part, **envelope}
        return self.post("/cgi-bin/message/send", body, access_token=self.token() if token is None else token)

    def push(self, msgtype: str = "text", part: Any = None, *, key: str = "sandbox-bot") -> Any:
        """A bot message."""
        part = {"content": "hello"} if part is None else part
        part = {"content": part} if isinstance(part, str) else part
        return self.post("/cgi-bin/webhook/send", {"msgtype": msgtype, msgtype: part}, key=key)

    def upload(self, kind: str, data: bytes, name: str = "a.log") -> Any:
        return self.post("/cgi-bin/media/upload", files={"media": (name, data)}, access_token=self.token(), type=kind)

    def push_upload(self, kind: str, data: bytes, name: str = "a.log", key: str = "sandbox-bot") -> Any:
        return self.post("/cgi-bin/webhook/upload_media", files={"media": (name, data)}, key=key, type=kind)


class Clerk:
    """Calls below ``/cgi-bin/`` with the token of one secret: contacts-sync, where none is named."""

    def __init__(self, caller: Caller, secret: str = "sandbox-contacts-secret") -> None:
        self._caller = caller
        self._token = caller.gettoken(secret)["access_token"]

    def read(self, path: str, **params: Any) -> dict[str, Any]:
        return self._caller.get(f"/cgi-bin/{path}", access_token=self._token, **params)

    def write(self, path: str, **body: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._caller.post(f"/cgi-bin/{path}", body, access_token=self._token)
        return answer

    def create(self, user_id: str = "lisi", **fields: Any) -> dict[str, Any]:
        """A member with all that is needed; a field that is None is not sent."""
        whole = {"userid": user_id, "name": "李四", "email": f"{user_id.lower()}@example.com", **fields}
        return self.write("user/create", **{name: value for name, value in whole.items() if value is not None})
