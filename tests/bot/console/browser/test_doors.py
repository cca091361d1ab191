"""The doors, by hand: second factor, passkey, and a session that ends while somebody types."""

from __future__ import annotations

import time
from collections.abc import Callable

import pyotp
from playwright.sync_api import BrowserContext, Page, Route, expect
from sqlalchemy import delete, select, update

from scheduling_core import accounts, handoff
from scheduling_core.models import Conversation, Role, StaffAccount, StaffSession
from tests.bot.conftest import House
from tests.bot.console.browser.conftest import SitDown
from tests.bot.console.browser.test_every_page import hindrances
from tests.bot.console.conftest import make_staff
from tests.factories import make_conversation

PASSWORD = "four ferries cross at dawn"
KEPT = accounts.hashed(PASSWORD)
Visitor = Callable[..., BrowserContext]


def give_password(house: House, role: str) -> StaffAccount:
    account = make_staff(house.database, role)
    with house.database.transaction() as session:
        accounts.get(session, account.id).password = KEPT
    return account


def sign_in(page: Page, email: str) -> None:
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def ending_sessions(house: House) -> Callable[[Route], None]:
    """Ends everybody's sessions just before a request comes."""

    def end(route: Route) -> None:
        with house.database.transaction() as session:
            session.execute(delete(StaffSession))
        route.continue_()

    return end


def test_a_new_colleague_chooses_a_password_and_sets_up_an_app(visitor: Visitor, desk_house: House):
    with desk_house.database.transaction() as session:
        account = accounts.add_staff(session, email="new@maplegrove.example", name="Ines Ruiz", role=Role.BILLING, agent="test")
        secret = accounts.new_link(session, account, agent="test")
    page = visitor().new_page()
    page.goto(f"/console/welcome/{secret}")
    assert hindrances(page) == []
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("The same once more").fill(PASSWORD)
    page.get_by_role("button", name="Keep it").click()
    assert hindrances(page) == []
    sign_in(page, "new@maplegrove.example")
    expect(page.get_by_role("heading", name="Set up an authenticator app")).to_be_visible()
    assert page.locator("img.qr").evaluate("image => image.naturalWidth") > 100
    assert hindrances(page) == []
    app = pyotp.TOTP(page.locator("main code").inner_text().replace(" ", ""))
    page.get_by_label("Six digits").fill(app.now())
    page.get_by_role("button", name="Keep this app").click()
    assert hindrances(page) == []
    codes = page.locator(".codes code").all_inner_texts()
    assert len(codes) == 10
    page.get_by_role("link", name="I have them").click()

    page.get_by_text("Ines Ruiz").first.click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    sign_in(page, "new@maplegrove.example")
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    assert hindrances(page) == []
    page.get_by_label("Code of your authenticator app").fill("000000")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alert")).to_contain_text("does not fit")
    page.get_by_label("Code of your authenticator app").fill(app.at(int(time.time()) + 30))
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(".top .me")).to_contain_text("Ines Ruiz")


def test_a_passkey_opens_the_door_alone(at_desk: SitDown, desk_house: House):
    page = at_desk("scheduler")
    keys = page.context.new_cdp_session(page)
    keys.send("WebAuthn.enable")
    device = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    keys.send(
        "WebAuthn.addVirtualAuthenticator", {"options": device | {"isUserVerified": True, "automaticPresenceSimulation": True}}
    )
    with desk_house.database.transaction() as session:  # the password was given a moment ago
        row = session.get_one(StaffSession, ("clinic", session.query(StaffSession.digest).scalar()))
        row.content = row.content | {"proved": time.time()}
    page.goto("/console/account")
    page.get_by_label("Name of the new passkey").fill("Front desk")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("cell", name="Front desk", exact=True)).to_be_visible()
    assert hindrances(page) == []
    page.locator(".me summary").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator(".top .me")).to_contain_text("Scheduler")


def test_who_is_idle_is_warned_and_signs_in_again_over_what_was_typed(at_desk: SitDown, desk_house: House):
    account = give_password(desk_house, "manager")
    page = at_desk("manager")
    page.clock.install()
    page.goto("/console/staff")
    page.get_by_label("Name, as patients and colleagues read it").fill("Half a na")
    page.clock.fast_forward(14 * 60 * 1000)
    expect(page.get_by_role("dialog", name="Are you still there?")).to_be_visible()
    page.get_by_role("button", name="I am here").click()
    expect(page.get_by_role("dialog")).to_have_count(0)

    with desk_house.database.transaction() as session:
        session.execute(update(StaffSession).values(seen=time.time() - 15 * 60 - 1))
    page.clock.fast_forward(16 * 60 * 1000)
    dialog = page.get_by_role("dialog", name="You were signed off")
    expect(dialog).to_be_visible()
    assert hindrances(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Password").fill("not this one at all")
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog.get_by_role("alert")).to_contain_text("do not belong together")
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Sign in").click()
    assert account.totp_secret
    dialog.get_by_label("Code of your authenticator app").fill(pyotp.TOTP(account.totp_secret).now())
    dialog.get_by_role("button", name="Go on").click()
    expect(dialog).to_be_hidden()

    name = page.get_by_label("Name, as patients and colleagues read it")
    expect(name).to_have_value("Half a na")
    name.fill("Half a name")
    page.locator("section").get_by_label("Email address").fill("half@maplegrove.example")
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("status").filter(has_text="Half a name")).to_be_visible()


def test_a_form_whose_session_was_ended_is_sent_after_signing_in_again(at_desk: SitDown, desk_house: House):
    account = give_password(desk_house, "manager")
    page = at_desk("manager")
    page.clock.install()
    page.goto("/console/staff")
    section = page.locator("section")
    section.get_by_label("Name, as patients").fill("Whole Name")
    section.get_by_label("Email address").fill("whole@maplegrove.example")
    page.clock.fast_forward(60_000)
    page.route("**/alive", ending_sessions(desk_house), times=1)  # signed out everywhere
    section.get_by_role("button", name="Make the account").click()
    dialog = page.get_by_role("dialog", name="You were signed off")
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Sign in").click()
    assert account.totp_secret
    dialog.get_by_label("Code of your authenticator app").fill(pyotp.TOTP(account.totp_secret).now())
    dialog.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("status").filter(has_text="Whole Name")).to_be_visible()


def test_without_scripts_the_form_comes_back_too(visitor: Visitor, desk_house: House):
    account = give_password(desk_house, "scheduler")
    page = visitor(java_script_enabled=False).new_page()
    page.goto("/console/account")
    sign_in(page, account.email)
    assert account.totp_secret
    app = pyotp.TOTP(account.totp_secret)
    page.get_by_label("Code of your authenticator app").fill(app.now())
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Language of the console").select_option("es")
    with desk_house.database.transaction() as session:
        session.execute(update(StaffSession).values(seen=time.time() - 3600))
    page.get_by_role("button", name="Change").first.click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_label("Code of your authenticator app").fill(app.at(int(time.time()) + 30))
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Send it now").click()
    expect(page.locator("html")).to_have_attribute("lang", "es")


def test_a_click_whose_session_was_ended_is_done_after_signing_in_again(at_desk: SitDown, desk_house: House):
    account = give_password(desk_house, "scheduler")
    with desk_house.database.transaction() as session:
        conversation = make_conversation(session)
        handoff.take_over(session, conversation_id=conversation.id, owner_name="desk", agent="test")
    page = at_desk("scheduler")
    page.goto(f"/console/inbox/{conversation.id}")
    page.route("**/claim", ending_sessions(desk_house), times=1)
    page.get_by_role("button", name="Claim", exact=True).click()
    dialog = page.get_by_role("dialog", name="You were signed off")
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Sign in").click()
    assert account.totp_secret
    dialog.get_by_label("Code of your authenticator app").fill(pyotp.TOTP(account.totp_secret).now())
    dialog.get_by_role("button", name="Go on").click()
    until = time.monotonic() + 20
    owner = None
    while owner != account.name and time.monotonic() < until:
        page.wait_for_timeout(100)
        with desk_house.database.reading() as session:
            owner = session.scalars(select(Conversation.owner_name)).one()
    assert owner == account.name
    expect(page.get_by_role("button", name="Claim", exact=True)).to_have_count(0)
