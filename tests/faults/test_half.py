"""Every second request of all goes wrong, in each way there is. When it is over, every record has been told."""

from __future__ import annotations

import logging
import re

import pytest

from wecom_logging._capture.pending import Origin
from wecom_logging._delivery.message_builder import Composer
from wecom_logging._delivery.options import Options
from wecom_logging._masking.redact import masker
from wecom_logging._pipelines import pipeline_of
from wecom_logging._wecom import WeComClient
from wecom_logging._wecom.channels import AppChannel
from wecom_logging.model import Recipients

from ..programs import Clock, word
from ..scripted import ScriptedWeCom, Step, body, close, errcode, hold, rst, status

RECORDS = 8

FAULTS: dict[str, Step] = {
    "45009": errcode(45009),
    "-1": errcode(-1),
    "502 with HTML": status(502),
    "closed without an answer": close(),
    "reset": rst(),
    "black hole": hold(),
    "not JSON": body(b"<html>busy</html>"),
    "errcode missing": body(b'{"errmsg": "ok"}'),
    "errcode of another type": errcode("0"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_half_of_all_requests(fault: str, capfd: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with ScriptedWeCom() as wecom:
        wecom.every(2, FAULTS[fault])
        client = WeComClient(
            f"corp-{fault}", "canary-secret", agent_id=1, api_base=wecom.url, timeout=0.2, sleep=lambda _: None
        )
        options = Options(name="test", origin=Origin(), looks=Composer(markdown=False), mask=masker([], None))
        pipeline = pipeline_of([AppChannel(client, Recipients(users=("u",)))], options, clock)
        for number in range(RECORDS):
            pipeline.collector.take(logging.LogRecord("shop", 40, __file__, number, f"broken {word(number)}", (), None))
        for turn in range(200):
            if pipeline.stats().pending == 0:
                break
            if turn == 100:
                wecom.mend()
                wecom.release()
            clock.now += pipeline.turn()
        stats = pipeline.stats()
        assert (stats.accepted, stats.delivered, stats.dropped, stats.pending) == (RECORDS, RECORDS, {}, 0)
        bodies = wecom.bodies("/cgi-bin/message/send")
        told = b"".join(bodies).decode()
        assert [number for number in range(RECORDS) if f"broken {word(number)}" not in told] == []
        # Some shared a message; and whatever was sent again was the same, byte for byte.
        assert len({tuple(re.findall(rb"#[0-9a-z]{4,12}", body)) for body in bodies}) == len(set(bodies))
        client.close()
    assert "canary" not in capfd.readouterr().err
