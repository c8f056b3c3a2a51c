"""What stands above the phones: panels and heartbeats."""

from __future__ import annotations

import pytest
import requests

from wecom_logging._sandbox import Sandbox

from .caller import Caller, FakeClock


def put(sandbox: Sandbox, **panel: object) -> requests.Response:
    return requests.post(f"{sandbox.url}/sandbox/panels", json=panel, timeout=10)


def test_a_panel_is_put_replaced_and_removed(sandbox: Sandbox, wecom: Caller) -> None:
    assert put(sandbox, title="值班", text="张三").status_code == 200
    sandbox.show("steps", "1/2")
    sandbox.show("值班", "李四\n王五")
    panels = [{"title": "值班", "text": "李四\n王五"}, {"title": "steps", "text": "1/2"}]
    assert wecom.get("/sandbox/panels") == panels
    assert put(sandbox, title="值班").status_code == 200
    sandbox.show("steps", " \n")
    sandbox.show("never there", "")
    assert wecom.get("/sandbox/panels") == []


def test_panels_are_few_and_short(sandbox: Sandbox) -> None:
    for number in range(8):
        sandbox.show(str(number), "x" * 4000)
    assert "8 panels" in put(sandbox, title="ninth", text="x").json()["error"]
    assert put(sandbox, title="0", text="y" * 4001).json()["field"] == "text"
    assert put(sandbox, title="0" * 101, text="y").json()["field"] == "title"
    assert put(sandbox, title="a\nb", text="y").status_code == 400
    sandbox.show("0", "another")
    sandbox.reset()
    sandbox.show("ninth", "x")
    with pytest.raises(ValueError, match="text"):
        sandbox.show("ninth", "x" * 4001)


def test_a_heartbeat_is_late_by_the_sandboxs_clock(sandbox: Sandbox, wecom: Caller, clock: FakeClock) -> None:
    assert wecom.get("/sandbox/ping/watch") == {
        "name": "watch",
        "grace_s": 180,
        "last": clock.now,
        "count": 1,
        "late": False,
    }
    wecom.get("/sandbox/ping/other", grace_s=1000)
    clock.now += 180
    assert [beat["late"] for beat in wecom.get("/sandbox/heartbeats")] == [False, False]
    sandbox.clock.advance(1)
    assert [beat["late"] for beat in wecom.get("/sandbox/heartbeats")] == [True, False]
    assert wecom.get("/sandbox/ping/watch")["count"] == 2
    assert [beat["late"] for beat in wecom.get("/sandbox/heartbeats")] == [False, False]
    assert requests.delete(f"{sandbox.url}/sandbox/heartbeats/other", timeout=10).status_code == 200
    assert requests.delete(f"{sandbox.url}/sandbox/heartbeats/other", timeout=10).status_code == 404
    assert [beat["name"] for beat in wecom.get("/sandbox/heartbeats")] == ["watch"]


def test_heartbeats_are_few(wecom: Caller) -> None:
    for number in range(20):
        wecom.get(f"/sandbox/ping/{number}")
    assert "20 heartbeats" in wecom.get("/sandbox/ping/more")["error"]
    assert wecom.get("/sandbox/ping/0")["count"] == 2
    assert wecom.get("/sandbox/ping/" + "x" * 101)["field"] == "name"
