"""Staff accounts, for managers: who may sign in, as what, and with which doors."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _

from bot.console.access import EVERYBODY, MANAGERS, role_word
from bot.console.shell import Answer, Console, Desk
from scheduling_core import accounts, audit, passkeys
from scheduling_core.clinic_file.schema import LONGEST_STAFF_EMAIL
from scheduling_core.errors import WrongStateError
from scheduling_core.models import Role

ROLES = tuple(sorted(EVERYBODY))


def add_staff(console: Console) -> None:
    """The routes under /console/staff."""

    def link_to(secret: str) -> str:
        return f"{console.settings.public_url}{url_for('console.welcome', secret=secret)}"

    @console.get("/staff", may=MANAGERS)
    def staff(desk: Desk) -> Answer:
        return _page(desk)

    @console.post("/staff", may=MANAGERS)
    def add_colleague(desk: Desk) -> Answer:
        email, name, role = (request.form.get(field, "").strip() for field in ("email", "name", "role"))
        if email.count("@") != 1 or not name or role not in ROLES or len(name) > 200:
            return _page(desk, wrong=_("An address, a name and a role are needed."), typed=request.form), 422
        try:
            account = accounts.add_staff(desk.session, email=email, name=name, role=Role(role), agent=desk.agent)
        except accounts.LongAddressError:
            sentence = _("The address may have up to %(count)s characters.", count=LONGEST_STAFF_EMAIL)
            return _page(desk, wrong=sentence, typed=request.form), 422
        except WrongStateError:
            return _page(desk, wrong=_("%(email)s has an account already.", email=email), typed=request.form), 409
        return _page(desk, about=account.name, link=link_to(accounts.new_link(desk.session, account, agent=desk.agent)))

    @console.post("/staff/<account_id>", may=MANAGERS)
    def change_colleague(desk: Desk, account_id: str) -> Answer:
        account = accounts.get(desk.session, account_id)
        role = Role(request.form["role"]) if request.form.get("role") in ROLES else None
        active = {"in": True, "out": False}.get(request.form.get("active", ""))
        if account.id == desk.me.id:
            return _page(desk, wrong=_("Another manager must change your own account.")), 422
        try:
            accounts.change(desk.session, account, role=role, active=active, agent=desk.agent)
        except WrongStateError:
            return _page(desk, wrong=_("The clinic needs one manager at the least.")), 409
        return redirect(url_for("console.staff"))

    @console.post("/staff/<account_id>/reset", may=MANAGERS)
    def reset_colleague(desk: Desk, account_id: str) -> Answer:
        account = accounts.get(desk.session, account_id)
        if account.id == desk.me.id:
            return _page(desk, wrong=_("Another manager must change your own account.")), 422
        return _page(desk, about=account.name, link=link_to(accounts.reset(desk.session, account, agent=desk.agent)))

    def _page(
        desk: Desk, *, wrong: str | None = None, about: str = "", link: str | None = None, typed: dict[str, str] | None = None
    ) -> str:
        audit.record(desk.session, agent=desk.agent, action="R", entity="StaffAccount")
        desk.session.flush()
        people = accounts.everybody(desk.session)
        keys = {account.id: len(passkeys.of(desk.session, account.id)) for account in people}
        return render_template(
            "console/staff.html",
            people=people,
            keys=keys,
            roles=[(role, role_word(role)) for role in ROLES],
            wrong=wrong,
            about=about,
            link=link,
            typed=typed or {},
        )
