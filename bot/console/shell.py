"""The frame that every page of the console stands in: who is signed in, what they may do, one transaction a request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar, cast

import flask
from flask import Blueprint, g, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from bot import demo_account
from bot.console import refusals
from bot.console.sessions import DeskSession
from bot.settings import Settings
from scheduling_core import accounts, audit
from scheduling_core.clinic_file.loading import current
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.errors import NotFoundError
from scheduling_core.models import Role, StaffAccount

Answer = str | Response | tuple[str, int]
Kind = Literal["get", "report", "post", "look", "door"]
_FIRST_THINGS = ("/console/account", "/console/sign-out", "/console/alive")  # for who has yet to choose a second factor
_View = TypeVar("_View", bound=Callable[..., Answer])


@dataclass(frozen=True)
class Desk:
    """What a view gets. `me` is a snapshot: a change of the account goes through `accounts.get(desk.session, desk.me.id)`."""

    session: Session
    clinic: ClinicFile
    me: StaffAccount

    @property
    def agent(self) -> str:
        """Who acts, for audit rows and functions of the core."""
        return f"staff:{self.me.email}"


@dataclass(frozen=True)
class Route:
    """A rule of the console. `may` is empty for a door, which is there for who is not signed in."""

    rule: str
    method: str
    kind: Kind
    may: frozenset[Role]


@dataclass(frozen=True)
class MenuItem:
    """`word` is lazy, for each reader's language; `count` reads a number to stand beside it."""

    word: Any
    endpoint: str
    count: Callable[[Desk], int] | None


@dataclass
class Console:
    """The console's routes over one database."""

    database: Database
    settings: Settings
    blueprint: Blueprint = field(default_factory=lambda: Blueprint("console", __name__, url_prefix="/console"))
    routes: dict[str, Route] = field(default_factory=dict)  # by endpoint
    menu: list[MenuItem] = field(default_factory=list)

    def get(self, rule: str, *, may: frozenset[Role]) -> Callable[[_View], _View]:
        """A page. A view that records no read itself is recorded as a look at the page."""
        return self._add(rule, "GET", "get", may)

    def report(self, rule: str, *, may: frozenset[Role]) -> Callable[[_View], _View]:
        """A page that only reads, names no patient and may take long: nobody who writes waits for it. The look is recorded."""
        return self._add(rule, "GET", "report", may)

    def post(self, rule: str, *, may: frozenset[Role]) -> Callable[[_View], _View]:
        """A change. The CSRF token is checked."""
        return self._add(rule, "POST", "post", may)

    def look(self, rule: str, *, may: frozenset[Role]) -> Callable[[_View], _View]:
        """A GET in a transaction that only reads, without an audit row, and no sign of life of a person: counts, polls, streams."""
        return self._add(rule, "GET", "look", may)

    def door(self, rule: str, *, method: Literal["GET", "POST"] = "GET") -> Callable[[_View], _View]:
        """A route for who is not signed in yet. The view gets no desk and opens transactions of its own."""
        return self._add(rule, method, "door", frozenset())

    def add_to_menu(self, word: Any, view: str, *, count: Callable[[Desk], int] | None = None) -> None:
        """An entry for the roles of the view's route, in the order of the calls."""
        self.menu.append(MenuItem(word, f"console.{view}", count))

    def menu_of(self, role: Role) -> list[MenuItem]:
        return [item for item in self.menu if role in self.routes[item.endpoint].may]

    def _add(self, rule: str, method: str, kind: Kind, may: frozenset[Role]) -> Callable[[_View], _View]:
        if (kind == "door") == bool(may):
            raise ValueError(f"{rule}: a route names the roles that may, a door none")

        def decorate(view: _View) -> _View:
            endpoint = f"console.{view.__name__}"
            if endpoint in self.routes:
                raise ValueError(f"{endpoint} is there already")
            self.routes[endpoint] = route = Route(f"/console{rule}", method, kind, may)
            answer = view if kind == "door" else lambda **args: self._serve(route, view, args)
            self.blueprint.add_url_rule(rule, view.__name__, answer, methods=[method])
            return view

        return decorate

    def _serve(self, route: Route, view: Callable[..., Answer], args: dict[str, Any]) -> Answer:
        """The view's answer. Raises what the view raises, and then nothing is kept of it."""
        if route.kind != "report":
            return self._answer(route, view, args)
        door = replace(route, kind="get")  # who may see it, and that it was seen, in a short transaction before it is read
        refused = self._answer(door, lambda desk, **_: "", args)
        return refused or self._answer(route, view, args)

    def _answer(self, route: Route, view: Callable[..., Answer], args: dict[str, Any]) -> Answer:
        reads = route.kind in ("look", "report")
        with (self.database.reading if reads else self.database.transaction)() as session:
            me = self._signed_in(session)
            if me is None:
                return refusals.sign_in_first(desk_session())
            g.desk = desk = Desk(session, current(session), me)
            if me.role not in route.may:
                if not reads:
                    _record_page(desk, "E", {"refused": me.role})
                return refusals.page(_("Your role does not include this."), 403)
            if not reads:
                desk_session().touch()
            if desk_session().get("must_enrol") and not route.rule.startswith(_FIRST_THINGS):
                return redirect(url_for("console.set_up_app")) if route.kind != "look" else ("", 403)
            answer = view(desk, **args)
            if route.kind == "get" and not session.info.get("audited"):
                _record_page(desk, "R", args)
            return answer

    def _signed_in(self, session: Session) -> StaffAccount | None:
        """The account of this browser, if it may still sign in; taken out of the session, so that an error's page can name it."""
        account_id = desk_session().get("_user_id")
        if account_id is None:
            return None
        try:
            me = accounts.get(session, account_id)
        except NotFoundError:
            return None
        session.expunge(me)
        return me if me.active and not demo_account.is_refused(me, self.settings) else None


def desk_session() -> DeskSession:
    """This browser's session."""
    return cast(DeskSession, flask.session._get_current_object())  # type: ignore[attr-defined]


def _record_page(desk: Desk, action: Literal["R", "E"], detail: dict[str, Any]) -> None:
    audit.record(desk.session, agent=desk.agent, action=action, entity="Page", entity_id=request.endpoint, detail=detail)
