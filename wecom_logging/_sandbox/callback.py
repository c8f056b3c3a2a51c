"""A call from WeCom to a server of the corp's own: signed, and encrypted (path/90968)."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
from dataclasses import dataclass

import requests

from .corp import CORP_ID
from .fields import Fields

ANSWER_S = 5
WEB = re.compile("https?://", re.IGNORECASE)
AES_KEY = re.compile("[A-Za-z0-9]{43}")
AES_BLOCK = 32


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
        if not WEB.match(found.url):
            raise part.wrong("url", "must begin with http:// or https://")
        if not AES_KEY.fullmatch(found.key):
            raise part.wrong("encodingaeskey", "must be 43 letters and digits")
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
