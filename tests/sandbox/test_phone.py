"""What a phone makes of a message: WeCom's rules, and nothing that acts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wecom_logging._sandbox.mailbox import Message
from wecom_logging._sandbox.page.phone import in_wechat, show

NAMES = {"lisi": "李四"}
URL = "https://example.com/a?b=1&c=2"


def shown(msgtype: str, part: Any, *, channel: str = "app", content: str | None = None) -> Any:
    text = content if content is not None else part.get("content", "")
    body = json.dumps({msgtype: part}).encode()
    return show(Message("1", 0.0, channel, msgtype, text, body), NAMES)


def markdown(text: str, channel: str = "bot", msgtype: str = "markdown") -> Any:
    return shown(msgtype, {"content": text}, channel=channel)


def all_text(nodes: Any) -> str:
    return "".join(node if isinstance(node, str) else all_text(node[2:]) for node in nodes)


def kinds(nodes: Any) -> set[str]:
    return {kind for node in nodes if not isinstance(node, str) for kind in (node[0], *kinds(node[2:]))}


def test_an_apps_text_has_links() -> None:
    (text,) = shown("text", {"content": f'a\n<a href="{URL}">here</a> 见{URL}。'})
    assert text == ["text", {}, "a\n", ["a", {"href": URL}, "here"], " 见", ["a", {"href": URL}, URL], "。"]


def test_a_bots_text_has_mentions_and_no_anchors() -> None:
    part = {"content": f'<a href="{URL}"> <@lisi> <@x>', "mentioned_list": ["lisi", "@all", 3]}
    nodes = shown("text", part, channel="bot")
    assert all_text(nodes).startswith('<a href="')
    assert all_text(nodes).endswith("@李四 @x @李四 @所有人")


@pytest.mark.parametrize("channel", ["app", "bot"])
def test_the_first_markdown(channel: str) -> None:
    nodes = markdown(f'# big\n**bold** `code`\nnext [t]({URL})\n> quote\n> more\n<font color="info">g</font>', channel)
    assert nodes == [
        ["h1", {}, "big"],
        ["p", {}, ["b", {}, "bold"], " ", ["code", {}, "code"], "\nnext ", ["a", {"href": URL}, "t"]],
        ["quote", {}, ["p", {}, "quote\nmore"]],
        ["p", {}, ["info", {}, "g"]],
    ]


@pytest.mark.parametrize(
    "text", ["- item", "1. item", "| a |\n|---|\n| b |", "```\ncode", "![x](https://a.test/b.png)", "---", "    x"]
)
def test_the_first_markdown_leaves_what_it_does_not_have(text: str) -> None:
    assert kinds(markdown(text)) <= {"p", "a"}


@pytest.mark.parametrize(("colour", "kind"), [("info", "info"), ("comment", "comment"), ("warning", "warning")])
def test_three_colours_and_no_more(colour: str, kind: str) -> None:
    assert markdown(f'<font color="{colour}">x</font>') == [["p", {}, [kind, {}, "x"]]]
    assert kinds(markdown('<font color="red">x</font>')) == {"p"}
    assert kinds(markdown(f'<font color="{colour}">x</font>', msgtype="markdown_v2")) == {"p"}


def test_colours_that_are_not_closed_or_not_open() -> None:
    assert markdown('<font color="info">x\n\ny') == [["p", {}, ["info", {}, "x"]], ["p", {}, "y"]]
    assert all_text(markdown("x</font>y")) == "x</font>y"


def test_mentions_are_a_bots() -> None:
    assert markdown("<@lisi>") == [["p", {}, ["mention", {}, "@李四"]]]
    assert all_text(markdown("<@lisi>", channel="app")) == "<@lisi>"
    assert all_text(markdown("<@lisi>", msgtype="markdown_v2")) == "<@lisi>"


def test_the_second_markdown() -> None:
    text = (
        "*i* ~~s~~\n\n- a\n\n1. b\n\n---\n\n```\ncode\n```\n\n| a |\n|---|\n| b |\n\n>> deep\n\n![p](https://a.test/)"
    )
    found = kinds(markdown(text, msgtype="markdown_v2"))
    assert found >= {"i", "s", "ul", "ol", "li", "hr", "pre", "table", "th", "td", "quote", "picture"}
    assert "a" not in found


def test_a_textcard() -> None:
    part = {"title": "t" * 200, "description": '<div class="gray">d</div>x<br><div class="big">y</div>', "url": URL}
    title, text, more = shown("textcard", part)
    assert all_text([title]) == "t" * 128
    assert text == ["text", {}, ["gray", {}, "d"], "x", "\n", '<div class="big">y</div>']
    assert more == ["more", {}, ["a", {"href": URL}, "详情"]]


def test_a_card() -> None:
    part = {
        "card_type": "text_notice",
        "source": {"desc": "from"},
        "main_title": {"title": "main", "desc": "more"},
        "emphasis_content": {"title": "100", "desc": "errors"},
        "quote_area": {"title": "quoted", "quote_text": "text"},
        "sub_title_text": "second",
        "horizontal_content_list": [{"keyname": "k", "value": "v", "type": 1, "url": URL}, {"keyname": "k"}],
        "jump_list": [{"title": "jump", "type": 1, "url": URL}],
        "card_action": {"type": 1, "url": URL},
    }
    nodes = shown("template_card", part)
    for word in ("from", "main", "more", "100", "errors", "quoted", "second", "jump"):
        assert word in all_text(nodes)
    assert {"big", "row", "quote", "a"} <= kinds(nodes)


@pytest.mark.parametrize("msgtype", ["image", "file", "voice", "video", "news", "mpnews", "textcard", "text"])
def test_wechat_shows(msgtype: str) -> None:
    assert in_wechat(msgtype)


@pytest.mark.parametrize("msgtype", ["markdown", "markdown_v2", "template_card"])
def test_wechat_does_not_show(msgtype: str) -> None:
    assert not in_wechat(msgtype)


HOSTILE = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "//evil",
]


@pytest.mark.case("X07")
@pytest.mark.parametrize("url", HOSTILE)
def test_a_link_leads_to_the_web_or_is_none(url: str) -> None:
    for nodes in (
        shown("text", {"content": f'<a href="{url}">x</a>'}),
        markdown(f"[x]({url})"),
        markdown(f"[x](<{url}>) <{url}>", msgtype="markdown_v2"),
        shown("textcard", {"title": "t", "description": "d", "url": url}),
        shown("news", {"articles": [{"title": "t", "url": url}]}),
        shown("template_card", {"card_action": {"url": url}, "jump_list": [{"title": "x", "url": url}]}),
    ):
        assert "a" not in kinds(nodes)


ENDLESS = {
    "bold within bold": "**" * 1000 + "x" + "**" * 1000,
    "a table of short rows": "|a" * 100 + "\n" + "|-" * 100 + "\n" + "|\n" * 1800,
    "quotes within quotes": ">" * 4096,
    "colours within colours": '<font color="info">' * 215,
}


@pytest.mark.case("X07")
@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS)
@pytest.mark.parametrize("msgtype", ["markdown", "markdown_v2"])
def test_a_small_message_is_drawn_small(msgtype: str, text: str) -> None:
    assert len(json.dumps(markdown(text, msgtype=msgtype))) < 100_000


@pytest.mark.case("X07")
def test_what_has_no_limit_is_cut() -> None:
    long = "https://example.com/" + "x" * 1_000_000
    card = {"main_title": {"title": long}, "sub_title_text": long, "card_action": {"url": long}}
    assert len(json.dumps(shown("template_card", card))) < 10_000
    assert "a" not in kinds(markdown(f"[x]({long[:3000]})"))
    assert len(json.dumps(shown("text", {"mentioned_list": [long]}, channel="bot", content="x"))) < 10_000


HOSTILE_VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=20) | st.sampled_from(HOSTILE),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["title", "url", "articles", "desc", "main_title", "mentioned_list"]), inner)
    ),
    max_leaves=10,
)
KINDS = ["text", "markdown", "markdown_v2", "textcard", "news", "mpnews", "image", "file", "template_card", "else"]
MARKS = st.text(alphabet='<>[]()@"=/`*#|-~ \n!:_afontchreflisi1汉', max_size=80)


@pytest.mark.case("X07")
@given(msgtype=st.sampled_from(KINDS), part=HOSTILE_VALUES, text=MARKS, channel=st.sampled_from(["app", "bot"]))
def test_whatever_comes_is_drawn(msgtype: str, part: Any, text: str, channel: str) -> None:
    nodes = shown(msgtype, part, channel=channel, content=text)
    for href in _hrefs(nodes):
        assert href.lower().startswith(("http://", "https://"))
    json.dumps(nodes)


def _hrefs(nodes: Any) -> list[str]:
    links = [node for node in nodes if not isinstance(node, str)]
    return [node[1]["href"] for node in links if "href" in node[1]] + [h for node in links for h in _hrefs(node[2:])]
