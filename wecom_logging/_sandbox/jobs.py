"""The jobs of ``batch/…``: how they ended, and the event that tells it to the one who asked for that.

The event is https://developer.work.weixin.qq.com/document/path/90973. WeCom calls three times at most.
"""

from __future__ import annotations

import secrets
import threading
import time
from typing import Any

from .callback import Callback
from .corp import CORP_ID, Corp
from .inspector import Exchange
from .refusal import Refusal

MAX_JOBS = 10
TRIES = 3
PAUSE_S = 1
MOST_AT_ONCE = 16

Answer = dict[str, Any]


class Jobs:
    def __init__(self, corp: Corp) -> None:
        self._corp = corp
        self._jobs: dict[str, Answer] = {}
        self._telling = threading.BoundedSemaphore(MOST_AT_ONCE)

    def done(self, kind: str, result: list[Answer], callback: Callback | None) -> Answer:
        """A job is done when it begins; the newest ten are known."""
        id = secrets.token_hex(16)
        self._jobs[id] = {"status": 3, "type": kind, "total": len(result), "percentage": 100, "result": result}
        while len(self._jobs) > MAX_JOBS:
            del self._jobs[next(iter(self._jobs))]
        if callback is not None:
            event = _event(id, kind, self._corp.clock())
            threading.Thread(target=self._tell, args=(callback, event), name="wecom-sandbox-job", daemon=True).start()
        return {"jobid": id}

    def find(self, id: str) -> Answer:
        job = self._jobs.get(id)
        if job is None:
            raise Refusal(40035 if id else 40063)
        return job

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
        with corp.lock:
            call = Exchange(
                time=corp.clock(),
                method="POST",
                path=callback.url.partition("?")[0][:200],
                query="",
                agent="",
                size=len(event),
                body=event,
                msgtype="event",
                used=0,
                limit=0,
                ms=took_s * 1000,
                status=status,
                errcode=0 if status == 200 else None,
                errmsg=why,
            )
            corp.inspector.note(call)
            corp.touch()


def _event(id: str, kind: str, now: float) -> str:
    return (
        f"<xml><ToUserName><![CDATA[{CORP_ID}]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>"
        f"<CreateTime>{int(now)}</CreateTime><MsgType><![CDATA[event]]></MsgType>"
        f"<Event><![CDATA[batch_job_result]]></Event><BatchJob><JobId><![CDATA[{id}]]></JobId>"
        f"<JobType><![CDATA[{kind}]]></JobType><ErrCode>0</ErrCode><ErrMsg><![CDATA[ok]]></ErrMsg></BatchJob></xml>"
    )
