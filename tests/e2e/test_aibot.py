"""The AI bot on the sandbox's page: cards are clicked and rewritten, people write, faults are ordered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from wecom_logging._sandbox import Sandbox

from ..programs import until
from ..sandbox.talker import Talker, card, done
from .conftest import Open
from .test_finding import violations

ME = "sandbox-user"
SINGLE, GROUP = "沙箱用户 · AI bot", "ops · AI bot"
NARROW = {"viewport": {"width": 390, "height": 844}}


@pytest.fixture
def bot(sandbox: Sandbox) -> Iterator[Talker]:
    with Talker(sandbox) as talker:
        yield talker


@pytest.fixture
def group(sandbox: Sandbox) -> str:
    for user_id, name in (("lisi", "李四"), ("wangwu", "王五")):
        sandbox.add_member(user_id, name=name)
    sandbox.aibot.allow_group_cards()
    sandbox.aibot.add_group("ops", [ME, "lisi", "wangwu"], written=True)
    return "ops"


def phone(page: Page, title: str) -> Any:
    return page.get_by_role("region", name=title, exact=True)


def test_a_click_on_the_page_reaches_the_bot_and_the_card_is_rewritten(
    open_page: Open, sandbox: Sandbox, bot: Talker
) -> None:
    page = open_page(sandbox.url).page
    assert bot.push_card() == 0
    shown = phone(page, SINGLE)
    shown.get_by_label("Quiet").select_option("8 h")
    shown.get_by_role("button", name="Quiet", exact=True).click()
    click = bot.hear()
    event = click["body"]["event"]["template_card_event"]
    assert event["event_key"] == "quiet:A17"
    assert event["selected_items"]["selected_item"][0]["option_ids"] == {"option_id": ["8h"]}
    buttons = [{"text": "Undo", "key": "undo:A17"}]
    silent = card(main_title={"title": "A17 · silent for 8 h"}, button_list=buttons, button_selection=None)
    assert bot.rewrite(click["headers"]["req_id"], silent) == 0
    expect(shown).to_contain_text("A17 · silent for 8 h")
    expect(shown).not_to_contain_text("312 errors")
    expect(shown.get_by_role("button", name="Quiet", exact=True)).to_have_count(0)
    expect(page.locator("#announcer")).to_have_text("A card changed for 沙箱用户")
    shown.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    assert bot.rewrite(bot.hear()["headers"]["req_id"], card(button_list=buttons)) == 0
    expect(shown).to_contain_text("312 errors")
    expect(shown.get_by_role("button", name="Undo")).to_be_focused()


def test_each_member_sees_a_card_as_it_is_for_that_member(
    open_page: Open, sandbox: Sandbox, bot: Talker, group: str
) -> None:
    page = open_page(sandbox.url).page
    assert bot.push_card(group) == 0
    shown = phone(page, GROUP)  # it takes the place of an empty one
    shown.get_by_label("As").select_option("李四")
    shown.get_by_role("button", name="I take it").click()
    click = bot.hear()
    assert (click["body"]["from"]["userid"], click["body"]["chatid"]) == ("lisi", "ops")
    assert bot.rewrite(click["headers"]["req_id"], done("yours"), userids=["lisi"]) == 0
    expect(shown).to_contain_text("yours")
    shown.get_by_label("As").select_option("王五")
    expect(shown).not_to_contain_text("yours")
    shown.get_by_role("button", name="I take it").click()
    click = bot.hear()
    assert click["body"]["from"]["userid"] == "wangwu"
    assert bot.rewrite(click["headers"]["req_id"], done("taken by 李四 already")) == 0
    for name in ("王五", "李四", "沙箱用户"):
        shown.get_by_label("As").select_option(name)
        expect(shown).to_contain_text("taken by 李四 already")
    page.reload()
    expect(phone(page, GROUP)).to_contain_text("taken by 李四 already")


def test_people_write_and_quote(open_page: Open, sandbox: Sandbox, bot: Talker, group: str) -> None:
    page = open_page(sandbox.url).page
    assert bot.push(part="#k7f2 disk full") == 0
    shown = phone(page, SINGLE)
    shown.get_by_text("#k7f2 disk full").click()
    shown.get_by_role("button", name="Quote", exact=True).click()
    page.keyboard.type("认领")
    page.keyboard.press("Enter")
    heard = bot.hear()["body"]
    assert (heard["text"], heard["quote"]["text"]) == ({"content": "认领"}, {"content": "#k7f2 disk full"})
    expect(shown.locator("li.mine")).to_contain_text("认领")
    page.get_by_role("button", name=GROUP).click()
    asked = phone(page, GROUP)
    asked.get_by_label("As").select_option("李四")
    asked.get_by_label("Write to the bot").last.fill("list")
    asked.get_by_role("button", name="Send").click()
    heard = bot.hear()["body"]
    assert (heard["chatid"], heard["from"], heard["text"]["content"]) == ("ops", {"userid": "lisi"}, "@沙箱机器人 list")
    sandbox.aibot.lose_subscription()
    asked.get_by_label("Write to the bot").last.fill("anybody?")
    asked.get_by_role("button", name="Send").click()
    expect(asked.get_by_role("alert")).to_have_text("No bot is connected: nobody heard it.")
    expect(page.locator(".switches.aibot")).to_contain_text("AI bot: not subscribed, 1 connection")


def test_what_is_written_while_the_page_sends_stays(open_page: Open, sandbox: Sandbox, bot: Talker) -> None:
    page = open_page(sandbox.url).page
    shown = phone(page, SINGLE)
    box = shown.get_by_label("Write to the bot").last

    def write_on(route: Route) -> None:
        box.fill("take k7f2")
        route.continue_()

    page.route("**/sandbox/aibot/say", write_on, times=1)
    box.fill("list")
    for said in ("list", "take k7f2"):
        with page.expect_response("**/sandbox/aibot/say"):
            shown.get_by_role("button", name="Send").click()
        assert bot.hear()["body"]["text"] == {"content": said}
    expect(box).to_have_value("")


def test_faults_of_the_bot_are_ordered_on_the_page(open_page: Open, sandbox: Sandbox, bot: Talker) -> None:
    page = open_page(sandbox.url).page
    page.locator("form.order select").first.select_option("aibot/aibot_send_msg")
    page.get_by_role("button", name="Inject").click()
    expect(page.locator(".waiting")).to_contain_text("aibot/aibot_send_msg: errcode 45009 · once")
    assert [bot.push(), bot.push()] == [45009, 0]
    page.get_by_label("cards in groups").check()
    until(lambda: bot.push_card("sandbox-group") == 0)
    refused = page.locator("#calls li").filter(has_text="45009")
    expect(refused).to_contain_text("aibot_send_msg")
    assert "sandbox-aibot-secret" not in page.locator("#inspector").inner_html()
    page.get_by_role("button", name="Lose subscription").click()
    until(lambda: not sandbox.aibot.subscribers)
    assert bot.push() == 846609


def test_a_narrow_page_leaves_an_empty_phone_for_the_chat_in_which_something_is(
    open_page: Open, sandbox: Sandbox, bot: Talker
) -> None:
    page = open_page(sandbox.url, **NARROW).page
    expect(page.locator(".phone:visible")).to_have_count(1)
    assert bot.push_card() == 0
    expect(phone(page, SINGLE)).to_be_visible()
    expect(page.locator(".phone:visible")).to_have_count(1)
    page.get_by_role("button", name="沙箱用户 · WeChat").click()  # a hand has chosen
    assert bot.push(part="more") == 0
    expect(page.locator("#announcer")).to_contain_text("New message")
    expect(phone(page, "沙箱用户 · WeChat")).to_be_visible()
    expect(phone(page, SINGLE)).to_be_hidden()
    again = open_page(sandbox.url, **NARROW).page
    expect(phone(again, SINGLE)).to_be_visible()
    expect(again.get_by_role("button", name=SINGLE)).to_be_in_viewport()


def test_a_wide_page_opens_on_the_chats_in_which_something_is(
    open_page: Open, sandbox: Sandbox, bot: Talker, group: str
) -> None:
    assert bot.push_card(group) == 0
    page = open_page(sandbox.url, viewport={"width": 1280, "height": 800}).page
    expect(phone(page, GROUP)).to_be_visible()
    expect(page.locator(".phone:visible")).to_have_count(1)
    for name in ("WeCom", "WeChat"):
        page.get_by_role("button", name=f"沙箱用户 · {name}").click()
    expect(page.locator(".phone:visible")).to_have_count(3)
    parts = phone(page, GROUP).locator(".composer > :visible").all()
    middles = [part.evaluate("part => part.offsetTop + part.offsetHeight / 2") for part in parts]
    assert len(middles) == 3
    assert max(middles) - min(middles) < 8
    page.get_by_role("button", name=SINGLE).click()
    expect(phone(page, SINGLE)).to_be_visible()
    assert violations(page) == []


def test_a_wide_page_that_no_hand_has_touched_leaves_an_empty_phone_for_the_chat_in_which_something_comes(
    open_page: Open, sandbox: Sandbox, bot: Talker, group: str
) -> None:
    page = open_page(sandbox.url, viewport={"width": 1280, "height": 800}).page
    expect(phone(page, GROUP)).to_be_hidden()
    assert bot.push_card(group) == 0
    expect(phone(page, GROUP)).to_be_visible()
    expect(page.locator(".phone:visible")).to_have_count(3)
    page.get_by_role("button", name=GROUP).click()
    sandbox.aibot.say(group, "sandbox-user", "list")
    expect(page.locator("#standing")).to_contain_text("2 messages kept")
    expect(phone(page, GROUP)).to_be_hidden()


@pytest.mark.parametrize(("locale", "scheme"), [("en", "light"), ("zh-CN", "dark")])
def test_on_a_narrow_page_nothing_is_cut_off(
    open_page: Open, sandbox: Sandbox, bot: Talker, scheme: str, locale: str
) -> None:
    jump = {"type": 3, "title": "列表", "question": "list"}
    menu = {"desc": "更多", "action_list": [{"text": "不再提醒", "key": "mute"}]}
    assert bot.push_card(jump_list=[jump], action_menu=menu) == 0
    page = open_page(sandbox.url, locale=locale, color_scheme=scheme, **NARROW).page
    expect(page.get_by_role("button", name="I take it")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert violations(page) == []
    page.get_by_role("button", name="列表", exact=True).click()
    assert bot.hear()["body"]["text"] == {"content": "list"}
    page.get_by_role("button", name="不再提醒").click()
    assert bot.hear()["body"]["event"]["template_card_event"]["event_key"] == "mute"
    bot.socket.close()
    until(lambda: not sandbox.aibot.subscribers)
    page.get_by_role("button", name="I take it").click()
    lost = {"en": "No bot is connected: the click is lost.", "zh-CN": "没有机器人连接，这次点击已丢失。"}
    expect(page.get_by_role("status").filter(has_text=lost[locale])).to_be_visible()
