"""In and out of the console."""

from __future__ import annotations

import html
import re
import time
from pathlib import Path
from typing import Any

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from bot import demo_account
from bot.app import close, create_app
from bot.console.sessions import COOKIE, PATH
from bot.settings import Environment
from scheduling_core import accounts, lockout
from scheduling_core.db import Database
from scheduling_core.models import AuditEvent, Role, SignInFailure, StaffAccount, StaffSession
from tests.bot.conftest import make_settings
from tests.bot.console.conftest import Desks, make_staff, sign_in

PASSWORD = "four ferries cross at dawn"
KEPT = accounts.hashed(PASSWORD)


def person(database: Database, role: str = "scheduler") -> StaffAccount:
    """An account with a password and an authenticator app."""
    account = make_staff(database, role)
    with database.transaction() as session:
        kept = accounts.get(session, account.id)
        kept.password = KEPT
        return kept


def token(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, page
    return found[1]


def give(client: FlaskClient, path: str, fields: dict[str, str], **more: Any) -> Any:
    """Fill in and send the form of a page."""
    return client.post(path, data={"csrf_token": token(client.get(path).text)} | fields, **more)


def with_password(client: FlaskClient, account: StaffAccount, password: str = PASSWORD, **more: str) -> Any:
    return give(client, "/console/sign-in", {"email": account.email, "password": password} | more)


def with_code(client: FlaskClient, page: Any, code: str) -> Any:
    return client.post("/console/sign-in/second", data={"csrf_token": token(page.text), "code": code})


def code_of(account: StaffAccount, seconds: int = 0) -> str:
    assert account.totp_secret
    return pyotp.TOTP(account.totp_secret).at(int(time.time()) + seconds)


def cookie_of(client: FlaskClient) -> str:
    kept = client.get_cookie(COOKIE, path=PATH)
    return kept.value if kept else ""


def test_password_and_code_open_the_door(console_app: Flask, loaded: Database):
    account, client = person(loaded), console_app.test_client()
    second = with_password(client, account)
    assert client.get("/console/account").status_code == 302  # half is not enough
    done = with_code(client, second, code_of(account))
    assert (done.status_code, done.location) == (302, "/console/")
    assert account.name in client.get("/console/account").text


def test_a_wrong_password_and_an_unknown_address_read_the_same(sqlite_app: Flask, sqlite_loaded: Database):
    account, client = person(sqlite_loaded), sqlite_app.test_client()
    wrong = with_password(client, account, "not this one at all")
    unknown = give(client, "/console/sign-in", {"email": "nobody@maplegrove.example", "password": PASSWORD})
    assert wrong.status_code == unknown.status_code == 422
    said = [re.search(r'role="alert">([^<]+)<', page.text) for page in (wrong, unknown)]
    assert said[0]
    assert said[1]
    assert said[0][1] == said[1][1]


def test_one_code_opens_one_door(console_app: Flask, loaded: Database):
    account = person(loaded)
    code = code_of(account)
    first, second = console_app.test_client(), console_app.test_client()
    assert with_code(first, with_password(first, account), code).status_code == 302
    assert with_code(second, with_password(second, account), code).status_code == 422
    assert with_code(second, with_password(second, account), code_of(account, -30)).status_code == 422  # nor an older one
    assert with_code(second, with_password(second, account), code_of(account, 30)).status_code == 302


def test_a_code_of_another_time_is_refused(sqlite_app: Flask, sqlite_loaded: Database):
    account, client = person(sqlite_loaded), sqlite_app.test_client()
    page = with_password(client, account)
    assert with_code(client, page, code_of(account, 90)).status_code == 422
    assert with_code(client, page, "").status_code == 422


def test_a_recovery_code_is_good_once(console_app: Flask, loaded: Database):
    from scheduling_core import second_factor

    account = person(loaded)
    with loaded.transaction() as session:
        codes = second_factor.new_codes(session, account, agent="test")
    for attempt, status in ((codes[0], 302), (codes[0], 422), (codes[1].replace("-", "").lower(), 302)):
        client = console_app.test_client()
        assert with_code(client, with_password(client, account), attempt).status_code == status
    with loaded.reading() as session:
        assert second_factor.codes_left(session, account) == 8


def test_signing_in_changes_the_cookie_and_the_old_one_opens_nothing(console_app: Flask, loaded: Database):
    account, client = person(loaded), console_app.test_client()
    second = with_password(client, account)
    half = cookie_of(client)
    with_code(client, second, code_of(account))
    assert cookie_of(client) != half
    thief = console_app.test_client()
    thief.set_cookie(COOKIE, half, path=PATH)
    assert thief.get("/console/account").status_code == 302


@pytest.mark.parametrize("planted", ["x" * 43, "." + "e30.aaaa.bbbb", ""])
def test_a_planted_cookie_is_never_the_one_that_is_signed_in_with(sqlite_app: Flask, sqlite_loaded: Database, planted: str):
    account, client = person(sqlite_loaded), sqlite_app.test_client()
    client.set_cookie(COOKIE, planted, path=PATH)
    with_code(client, with_password(client, account), code_of(account))
    assert cookie_of(client) != planted
    thief = sqlite_app.test_client()
    thief.set_cookie(COOKIE, planted, path=PATH)
    assert thief.get("/console/account").status_code == 302


def test_the_cookie_is_for_the_console_alone_and_out_of_a_scripts_reach(sqlite_loaded: Database, tmp_path: Path):
    app = create_app(make_settings(tmp_path, sqlite_loaded.url))  # https://clinic.example
    cookie = app.test_client().get("/console/sign-in").headers["Set-Cookie"]
    close(app)
    assert {"Secure", "HttpOnly", "Path=/console", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}


def test_what_is_kept_of_a_session_is_not_its_cookie(sqlite_app: Flask, sqlite_loaded: Database):
    account, client = person(sqlite_loaded), sqlite_app.test_client()
    with_code(client, with_password(client, account), code_of(account))
    with sqlite_loaded.reading() as session:
        row = session.scalars(select(StaffSession).where(StaffSession.account_id == account.id)).one()
    assert row.digest == accounts.digest(cookie_of(client))
    assert cookie_of(client) not in str(row.content)


def test_strangers_fill_no_table(sqlite_app: Flask, sqlite_loaded: Database):
    for _ in range(3):
        sqlite_app.test_client().get("/console/sign-in")
    with sqlite_loaded.reading() as session:
        assert session.scalar(select(func.count()).select_from(StaffSession)) == 0


@pytest.mark.parametrize(
    "path", ["/console/sign-in", "/console/sign-in/second", "/console/sign-in/passkey/ask", "/console/welcome/x"]
)
def test_a_form_of_another_site_is_refused(sqlite_app: Flask, path: str):
    assert sqlite_app.test_client().post(path, data={"email": "a@b.example"}).status_code == 400


def test_a_token_of_another_session_is_refused(sqlite_app: Flask, sqlite_desk: Desks):
    client = sqlite_desk("scheduler")
    other = token(sqlite_app.test_client().get("/console/sign-in").text)
    client.environ_base.pop("HTTP_X_CSRFTOKEN")
    refused = client.post("/console/account/language", data={"language": "es", "csrf_token": other})
    assert refused.status_code == 400


def test_after_too_many_tries_the_right_password_waits_too(console_app: Flask, loaded: Database):
    account, client = person(loaded), console_app.test_client()
    for _ in range(lockout.TRIES_OF_ACCOUNT):
        assert with_password(client, account, "not this one at all").status_code == 422
    assert with_password(client, account).status_code == 429
    with loaded.transaction() as session:
        session.execute(update(SignInFailure).values(at=time.time() - lockout.WINDOW_SECONDS - 1))
    assert with_password(client, account).status_code == 200


def test_codes_cannot_be_guessed_either(sqlite_app: Flask, sqlite_loaded: Database):
    account, client = person(sqlite_loaded), sqlite_app.test_client()
    page = with_password(client, account)
    found = [with_code(client, page, f"{number:06}").status_code for number in range(lockout.TRIES_OF_ACCOUNT)]
    assert found[:-1] == [422] * (lockout.TRIES_OF_ACCOUNT - 1)
    assert found[-1] == 429
    assert with_password(client, account).status_code == 429  # and the right password does not begin the count anew


def test_many_accounts_tried_from_one_address_are_too_many(
    sqlite_app: Flask, sqlite_loaded: Database, monkeypatch: pytest.MonkeyPatch
):
    with sqlite_loaded.transaction() as session:
        for number in range(lockout.TRIES_OF_ADDRESS):
            lockout.note_try(session, email=f"{number}@b.example", address="203.0.113.9")
    behind = {"X-Forwarded-For": "198.51.100.1, 203.0.113.9"}  # our own proxy names who came to it last
    client = sqlite_app.test_client()
    fields = {"csrf_token": token(client.get("/console/sign-in").text), "email": "new@b.example", "password": "x"}
    assert client.post("/console/sign-in", data=fields, headers=behind).status_code == 429
    assert client.post("/console/sign-in", data=fields).status_code == 422


def test_the_list_of_sessions_has_the_address_that_the_proxy_names(sqlite_app: Flask, sqlite_loaded: Database):
    account, client = person(sqlite_loaded), sqlite_app.test_client()
    client.environ_base["HTTP_X_FORWARDED_FOR"] = "198.51.100.1, 203.0.113.9"
    with_code(client, with_password(client, account), code_of(account))
    assert "203.0.113.9" in client.get("/console/account").text


def test_signing_in_is_recorded_and_so_is_a_refused_try(sqlite_app: Flask, sqlite_loaded: Database):
    account, client = person(sqlite_loaded), sqlite_app.test_client()
    with_password(client, account, "not this one at all")
    with_code(client, with_password(client, account), code_of(account))
    with sqlite_loaded.reading() as session:
        rows = session.scalars(select(AuditEvent).where(AuditEvent.entity == "Session").order_by(AuditEvent.sequence)).all()
        assert [row.detail["did"] for row in rows] == ["refused password", "sign-in"]


@pytest.mark.parametrize(
    ("asked", "goes"),
    [
        ("/console/account?x=1", "/console/account?x=1"),
        ("https://elsewhere.example/console/", "/console/"),
        ("//elsewhere.example", "/console/"),
        ("/console//elsewhere.example", "/console/"),
        ("/console/\\elsewhere.example", "/console/"),
        ("javascript:alert(1)", "/console/"),
    ],
)
def test_the_way_back_stays_inside(sqlite_app: Flask, sqlite_loaded: Database, asked: str, goes: str):
    account, client = person(sqlite_loaded), sqlite_app.test_client()
    page = with_password(client, account, next=asked)
    done = client.post("/console/sign-in/second", data={"csrf_token": token(page.text), "code": code_of(account), "next": asked})
    assert done.location == goes


def test_a_link_sets_a_password_once(console_app: Flask, loaded: Database):
    with loaded.transaction() as session:
        account = accounts.add_staff(session, email="new@maplegrove.example", name="New Person", role=Role.BILLING, agent="test")
        secret = accounts.new_link(session, account, agent="test")
    client = console_app.test_client()
    path = f"/console/welcome/{secret}"
    assert give(client, path, {"password": "short", "again": "short"}).status_code == 422
    assert give(client, path, {"password": PASSWORD, "again": PASSWORD + "!"}).status_code == 422
    assert give(client, path, {"password": PASSWORD, "again": PASSWORD}).status_code == 302
    assert client.get(path).status_code == 409
    assert with_password(client, account).status_code == 302


@pytest.mark.parametrize("poor", ["password1234567", "aaaaaaaaaaaaaa", "new@maplegrove.example", "x" * 201, "eleven char"])
def test_poor_passwords_are_refused(poor: str):
    with pytest.raises(accounts.PoorPasswordError):
        accounts.hashed(poor, about="new@maplegrove.example New Person")


def test_a_role_that_needs_a_second_factor_sets_it_up_first(console_app: Flask, loaded: Database):
    account, client = person(loaded, "billing"), console_app.test_client()
    with loaded.transaction() as session:
        accounts.get(session, account.id).totp_secret = None
    assert with_password(client, account).location == "/console/"
    assert client.get("/console/").location == "/console/account/app"
    page = client.get("/console/account/app").text
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    assert secret
    picture = client.get("/console/account/app.svg")
    assert picture.content_type == "image/svg+xml"
    assert b"style=" not in picture.data
    code = pyotp.TOTP(secret[1].replace(" ", "")).now()
    codes = client.post("/console/account/app", data={"csrf_token": token(page), "code": code})
    assert len(re.findall(r"<code>[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}</code>", codes.text)) == 10
    assert client.get("/console/").location != "/console/account/app"


def test_an_idle_session_is_over_and_polls_do_not_keep_it(console_app: Flask, loaded: Database):
    client = console_app.test_client()
    client.set_cookie(COOKIE, sign_in(loaded, make_staff(loaded, "scheduler")), path=PATH)

    def idle_for(seconds: float) -> None:
        with loaded.transaction() as session:
            session.execute(update(StaffSession).values(seen=time.time() - seconds))

    idle_for(14 * 60)
    assert client.get("/console/menu-counts").status_code == 200
    with loaded.reading() as session:
        assert time.time() - session.scalars(select(StaffSession.seen)).one() > 13 * 60
    assert client.get("/console/account").status_code == 200
    with loaded.reading() as session:
        assert time.time() - session.scalars(select(StaffSession.seen)).one() < 60
    idle_for(15 * 60 + 1)
    assert client.get("/console/account").status_code == 302
    assert client.get("/console/menu-counts", headers={"HX-Request": "true"}).status_code == 401


def test_a_session_ends_after_a_day_of_work_however_busy(sqlite_desk: Desks, sqlite_loaded: Database):
    client = sqlite_desk("scheduler")
    with sqlite_loaded.transaction() as session:
        session.execute(update(StaffSession).values(began=time.time() - 12 * 3600 - 1))
    assert client.get("/console/account").status_code == 302


def test_a_form_sent_after_the_end_is_carried_through_the_sign_in(console_app: Flask, loaded: Database):
    account, client = person(loaded), console_app.test_client()
    with_code(client, with_password(client, account), code_of(account))
    form = token(client.get("/console/account").text)
    with loaded.transaction() as session:
        session.execute(update(StaffSession).values(seen=time.time() - 3600))
    note = 'She said: "call me <b>after</b> 5"\n¡gracias!' + "x" * 200_000
    page = client.post("/console/account/language", data={"csrf_token": form, "language": note})
    assert page.status_code == 401
    carried = client.post("/console/sign-in", data=fields_of(page.text) | {"email": account.email, "password": PASSWORD})
    done = client.post("/console/sign-in/second", data=fields_of(carried.text) | {"code": code_of(account, 30)})
    assert "nothing has been done with it yet" in done.text
    assert fields_of(done.text)["language"] == note
    assert 'action="/console/account/language"' in done.text


def test_another_person_does_not_get_what_was_typed(sqlite_app: Flask, sqlite_loaded: Database):
    account, other, client = person(sqlite_loaded), person(sqlite_loaded, "billing"), sqlite_app.test_client()
    with_code(client, with_password(client, account), code_of(account))
    form = token(client.get("/console/account").text)
    with sqlite_loaded.transaction() as session:
        session.execute(update(StaffSession).values(seen=time.time() - 3600))
    page = client.post("/console/account/language", data={"csrf_token": form, "language": "a secret"})
    carried = client.post("/console/sign-in", data=fields_of(page.text) | {"email": other.email, "password": PASSWORD})
    done = client.post("/console/sign-in/second", data=fields_of(carried.text) | {"code": code_of(other)})
    assert "a secret" not in done.text


def test_a_form_of_another_site_is_not_carried(sqlite_app: Flask, sqlite_loaded: Database):
    client = sqlite_app.test_client()
    client.set_cookie(COOKIE, sign_in(sqlite_loaded, make_staff(sqlite_loaded, "scheduler")), path=PATH)
    with sqlite_loaded.transaction() as session:
        session.execute(update(StaffSession).values(seen=time.time() - 3600))
    sent = client.post("/console/account/language", data={"csrf_token": "forged", "language": "x"})
    assert (sent.status_code, sent.location) == (302, "/console/sign-in")


def fields_of(page: str) -> dict[str, str]:
    main = page[page.index("<main") : page.index("</main>")]
    return {name: html.unescape(value) for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', main)}


def test_signing_out_elsewhere_leaves_this_browser(sqlite_app: Flask, sqlite_loaded: Database, sqlite_desk: Desks):
    here, there = sqlite_desk("scheduler"), sqlite_desk("scheduler")
    here.post("/console/account/sessions/end")
    assert here.get("/console/account").status_code == 200
    assert there.get("/console/account").status_code == 302


def test_another_clinics_cookie_opens_nothing_here(loaded: Database, tmp_path: Path, clinic: Any):
    from scheduling_core.clinic_file import loading

    other = Database(loaded.url, organization="elsewhere")
    with other.transaction() as session:
        loading.load(session, clinic, agent="load")
    cookie = sign_in(other, make_staff(other, "manager"))
    app = create_app(make_settings(tmp_path, loaded.url, public_url="http://localhost"))
    client = app.test_client()
    client.set_cookie(COOKIE, cookie, path=PATH)
    found = client.get("/console/account").status_code
    close(app)
    other.dispose()
    assert found == 302


def test_the_demos_account_opens_the_demo_and_never_production(sqlite_loaded: Database, tmp_path: Path):
    demo_account.ensure(sqlite_loaded)
    for env, status in ((Environment.DEMO, 302), (Environment.PRODUCTION, 422)):
        app = create_app(make_settings(tmp_path, sqlite_loaded.url, env=env, public_url="https://localhost"))
        client = app.test_client()
        client.environ_base["wsgi.url_scheme"] = "https"
        given = give(client, "/console/sign-in", {"email": demo_account.EMAIL, "password": demo_account.PASSWORD})
        assert given.status_code == status
        if env is Environment.DEMO:
            assert client.get("/console/account").status_code == 200  # no second factor, which nobody could share
            kept = cookie_of(client)
        else:
            client.set_cookie(COOKIE, kept, path=PATH)
            assert client.get("/console/account").status_code == 302
        close(app)
