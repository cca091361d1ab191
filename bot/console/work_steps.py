"""The steps that may be taken on a task, by the word of its button."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

from flask_babel import gettext as _
from werkzeug.exceptions import BadRequest, Forbidden

from bot.console.access import BILLING_DESK, DESK
from bot.console.refusals import sentence
from bot.console.shell import Desk
from scheduling_core import accounts, coverage, dead_letters, handoff, outreach, patient_card, plans, tasks, times
from scheduling_core.errors import NoTextsError, NotFoundError, SchedulingError, WrongStateError
from scheduling_core.models import Task
from scheduling_core.outreach import Answer

Step = Callable[[Desk, Task, str | None, Mapping[str, str]], str]
_OUTREACH = {"not-now": Answer.NOT_NOW, "elsewhere": Answer.ELSEWHERE, "stop": Answer.STOP}


def do(desk: Desk, task_id: str, form: Mapping[str, str]) -> str:
    """Take the step that `do` names; what was done, in words. `seen` is the account that had the task when its row was drawn.

    Raises what the core raises; BadRequest for a step that there is not.
    """
    step, seen = form.get("do", ""), form.get("seen") or None
    task = handoff.get_task(desk.session, task_id)
    if step in _STEPS:
        return _STEPS[step](desk, task, seen, form)
    if step in _OUTREACH:
        return _answer_recall(desk, task, seen, _OUTREACH[step])
    raise BadRequest


def refusal(error: SchedulingError) -> str:
    """Why a step was refused."""
    if isinstance(error, NoTextsError):
        return _("They want no messages: please call.")
    if isinstance(error, WrongStateError):
        return _("It has changed meanwhile, and this cannot be done any more. Load the list again.")
    if isinstance(error, NotFoundError):
        return _("What this is about is not here any more.")
    if isinstance(error, plans.CalendarChangedError):
        return _("The calendar has changed since the plan was made. Nothing was done.")
    return sentence(error)


def _take(desk: Desk, task: Task, seen: str | None, _form: Mapping[str, str]) -> str:
    tasks.take(desk.session, task_id=task.id, me=accounts.get(desk.session, desk.me.id), seen=seen)
    return _("It is yours.")


def _give(desk: Desk, task: Task, seen: str | None, form: Mapping[str, str]) -> str:
    kind, _colon, whom = form.get("to", "").partition(":")
    if kind == "team":
        tasks.to_team(desk.session, desk.clinic, task_id=task.id, team=whom, seen=seen, agent=desk.agent)
        return _("Given to the team.")
    colleague = accounts.get(desk.session, whom) if whom else None
    tasks.assign(desk.session, task_id=task.id, to=colleague, seen=seen, agent=desk.agent)
    return _("Given to %(name)s.", name=colleague.name) if colleague else _("Nobody has it now.")


def _snooze(desk: Desk, task: Task, seen: str | None, form: Mapping[str, str]) -> str:
    try:
        until = dt.datetime.fromisoformat(form.get("until", ""))
    except ValueError:
        raise BadRequest from None
    if until.tzinfo is None:
        raise BadRequest
    until = until.astimezone(dt.UTC)  # a day at the end of all calendars overflows here
    tasks.snooze(desk.session, task_id=task.id, until=until, seen=seen, agent=desk.agent)
    return _("Set aside.")


def _due(desk: Desk, task: Task, seen: str | None, form: Mapping[str, str]) -> str:
    try:
        day = dt.date.fromisoformat(form["day"]) if form.get("day") else None
    except ValueError:
        raise BadRequest from None
    due = times.from_wall(day, dt.time(17), desk.clinic.zone) if day else None
    tasks.set_due(desk.session, task_id=task.id, due_at=due, seen=seen, agent=desk.agent)
    return _("The day is set.")


def _done(desk: Desk, task: Task, seen: str | None, form: Mapping[str, str]) -> str:
    tasks.close(desk.session, task_id=task.id, outcome=form.get("outcome", ""), seen=seen, agent=desk.agent)
    return _("Done.")


def _send_again(desk: Desk, task: Task, seen: str | None, _form: Mapping[str, str]) -> str:
    message = dead_letters.behind(desk.session, [task]).get(task.id)
    if message is None:
        raise NotFoundError(f"Communication of Task/{task.id}")
    dead_letters.send_again(desk.session, communication_id=message.id, agent=desk.agent)
    tasks.close(desk.session, task_id=task.id, outcome="sent again", seen=seen, agent=desk.agent)
    return _("It goes out again, to the number that is on file now.")


def _check(desk: Desk, task: Task, _seen: str | None, _form: Mapping[str, str]) -> str:
    if desk.me.role not in BILLING_DESK:
        raise Forbidden
    held = coverage.active(desk.session, patient_id=task.patient_id or "")
    asked = [patient_card.check_now(desk.session, desk.clinic, coverage_id=one.id, agent=desk.agent) for one in held]
    if not any(asked):
        return _("No payer can be asked: there is no insurance with a member id on file.")
    return _("The payer is being asked. The answer appears on the patient's card.")


def _plan_answer(*, agrees: bool) -> Step:
    def step(desk: Desk, task: Task, _seen: str | None, _form: Mapping[str, str]) -> str:
        _desk_only(desk)
        plan_id, number = _move_of(task)
        plans.answer(desk.session, desk.clinic, plan_id=plan_id, number=number, agrees=agrees, agent=desk.agent)
        desk.session.refresh(task)
        said = _("They agree: the visit moves.") if agrees else _("They decline: find another time.")
        if agrees:
            tasks.close(desk.session, task_id=task.id, outcome="agreed by phone", seen=task.owner_id, agent=desk.agent)
        return said

    return step


def _settle(desk: Desk, task: Task, _seen: str | None, _form: Mapping[str, str]) -> str:
    """The visit was moved or cancelled otherwise: its plan is told, and the task is over."""
    _desk_only(desk)
    if task.appointment_id:
        plans.settle(desk.session, desk.clinic, appointment_id=task.appointment_id, agent=desk.agent)
    desk.session.refresh(task)
    tasks.close(desk.session, task_id=task.id, outcome="settled otherwise", seen=task.owner_id, agent=desk.agent)
    return _("Settled.")


def _answer_recall(desk: Desk, task: Task, seen: str | None, said: Answer) -> str:
    parts = (task.idempotency_key or "").split(":")
    if parts[0] == "outreach" and len(parts) > 1:
        key = f"desk:{task.id}:{said}"
        outreach.answer(desk.session, desk.clinic, outreach_id=parts[1], said=said, agent=desk.agent, key=key)
    tasks.close(desk.session, task_id=task.id, outcome=said.value, seen=seen, agent=desk.agent)
    return _("Noted.")


def _move_of(task: Task) -> tuple[str, int]:
    """Plan and number of the move that a task is about, from its key: plan:ID:NUMBER:..."""
    parts = (task.idempotency_key or "").split(":")
    if len(parts) < 3 or parts[0] != "plan" or not parts[2].isdecimal():
        raise NotFoundError(f"Plan of Task/{task.id}")
    return parts[1], int(parts[2])


def _desk_only(desk: Desk) -> None:
    if desk.me.role not in DESK:
        raise Forbidden


_STEPS: dict[str, Step] = {
    "take": _take,
    "give": _give,
    "snooze": _snooze,
    "due": _due,
    "done": _done,
    "send-again": _send_again,
    "check": _check,
    "agrees": _plan_answer(agrees=True),
    "declines": _plan_answer(agrees=False),
    "settle": _settle,
}
