"""Worklists: what waits for the desk, each row with its next step as a button."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from flask import abort, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as AnyResponse

from bot.console import referral_desk, waitlist_rows, work_steps
from bot.console.access import CARE, DESK
from bot.console.inbox_words import snooze_choices
from bot.console.shell import Answer, Console, Desk
from bot.console.worklist_words import empty_word, list_word, team_word
from scheduling_core import accounts, booking, handoff, plans, tasks, worklists
from scheduling_core.errors import SchedulingError
from scheduling_core.models import Role, StaffAccount
from scheduling_core.worklists import Show, TaskRow, Worklist

_COUNTS_LIVE_SECONDS = 5.0
_NO_TASKS = (Worklist.UNCONFIRMED, Worklist.WAITLIST, Worklist.REFERRALS)


class Counts:
    """The counts of all lists, read at most once in a few seconds by each process."""

    def __init__(self) -> None:
        self._read_at = 0.0
        self._kept: dict[Worklist, int] = {}

    def of(self, desk: Desk) -> dict[Worklist, int]:
        if time.monotonic() - self._read_at > _COUNTS_LIVE_SECONDS:
            self._kept, self._read_at = worklists.counts(desk.session, desk.clinic), time.monotonic()
        return self._kept

    def forget(self) -> None:
        self._read_at = 0.0


def add_worklists(console: Console) -> None:
    counts = Counts()

    @console.get("/worklists", may=CARE)
    def worklists_page(desk: Desk) -> Answer:
        first = Worklist.ELIGIBILITY if desk.me.role is Role.BILLING else Worklist.CALLS
        return redirect(url_for("console.worklist", name=first.value))

    @console.get("/worklists/<name>", may=CARE)
    def worklist(desk: Desk, name: str) -> Answer:
        one = next((each for each in Worklist if each.value == name), None) or abort(404)
        return render_template("console/worklists/page.html", **_page(desk, one), counts=counts.of(desk))

    @console.post("/tasks/<task_id>", may=CARE)
    def work_on_task(desk: Desk, task_id: str) -> Answer:
        counts.forget()
        return _after_task(desk, task_id, lambda: work_steps.do(desk, task_id, request.form))

    @console.post("/worklists/visits/<appointment_id>/confirm", may=DESK)
    def confirm_by_phone(desk: Desk, appointment_id: str) -> Answer:
        counts.forget()
        booking.confirm(desk.session, appointment_id=appointment_id, agent=desk.agent, key=f"desk-confirm:{appointment_id}")
        return _done_line(_("Confirmed."), Worklist.UNCONFIRMED)

    @console.post("/worklists/plans/<plan_id>", may=DESK)
    def decide_on_plan(desk: Desk, plan_id: str) -> Answer:
        counts.forget()
        match request.form.get("do"):
            case "approve":
                plans.approve(desk.session, desk.clinic, plan_id=plan_id, by=desk.me.email)
                said = _("Approved: the patients are being asked.")
            case "carry-out":
                plans.carry_out(desk.session, desk.clinic, plan_id=plan_id, by=desk.me.email)
                said = _("Carried out: the visits have moved.")
            case "give-up":
                plans.give_up(desk.session, desk.clinic, plan_id=plan_id, agent=desk.agent)
                said = _("Given up: all stays as it was.")
            case _:
                abort(400)
        return _done_line(said, Worklist.DISPLACED)

    waitlist_rows.add_waitlist(console, counts.forget)
    referral_desk.add_referrals(console, counts.forget)
    console.add_to_menu(_l("Worklists"), "worklists_page", count=lambda desk: sum(counts.of(desk).values()))


def _page(desk: Desk, one: Worklist) -> dict[str, Any]:
    show, chosen = _show(desk)
    shared: dict[str, Any] = {
        "one": one,
        "lists": [(each, list_word(each)) for each in Worklist],
        "word": list_word(one),
        "empty": empty_word(one),
        "chosen": chosen,
        "page": show.page,
        "more": False,
        "plans": [],
        "visits": [],
        "has_tasks": one not in _NO_TASKS,
        **_row_words(desk),
    }
    session = desk.session
    if one is Worklist.UNCONFIRMED:
        return shared | {"visits": worklists.unconfirmed(session, desk.clinic, agent=desk.agent)}
    if one is Worklist.WAITLIST:
        rows, more = worklists.waitlist(session, show, agent=desk.agent)
        return shared | {"rows": rows, "more": more, "freed": worklists.freed_times(session)}
    if one is Worklist.REFERRALS:
        referrals, more = worklists.referrals(session, show, agent=desk.agent, everything=chosen == "all")
        return shared | {"rows": referrals, "more": more}
    if one is Worklist.DISPLACED and show.page == 0:
        shared["plans"] = worklists.proposed_plans(session, desk.clinic)
    found, more = worklists.tasks(session, one, show, agent=desk.agent)
    return shared | {"rows": found, "more": more}


def _show(desk: Desk) -> tuple[Show, str]:
    """Which part of the list the address asks for; nonsense in it asks for all."""
    chosen = request.args.get("show", "")
    page = min(int(number), 10_000) if (number := request.args.get("page", "0")).isdecimal() and len(number) < 6 else 0
    kind, _colon, team = chosen.partition(":")
    if kind == "team" and team in desk.clinic.handoff.teams:
        return Show(team=team, page=page), chosen
    by_word = {
        "mine": Show(owner_id=desk.me.id, page=page),
        "free": Show(free=True, page=page),
        "asleep": Show(asleep=True, page=page),
        "all": Show(page=page),
    }
    return (by_word[chosen], chosen) if chosen in by_word else (Show(page=page), "")


def _row_words(desk: Desk) -> dict[str, Any]:
    """What every row may need."""
    return {
        "clinic": desk.clinic,
        "teams": desk.clinic.handoff.teams,
        "team_word": team_word,
        "colleagues": _colleagues(desk),
        "snoozes": snooze_choices(desk.clinic),
        "list_of": worklists.list_of,
        "may_book": desk.me.role in DESK,
    }


def _colleagues(desk: Desk) -> list[StaffAccount]:
    return [one for one in accounts.everybody(desk.session) if one.active and one.role in CARE]


def _after_task(desk: Desk, task_id: str, act: Callable[[], str]) -> AnyResponse:
    """What was done is said where the row stood; a refusal stands in the row as it is now, with the reason."""
    said, wrong, status = "", "", 200
    try:
        with desk.session.begin_nested():
            said = act()
    except tasks.TakenTaskError as error:
        wrong, status = _taken_word(error), 409
    except SchedulingError as error:
        wrong, status = work_steps.refusal(error), 409
    task = handoff.get_task(desk.session, task_id)
    desk.session.refresh(task)
    if not request.headers.get("HX-Request"):
        if wrong:
            return make_response(render_template("console/refused.html", sentence=wrong), status)
        return redirect(url_for("console.worklist", name=worklists.list_of(task.reason).value))
    [row] = worklists.task_rows(desk.session, [task])
    return make_response(_row(desk, row, said, wrong), status)


def _row(desk: Desk, row: TaskRow, said: str, wrong: str) -> str:
    return render_template("console/worklists/task.html", row=row, said=said, wrong=wrong, **_row_words(desk))


def _taken_word(error: tasks.TakenTaskError) -> str:
    if error.name:
        return _("%(name)s has this task by now.", name=error.name)
    return _("Nobody has this task any more: take it first.")


def _done_line(said: str, back: Worklist) -> AnyResponse:
    if request.headers.get("HX-Request"):
        return make_response(render_template("console/worklists/done.html", said=said))
    return redirect(url_for("console.worklist", name=back.value))
