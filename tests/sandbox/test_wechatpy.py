"""A client that others wrote, wechatpy, gets along with the sandbox."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from wecom_logging._sandbox import Sandbox

with warnings.catch_warnings():
    # Its own compatibility code for Python 2 is deprecated on newer Pythons; only importing it says so.
    warnings.simplefilter("ignore", DeprecationWarning)
    from wechatpy.enterprise import WeChatClient
    from wechatpy.exceptions import WeChatClientException


class Client(WeChatClient):
    """Its address for tokens is written down in a method, beside ``API_BASE_URL``."""

    def fetch_access_token(self) -> Any:
        params = {"corpid": self.corp_id, "corpsecret": self.secret}
        return self._fetch_access_token(url=self.API_BASE_URL + "gettoken", params=params)


def connect(sandbox: Sandbox, secret: str) -> Iterator[Any]:
    client = Client("wwsandbox", secret, timeout=10)
    client.API_BASE_URL = sandbox.url + "/cgi-bin/"
    client._http.trust_env = False
    yield client
    client._http.close()


@pytest.fixture
def contacts(sandbox: Sandbox) -> Iterator[Any]:
    yield from connect(sandbox, "sandbox-contacts-secret")


@pytest.fixture
def app(sandbox: Sandbox) -> Iterator[Any]:
    yield from connect(sandbox, "sandbox-app-secret")


def test_departments(contacts: Any) -> None:
    id = contacts.department.create("研发部", parent_id=1, order=3)["id"]
    assert [row["name"] for row in contacts.department.get(id)] == ["研发部"]
    contacts.department.update(id, name="产品部")
    assert [row["name"] for row in contacts.department.get()] == ["沙箱公司", "产品部"]
    contacts.department.delete(id)
    assert len(contacts.department.get()) == 1


def test_members(contacts: Any) -> None:
    contacts.user.create("lisi", "李四", department=[1], mobile="13800000002", position="工程师")
    assert contacts.user.get("lisi")["position"] == "工程师"
    contacts.user.update("lisi", name="李", enable=0)
    assert (contacts.user.get("lisi")["name"], contacts.user.get("lisi")["status"]) == ("李", 2)
    assert [row["userid"] for row in contacts.user.list(1)] == ["sandbox-user", "lisi"]
    assert contacts.department.get_map_users(key="mobile")["13800000002"] == "lisi"
    contacts.user.delete("lisi")
    contacts.user.create("wang", "王五", department=[1], email="wang@example.com")
    contacts.user.batch_delete(["wang"])
    assert [row["userid"] for row in contacts.department.get_users(1)] == ["sandbox-user"]


@pytest.mark.parametrize("who", ["contacts", "app"])
def test_tags(request: pytest.FixtureRequest, who: str) -> None:
    client = request.getfixturevalue(who)
    id = client.tag.create("值班")["tagid"]
    client.tag.update(id, "后备")
    assert client.tag.add_users(id, ["sandbox-user", "nobody"])["invalidlist"] == "nobody"
    assert client.tag.get_users(id)["userlist"] == [{"userid": "sandbox-user", "name": "沙箱用户"}]
    client.tag.delete_users(id, ["sandbox-user"])
    assert client.tag.get_users(id)["userlist"] == []
    assert client.tag.list() == [{"tagid": id, "tagname": "后备"}]
    client.tag.delete(id)
    assert client.tag.list() == []


def test_a_text(app: Any, sandbox: Sandbox) -> None:
    app.message.send_text(1000002, ["sandbox-user"], "你好")
    assert sandbox.messages()[0]["content"] == "你好"


def test_a_refusal_arrives_as_its_error(app: Any, contacts: Any) -> None:
    for refused in (lambda: app.department.create("x"), lambda: contacts.message.send_text(1000002, "@all", "x")):
        with pytest.raises(WeChatClientException) as caught:
            refused()
        assert caught.value.errcode == 48002
