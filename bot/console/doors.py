"""In and out: the sign-in page, the link that sets a password, and the way out."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import UserMixin, current_user, login_user, logout_user

from bot.console.access import EVERYBODY
from bot.console.shell import Answer, Console, Desk, desk_session
from scheduling_core import accounts, audit
from scheduling_core.models import StaffAccount


def add_doors(console: Console) -> None:
    @console.door("/sign-in")
    def sign_in() -> Answer:
        if current_user.is_authenticated:
            return redirect(url_for("console.home"))
        return render_template("console/sign_in.html", next=_inside(request.args.get("next")), email="", wrong=None)

    @console.door("/sign-in", method="POST")
    def sign_in_with_password() -> Answer:
        email, password = request.form.get("email", ""), request.form.get("password", "")
        with console.database.reading() as session:
            account = accounts.by_email(session, email)
        if not accounts.password_holds(account.password if account else None, password) or account is None:
            return (
                render_template(
                    "console/sign_in.html",
                    next=_inside(request.form.get("next")),
                    email=email,
                    wrong=_("This address and password do not belong together."),
                ),
                422,
            )
        _let_in(console, account)
        return redirect(_inside(request.form.get("next")))

    @console.post("/sign-out", may=EVERYBODY)
    def sign_out(desk: Desk) -> Answer:
        audit.record(desk.session, agent=desk.agent, action="E", entity="Session", entity_id=desk.me.id, detail={"did": "sign-out"})
        logout_user()
        desk_session().clear()
        return redirect(url_for("console.sign_in"))

    @console.get("/", may=EVERYBODY)
    def home(desk: Desk) -> Answer:
        menu = console.menu_of(desk.me.role)
        return redirect(url_for(menu[0].endpoint)) if menu else render_template("console/home.html")


def _let_in(console: Console, account: StaffAccount) -> None:
    """A fresh session of this account: a new cookie, and nothing of what was in the old one."""
    kept = desk_session()
    kept.clear()
    kept.renew()
    login_user(_Account(account.id))
    with console.database.transaction() as session:
        audit.record(
            session, agent=f"staff:{account.email}", action="E", entity="Session", entity_id=account.id, detail={"did": "sign-in"}
        )


class _Account(UserMixin):
    def __init__(self, account_id: str) -> None:
        self.id = account_id


def _inside(path: str | None) -> str:
    """Where to go after signing in: a path of the console alone, never another site."""
    if path and path.startswith("/console/") and "\\" not in path and "//" not in path:
        return path
    return url_for("console.home")
