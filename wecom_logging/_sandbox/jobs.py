"""The jobs of ``batch/…``: how they ended, and the call that tells it to a server of the corp's own.

The event is https://developer.work.weixin.qq.com/document/path/90973. WeCom calls three times at most.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
import threading
import time
from dataclasses import dataclass, replace
from typing import Any

import requests

from .corp import CORP_ID, Corp
from .fields import Fields
from .journal import Exchange
from .limits import Newest
from .refusal import known

MAX_JOBS = 10
TRIES = 3
PAUSE_S = 1
MOST_AT_ONCE = 16

Answer = dict[str, Any]
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
                self._note(callback, event, status, why, time.perf_counter() - began)
                if status == 200 or self._corp.wait(PAUSE_S):
                    return

    def _note(self, callback: Callback, event: str, status: int, why: str, took_s: float) -> None:
        """The page shows it among the calls."""
        corp = self._corp
        with corp.changing():
            url, errcode = callback.url.partition("?")[0][:200], 0 if status == 200 else None
            sent = Exchange(corp.clock(), "POST", url, size=len(event), body=event, msgtype="event")
            corp.journal.note(replace(sent, ms=took_s * 1000, status=status, errcode=errcode, errmsg=why))


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
