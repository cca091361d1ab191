"""One's own account: language, password, authenticator app, passkeys, recovery codes, and where one is signed in."""

from __future__ import annotations

import datetime as dt
import io
import time
from typing import Any

import segno
from flask import Response, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import select

from bot import demo_account
from bot.console.access import EVERYBODY
from bot.console.addresses import site
from bot.console.doors import poor
from bot.console.languages import LANGUAGES
from bot.console.shell import Answer, Console, Desk, desk_session
from scheduling_core import accounts, audit, passkeys, second_factor
from scheduling_core.errors import NotFoundError
from scheduling_core.models import StaffAccount, StaffSession

_PROVED_SECONDS = 15 * 60.0  # a password given so lately stands for what changes the doors


def add_account(console: Console) -> None:
    """The routes under /console/account."""
    _add_page(console)
    _add_app(console)
    _add_passkeys(console)


def _add_page(console: Console) -> None:
    @console.get("/account", may=EVERYBODY)
    def account(desk: Desk) -> Answer:
        return _page(desk, wrong=desk_session().pop("wrong", None))

    @console.post("/account/language", may=EVERYBODY)
    def choose_language(desk: Desk) -> Answer:
        chosen = request.form.get("language")
        if chosen in LANGUAGES:
            me = accounts.get(desk.session, desk.me.id)
            audit.record(
                desk.session,
                agent=desk.agent,
                action="U",
                entity="StaffAccount",
                entity_id=me.id,
                detail={"language": {"old": me.language, "new": chosen}},
            )
            me.language = chosen
        return redirect(url_for("console.account"))

    @console.get("/account/prove", may=EVERYBODY)
    def prove(desk: Desk) -> Answer:
        wrong = {"password": _("This is not your password."), "often": _("Too many tries. Please wait some minutes.")}
        return render_template("console/prove.html", wrong=wrong.get(request.args.get("wrong", "")))

    @console.door("/account/password", method="POST")
    def change_password() -> Answer:
        """A door, since hashing a password belongs into no transaction."""
        if not current_user.is_authenticated:
            return redirect(url_for("console.sign_in"))
        with console.database.reading() as session:
            me = accounts.get(session, current_user.get_id())
        if not me.active or demo_account.is_refused(me, console.settings):
            return redirect(url_for("console.sign_in"))
        if not _is_proved():
            return redirect(url_for("console.prove"))
        try:
            kept = accounts.hashed(request.form.get("password", ""), about=f"{me.email} {me.name}")
        except accounts.PoorPasswordError as error:
            desk_session()["wrong"] = poor(error)
            return redirect(url_for("console.account"))
        desk_session().renew()  # the other browsers are signed out, this one goes on under a new cookie
        with console.database.transaction() as session:
            accounts.set_password(session, accounts.get(session, me.id), kept, agent=f"staff:{me.email}")
        return redirect(url_for("console.account"))

    @console.post("/account/sessions/end", may=EVERYBODY)
    def end_other_sessions(desk: Desk) -> Answer:
        accounts.end_sessions(desk.session, desk.me.id, but=desk_session().digest)
        audit.record(
            desk.session, agent=desk.agent, action="E", entity="Session", entity_id=desk.me.id, detail={"did": "sign-out elsewhere"}
        )
        return redirect(url_for("console.account"))


def _add_app(console: Console) -> None:
    @console.get("/account/app", may=EVERYBODY)
    def set_up_app(desk: Desk) -> Answer:
        if not _may_set_up(desk):
            return redirect(url_for("console.prove"))
        desk_session().setdefault("new_app", second_factor.new_secret())
        return _app_page(desk)

    @console.look("/account/app.svg", may=EVERYBODY)
    def app_picture(desk: Desk) -> Answer:
        secret = desk_session().get("new_app")
        if secret is None:
            raise NotFoundError("picture")
        drawn = io.BytesIO()
        uri = second_factor.uri(secret, email=desk.me.email, clinic=desk.clinic.clinic.name)
        segno.make(uri, error="m").save(drawn, kind="svg", scale=5, dark="#000", light="#fff", xmldecl=False)
        return Response(drawn.getvalue(), content_type="image/svg+xml")

    @console.post("/account/app", may=EVERYBODY)
    def keep_app(desk: Desk) -> Answer:
        kept = desk_session()
        secret = kept.get("new_app")
        if secret is None or not _may_set_up(desk):
            return redirect(url_for("console.set_up_app"))
        me = accounts.get(desk.session, desk.me.id)
        if not second_factor.keep_secret(desk.session, me, secret, request.form.get("code", ""), agent=desk.agent):
            return _app_page(desk, wrong=_("This code does not fit. Is the clock of your phone right?")), 422
        kept.pop("new_app")
        kept.pop("must_enrol", None)
        return _codes_page(desk, me)

    @console.post("/account/app/drop", may=EVERYBODY)
    def drop_app(desk: Desk) -> Answer:
        if not _is_proved():
            return redirect(url_for("console.prove"))
        me = accounts.get(desk.session, desk.me.id)
        if second_factor.is_needed(desk.clinic, me) and not second_factor.passkeys_of(desk.session, me):
            return _page(desk, wrong=_("Your role needs a second factor: add a passkey first.")), 422
        second_factor.drop_secret(desk.session, me, agent=desk.agent)
        return redirect(url_for("console.account"))

    @console.post("/account/codes", may=EVERYBODY)
    def renew_codes(desk: Desk) -> Answer:
        if not _is_proved():
            return redirect(url_for("console.prove"))
        return _codes_page(desk, accounts.get(desk.session, desk.me.id))


def _add_passkeys(console: Console) -> None:
    @console.post("/account/passkeys/ask", may=EVERYBODY)
    def ask_new_passkey(desk: Desk) -> Answer:
        if not _may_set_up(desk):
            return jsonify(to=url_for("console.prove")), 409
        options, desk_session()["new_passkey"] = passkeys.ask_new(desk.session, desk.me, site=site(console.settings))
        return jsonify(options)

    @console.post("/account/passkeys", may=EVERYBODY)
    def keep_passkey(desk: Desk) -> Answer:
        kept = desk_session()
        challenge, said = kept.pop("new_passkey", None), request.get_json(silent=True)
        if challenge is None or not isinstance(said, dict) or not isinstance(said.get("answer"), dict):
            raise passkeys.PasskeyRefusedError
        passkeys.take_new(
            desk.session,
            accounts.get(desk.session, desk.me.id),
            said["answer"],
            challenge=challenge,
            name=str(said.get("name", "")),
            site=site(console.settings),
            agent=desk.agent,
        )
        kept.pop("must_enrol", None)
        return jsonify(to=url_for("console.account"))

    @console.post("/account/passkeys/<passkey_id>/drop", may=EVERYBODY)
    def drop_passkey(desk: Desk, passkey_id: str) -> Answer:
        if not _is_proved():
            return redirect(url_for("console.prove"))
        me = accounts.get(desk.session, desk.me.id)
        if second_factor.is_needed(desk.clinic, me) and me.totp_secret is None and second_factor.passkeys_of(desk.session, me) == 1:
            return _page(desk, wrong=_("Your role needs a second factor: add another one first.")), 422
        passkeys.drop(desk.session, me, passkey_id, agent=desk.agent)
        return redirect(url_for("console.account"))


def _page(desk: Desk, *, wrong: str | None = None) -> str:
    me = accounts.get(desk.session, desk.me.id)
    rows = desk.session.scalars(
        select(StaffSession).where(StaffSession.account_id == me.id).order_by(StaffSession.seen.desc())
    ).all()
    return render_template(
        "console/account.html",
        wrong=wrong,
        has_app=me.totp_secret is not None,
        keys=passkeys.of(desk.session, me.id),
        codes_left=second_factor.codes_left(desk.session, me),
        languages=LANGUAGES,
        sessions=[_shown(row) for row in rows],
        site=request.host,
        shortest=accounts.SHORTEST_PASSWORD,
    )


def _shown(row: StaffSession) -> dict[str, Any]:
    return {
        "browser": row.browser,
        "address": row.address,
        "began": dt.datetime.fromtimestamp(row.began, dt.UTC),
        "seen": dt.datetime.fromtimestamp(row.seen, dt.UTC),
        "is_this": row.digest == desk_session().digest,
    }


def _app_page(desk: Desk, *, wrong: str | None = None) -> str:
    secret = desk_session()["new_app"]
    return render_template(
        "console/app.html",
        wrong=wrong,
        secret=" ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        is_first=desk_session().get("must_enrol", False),
    )


def _codes_page(desk: Desk, me: StaffAccount) -> str:
    return render_template("console/codes.html", codes=second_factor.new_codes(desk.session, me, agent=desk.agent))


def _is_proved() -> bool:
    return bool(time.time() - desk_session().get("proved", 0.0) < _PROVED_SECONDS)


def _may_set_up(desk: Desk) -> bool:
    """A first second factor may be set up by who is signed in; another one by who has given the password lately."""
    return _is_proved() or not second_factor.has_one(desk.session, accounts.get(desk.session, desk.me.id))
