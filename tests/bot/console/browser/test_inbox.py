"""Clerks before the inbox in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from scheduling_core import handoff
from scheduling_core.models import Conversation, Owner
from tests.bot.conftest import PATIENT, House
from tests.bot.console.browser.conftest import SitDown
from tests.bot.console.browser.test_every_page import hindrances


def escalate(house: House, words: str = "I want a person", phone: str = PATIENT) -> str:
    """A text that the dialogue hands to the desk."""

    def hand_over(asked):
        with house.database.transaction() as session:
            id_ = asked["sender"]
            handoff.take_over(session, conversation_id=id_, owner_name="desk", team="desk", agent=f"assistant:{id_}")
        return [{"text": "Somebody will write to you here."}]

    house.dialogue.reply = hand_over
    assert house.text(words, phone=phone) == ["Somebody will write to you here."]
    house.dialogue.reply = lambda asked: [{"text": f"You said: {asked['message']}"}]
    with house.database.reading() as session:
        return session.scalars(select(Conversation.id).where(Conversation.phone == phone, Conversation.open)).one()


def row(page: Page, conversation: str):
    return page.locator(f"#row-{conversation}")


def test_a_clerk_takes_an_escalated_text_answers_it_and_gives_it_back(at_desk: SitDown, desk_house: House):
    page = at_desk("scheduler", name="Tess")
    page.goto("/console/inbox")
    expect(page.locator("#rows-empty")).to_be_visible()
    conversation = escalate(desk_house)  # nothing is loaded anew from here on
    expect(row(page, conversation)).to_contain_text("I want a person")
    expect(page).to_have_title("(1) Inbox · Maple Grove Clinic")

    row(page, conversation).get_by_role("link").click()
    page.get_by_role("button", name="Claim").click()
    expect(page.locator("#talk-head")).to_contain_text("Yours")
    expect(row(page, conversation)).to_have_count(0)  # it is no longer among the unassigned

    page.get_by_label("Text to the patient", exact=True).last.fill("This is Tess. How can I help?")
    expect(page.locator("#segments")).to_have_text("1 segment · 29 characters")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#talk-lines")).to_contain_text("This is Tess")
    expect(page.locator("#reply-body")).to_have_value("")
    desk_house.worker().send_due()
    expect(page.locator("#talk-lines .staff .fate")).to_have_text("Sent")
    assert desk_house.twilio.bodies() == ["This is Tess. How can I help?"]

    assert desk_house.text("my knee") == []
    expect(page.locator("#talk-lines")).to_contain_text("my knee")
    page.get_by_role("button", name="Give back").click()
    expect(page.locator("#talk-lines")).to_contain_text("Tess gave it back to the assistant")
    assert desk_house.text("thanks") == ["You said: thanks"]


def test_of_two_clerks_who_claim_at_once_one_is_told_who_has_it(at_desk: SitDown, desk_house: House):
    conversation = escalate(desk_house)
    tess, omar = at_desk("scheduler", name="Tess"), at_desk("scheduler", name="Omar")
    for page in (tess, omar):
        page.route("**/stream?*", lambda route: route.abort())  # what one does comes to the other too late
        page.goto(f"/console/inbox/{conversation}")
    tess.get_by_role("button", name="Claim").click()
    expect(tess.locator("#talk-head")).to_contain_text("Yours")
    omar.locator("#reply-body").fill("a draft")
    omar.get_by_role("button", name="Claim").click()
    expect(omar.locator("#said")).to_contain_text("Tess has this conversation")
    expect(omar.locator("#talk-head")).to_contain_text("Tess")
    expect(omar.locator("#reply-body")).to_have_value("a draft")
    with desk_house.database.reading() as session:
        kept = session.scalars(select(Conversation)).one()
        assert (kept.owner, kept.owner_name) == (Owner.STAFF, "Tess")


def test_everything_goes_by_the_keyboard(at_desk: SitDown, desk_house: House):
    first = escalate(desk_house)
    second = escalate(desk_house, phone="+14145550143")
    page = at_desk("scheduler", name="Tess")
    page.goto("/console/inbox")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(row(page, second).get_by_role("link")).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.locator(f'#talk[data-id="{first}"]')).to_be_visible()
    page.keyboard.press("c")
    expect(page.locator("#talk-head")).to_contain_text("Yours")
    page.keyboard.press("n")
    expect(page.locator("#note-body")).to_be_focused()
    page.keyboard.type("ring the daughter")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#talk-lines .note")).to_contain_text("ring the daughter")
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    page.keyboard.press("Enter")
    expect(page.locator("#talk-head")).to_contain_text("Snoozed until")
    page.keyboard.press("s")
    expect(page.locator("#talk-head")).not_to_contain_text("Snoozed until")
    page.keyboard.press("e")
    expect(page.locator("#talk-lines")).to_contain_text("Tess resolved it")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()


def test_colleagues_see_each_other_look(at_desk: SitDown, desk_house: House):
    conversation = escalate(desk_house)
    tess, omar = at_desk("scheduler", name="Tess"), at_desk("scheduler", name="Omar")
    for page in (tess, omar):
        page.goto(f"/console/inbox/{conversation}")
    expect(tess.locator("#talk-looking")).to_have_text("Also looking: Omar")
    expect(omar.locator("#talk-looking")).to_have_text("Also looking: Tess")


@pytest.mark.parametrize("width", [375, 1366])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_in_it_is_in_anybodys_way(at_desk: SitDown, desk_house: House, width: int, scheme: str):
    conversation = escalate(desk_house)
    page = at_desk("scheduler", width=width, color_scheme=scheme)
    page.goto("/console/inbox")
    assert hindrances(page) == []
    page.goto(f"/console/inbox/{conversation}")
    assert hindrances(page) == []
    page.goto("/console/inbox/replies")
    assert hindrances(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
