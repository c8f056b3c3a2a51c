"""A client that others wrote, wechatpy, gets along with the sandbox."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from wecom_logging._sandbox import Sandbox

from .caller import AMR, JPG, MP4
from .clients import OK, tried

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
    host = "https://qyapi.weixin.qq.com"  # of a download it knows no other
    address = client.media.get_url
    client.media.get_url = lambda media_id: address(media_id).replace(host, sandbox.url)
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


ARTICLE = {"title": "t", "description": "d", "url": "https://example.com/", "image": "https://example.com/a.png"}
MENU = {
    "button": [
        {"type": "click", "name": "n", "key": "k"},
        {"name": "m", "sub_button": [{"type": "view", "name": "v", "url": "https://example.com/"}]},
    ]
}
CSV = "姓名,帐号,手机号,所在部门\n王五,wangwu,13800000005,1\n李四,lisi,13800000006,1;2\n,nameless,,1\n"
NOT_BUILT = "40058"
GONE = "WeChatClientException"  # without a code: a path that WeCom itself has no longer


def uploaded(app: Any, kind: str, name: str, data: bytes) -> str:
    return str(app.media.upload(kind, (name, data))["media_id"])


def test_all_that_it_can_do(app: Any, contacts: Any, sandbox: Sandbox) -> None:
    """Each call, and how it ends; the table stands at the end of a test run."""
    sandbox.add_department(2)
    sandbox.add_member("zhangsan", departments=[2])
    picture = uploaded(app, "image", "a.png", JPG)
    voice, film, file = (
        uploaded(app, *one)
        for one in (("voice", "a.amr", AMR), ("video", "a.mp4", MP4), ("file", "a.csv", CSV.encode()))
    )
    thumb = {
        "title": "t",
        "thumb_media_id": picture,
        "author": "a",
        "content": "c",
        "digest": "d",
        "content_source_url": "",
        "show_cover_pic": 1,
    }
    id = 1000002
    send, chat = app.message, app.appchat
    job: dict[str, Any] = {}
    calls: list[tuple[str, Any, str]] = [
        ("message.send_text", lambda: send.send_text(id, "sandbox-user", "x"), OK),
        ("message.send_text safe", lambda: send.send_text(id, ["sandbox-user"], "x", safe=1), OK),
        ("message.send_text_card", lambda: send.send_text_card(id, "@all", "t", "d", "https://example.com/"), OK),
        ("message.send_image", lambda: send.send_image(id, "@all", picture), OK),
        ("message.send_voice", lambda: send.send_voice(id, "@all", voice), OK),
        ("message.send_video", lambda: send.send_video(id, "@all", film, "t", "d"), OK),
        ("message.send_file", lambda: send.send_file(id, "@all", file), OK),
        ("message.send_articles", lambda: send.send_articles(id, "@all", [ARTICLE]), OK),
        ("message.send_mp_articles", lambda: send.send_mp_articles(id, "@all", [thumb]), OK),
        ("message.send_markdown", lambda: send.send_markdown(id, "@all", "**x**"), OK),
        ("message.send_text to nobody", lambda: send.send_text(id, "nobody", "x"), "81013"),
        ("appchat.create", lambda: chat.create("ops", "运维", "zhangsan", ["sandbox-user", "zhangsan"]), OK),
        ("appchat.get", lambda: chat.get("ops"), OK),
        ("appchat.update", lambda: chat.update("ops", name="值班"), OK),
        ("appchat.send_text", lambda: chat.send_text("ops", "x"), OK),
        ("appchat.send markdown", lambda: chat.send("ops", "markdown", content="**x**"), OK),
        (
            "appchat.send textcard",
            lambda: chat.send("ops", "textcard", title="t", description="d", url="https://example.com/"),
            OK,
        ),
        ("appchat.send file", lambda: chat.send("ops", "file", media_id=file), OK),
        ("appchat.send elsewhere", lambda: chat.send_text("nowhere", "x"), "86003"),
        ("media.upload_img", lambda: app.media.upload_img(("a.png", JPG)), OK),
        ("media.download", lambda: app.media.download(file), OK),
        ("agent.get", lambda: app.agent.get(id), OK),
        ("agent.list", lambda: app.agent.list(), OK),
        ("agent.set", lambda: app.agent.set(id, name="机器人"), OK),
        ("menu.create", lambda: app.menu.create(id, MENU), OK),
        ("menu.get", lambda: app.menu.get(id), OK),
        ("menu.update", lambda: app.menu.update(id, MENU), OK),
        ("menu.delete", lambda: app.menu.delete(id), OK),
        ("misc.get_wechat_ips", lambda: app.misc.get_wechat_ips(), OK),
        ("user.convert_to_openid", lambda: job.update(app.user.convert_to_openid("zhangsan")), OK),
        ("user.convert_to_user_id", lambda: app.user.convert_to_user_id(job["openid"]), OK),
        ("user.create", lambda: contacts.user.create("lisi", "李四", department=1, mobile="13800000006"), OK),
        ("batch.invite", lambda: app.batch.invite(user=["zhangsan"]), OK),
        ("batch.sync_user", lambda: job.update(contacts.batch.sync_user("", "", "", file)), OK),
        ("batch.get_result", lambda: job.update(contacts.batch.get_result(job["jobid"])), OK),
        ("batch.replace_user", lambda: contacts.batch.replace_user("", "", "", file), OK),
        ("batch.replace_party", lambda: contacts.batch.replace_party("", "", "", file), OK),
        ("batch.invite_user", lambda: contacts.batch.invite_user("", "", "", ["lisi"]), GONE),
        ("user.verify", lambda: contacts.user.verify("lisi"), NOT_BUILT),
        ("user.get_info", lambda: app.user.get_info(id, "code"), NOT_BUILT),
        ("jsapi.get_ticket", lambda: app.jsapi.get_ticket(), NOT_BUILT),
        ("jsapi.get_agent_ticket", lambda: app.jsapi.get_agent_ticket(), NOT_BUILT),
        ("external_contact.list", lambda: app.external_contact.list("zhangsan"), NOT_BUILT),
        ("material.get_count", lambda: app.material.get_count(id), NOT_BUILT),
        ("chat.send_single_text", lambda: app.chat.send_single_text("a", "b", "x"), GONE),
    ]
    errors = (WeChatClientException, requests.HTTPError, requests.JSONDecodeError)
    found = {action: tried("wechatpy", action, call, *errors).partition(":")[0] for action, call, _ in calls}
    assert found == {action: expected for action, _, expected in calls}
    assert [row["errcode"] for row in job["result"]] == [0, 0, 60112]
    assert {row["userid"] for row in sandbox.members()} == {"sandbox-user", "lisi", "wangwu"}
    assert sandbox.messages(receiver="ops")[0]["receivers"] == ["sandbox-user", "zhangsan"]


def test_it_gets_back_what_it_uploaded(app: Any) -> None:
    assert app.media.download(uploaded(app, "file", "a.csv", CSV.encode())).content == CSV.encode()
