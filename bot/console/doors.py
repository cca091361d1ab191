"""In and out: password, second factor, passkey, the link that sets a password, and the way out.

Each step answers a page, or JSON to the script that signs in over a page whose session has ended (static/console/console.js).
"""

from __future__ import annotations

import time
from typing import Any

from flask import jsonify, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import UserMixin, current_user, login_user, logout_user
from flask_wtf.csrf import generate_csrf
from sqlalchemy.orm import Session

from bot import demo_account
from bot.console import carried
from bot.console.access import EVERYBODY
from bot.console.addresses import address, site
from bot.console.shell import Answer, Console, Desk, desk_session
from scheduling_core import accounts, audit, lockout, passkeys, second_factor
from scheduling_core.clinic_file.loading import current
from scheduling_core.errors import NotFoundError
from scheduling_core.models import StaffAccount

_HALF_SECONDS = 300.0  # between the password and the second factor


def add_doors(console: Console) -> None:
    database = console.database

    @console.door("/sign-in")
    def sign_in() -> Answer:
        if _wants_json():
            return jsonify(csrf=generate_csrf())
        if current_user.is_authenticated:
            return redirect(url_for("console.home"))
        return _password_page()

    @console.door("/sign-in", method="POST")
    def sign_in_with_password() -> Answer:
        email = request.form.get("email", "")
        try:
            account = _by_password(console, email, request.form.get("password", ""))
        except lockout.TooManyTriesError:
            return _refuse(_password_page, _too_many(), 429, email=email)
        if account is None:
            return _refuse(_password_page, _("This address and password do not belong together."), 422, email=email)
        with database.reading() as session:
            second = second_factor.has_one(session, account)
        if not second:
            return _let_in(console, account)
        kept = desk_session()
        kept.clear()
        kept["half"] = {"id": account.id, "until": time.time() + _HALF_SECONDS}
        kept.renew()
        if _wants_json():
            return jsonify(second=True, csrf=generate_csrf())
        return _second_page(console)

    @console.door("/sign-in/second")
    def second_step() -> Answer:
        return redirect(url_for("console.sign_in")) if _half() is None else _second_page(console)

    @console.door("/sign-in/second", method="POST")
    def sign_in_with_code() -> Answer:
        half = _half()
        if half is None:
            return _refuse(_password_page, _("That took too long. Please begin again."), 409)
        with database.reading() as session:
            account = accounts.get(session, half)
        try:
            _count(console, account.email)
        except lockout.TooManyTriesError:
            return _refuse(lambda **said: _second_page(console, **said), _too_many(), 429)
        with database.transaction() as session:
            held = account.active and second_factor.take(session, account, request.form.get("code", ""))
        if not held:
            _record(console, account, "refused code")
            sentence = _("This code does not fit. Each code is good once; please wait for the next one.")
            return _refuse(lambda **said: _second_page(console, **said), sentence, 422)
        return _let_in(console, account)

    @console.door("/sign-in/passkey/ask", method="POST")
    def ask_passkey() -> Answer:
        with database.reading() as session:
            options, challenge = passkeys.ask(session, _half(), site=site(console.settings))
        desk_session()["challenge"] = challenge
        return jsonify(options)

    @console.door("/sign-in/passkey", method="POST")
    def sign_in_with_passkey() -> Answer:
        challenge, half = desk_session().pop("challenge", None), _half()
        answer = request.get_json(silent=True)
        sentence = _("This passkey could not be checked.")
        if challenge is None or not isinstance(answer, dict):
            return jsonify(sentence=sentence), 422
        try:
            _count(console, f"passkey {answer.get('id', '')!s:.1000}")
            with database.transaction() as session:
                account = passkeys.take(session, answer, account_id=half, challenge=challenge, site=site(console.settings))
        except lockout.TooManyTriesError:
            return jsonify(sentence=_too_many()), 429
        except (passkeys.PasskeyRefusedError, NotFoundError):
            return jsonify(sentence=sentence), 422
        return _let_in(console, account)

    @console.door("/account/prove", method="POST")
    def prove_password() -> Answer:
        """The password once more, before what changes the doors. A door, since comparing it belongs into no transaction."""
        if not current_user.is_authenticated:
            return redirect(url_for("console.sign_in"))
        with database.reading() as session:
            email = accounts.get(session, current_user.get_id()).email
        try:
            account = _by_password(console, email, request.form.get("password", ""))
        except lockout.TooManyTriesError:
            return redirect(url_for("console.prove", wrong="often"))
        if account is None:
            return redirect(url_for("console.prove", wrong="password"))
        _forgive(console, account)
        desk_session()["proved"] = time.time()
        return redirect(url_for("console.account"))

    @console.door("/welcome/<secret>")
    def welcome(secret: str) -> Answer:
        with database.reading() as session:
            account = accounts.of_link(session, secret)
        return render_template(
            "console/welcome.html", account=account, secret=secret, shortest=accounts.SHORTEST_PASSWORD, wrong=None
        )

    @console.door("/welcome/<secret>", method="POST")
    def choose_password(secret: str) -> Answer:
        with database.reading() as session:
            account = accounts.of_link(session, secret)
        try:
            if request.form.get("password") != request.form.get("again"):
                raise accounts.PoorPasswordError(_("the two do not agree"))
            kept = accounts.hashed(request.form.get("password", ""), about=f"{account.email} {account.name}")
        except accounts.PoorPasswordError as error:
            page = render_template(
                "console/welcome.html", account=account, secret=secret, shortest=accounts.SHORTEST_PASSWORD, wrong=poor(error)
            )
            return page, 422
        with database.transaction() as session:
            account = accounts.of_link(session, secret)
            accounts.set_password(session, account, kept, agent=f"staff:{account.email}")
        return redirect(url_for("console.sign_in"))

    @console.post("/sign-out", may=EVERYBODY)
    def sign_out(desk: Desk) -> Answer:
        _note(desk.session, desk.me, "sign-out")
        logout_user()
        desk_session().clear()
        return redirect(url_for("console.sign_in"))

    @console.post("/alive", may=EVERYBODY)
    def alive(desk: Desk) -> Answer:
        """The script says that a person is at work on the page."""
        return "", 204

    @console.look("/menu-counts", may=EVERYBODY)
    def menu_counts(desk: Desk) -> Answer:
        """The numbers beside the words of the menu, by endpoint."""
        return jsonify({item.endpoint: item.count(desk) for item in console.menu_of(desk.me.role) if item.count})

    @console.get("/", may=EVERYBODY)
    def home(desk: Desk) -> Answer:
        menu = console.menu_of(desk.me.role)
        return redirect(url_for(menu[0].endpoint)) if menu else render_template("console/home.html")


def poor(error: accounts.PoorPasswordError) -> str:
    """What to do about a password that was refused."""
    return _(
        "Please choose another password: %(shortest)s characters or more, not your name, not what many people use. (%(detail)s)",
        shortest=accounts.SHORTEST_PASSWORD,
        detail=error.detail,
    )


def _by_password(console: Console, email: str, password: str) -> StaffAccount | None:
    """The account that this password opens. Raises TooManyTriesError."""
    _count(console, email)
    with console.database.reading() as session:
        account = accounts.by_email(session, email)
    held = accounts.password_holds(account.password if account else None, password)
    if held and account and not demo_account.is_refused(account, console.settings):
        return account
    if account:
        _record(console, account, "refused password")
    return None


def _count(console: Console, who: str) -> None:
    """Raises TooManyTriesError. The try is on the disk before anything is compared."""
    with console.database.transaction() as session:
        lockout.note_try(session, email=who, address=address())
    with console.database.reading() as session:
        lockout.check(session, email=who, address=address())


def _let_in(console: Console, account: StaffAccount) -> Answer:
    """A fresh session of this account: a new cookie, and nothing of what was in the old one. Answers where to go on."""
    with console.database.transaction() as session:
        lockout.forgive(session, email=account.email)
        _note(session, account, "sign-in")
        needed = second_factor.is_needed(current(session), account) and not second_factor.has_one(session, account)
    kept = desk_session()
    kept.clear()
    kept.renew()
    login_user(_Account(account.id))
    kept["proved"] = time.time()
    if needed and not demo_account.is_demo(account):
        kept["must_enrol"] = True
    if _wants_json() or request.is_json:
        return jsonify(done=True, csrf=generate_csrf(), to=carried.way_back())
    return carried.go_on(account)


def _password_page(*, wrong: str | None = None, email: str = "") -> str:
    return render_template("console/sign_in.html", wrong=wrong, email=email, **carried.along())


def _second_page(console: Console, *, wrong: str | None = None, email: str = "") -> str:
    with console.database.reading() as session:
        account = accounts.get(session, _half() or "")
        keys = second_factor.passkeys_of(session, account)
    return render_template(
        "console/second.html", wrong=wrong, has_app=account.totp_secret is not None, has_passkey=keys > 0, **carried.along()
    )


def _refuse(page: Any, sentence: str, status: int, **more: str) -> Answer:
    if _wants_json():
        return make_response(jsonify(sentence=sentence), status)
    return page(wrong=sentence, **more), status


def _half() -> str | None:
    """The account whose password was right a moment ago."""
    half = desk_session().get("half")
    return half["id"] if half and half["until"] > time.time() else None


def _too_many() -> str:
    return _("Too many tries. Please wait %(minutes)s minutes.", minutes=int(lockout.WINDOW_SECONDS // 60))


def _forgive(console: Console, account: StaffAccount) -> None:
    with console.database.transaction() as session:
        lockout.forgive(session, email=account.email)


def _record(console: Console, account: StaffAccount, did: str) -> None:
    with console.database.transaction() as session:
        _note(session, account, did)


def _note(session: Session, account: StaffAccount, did: str) -> None:
    audit.record(
        session,
        agent=f"staff:{account.email}",
        action="E",
        entity="Session",
        entity_id=account.id,
        detail={"did": did, "from": address()},
    )


def _wants_json() -> bool:
    return request.accept_mimetypes.best == "application/json"


class _Account(UserMixin):
    """Who this browser's session names."""

    def __init__(self, account_id: str) -> None:
        self.id = account_id
