"""One visit beside the calendar: what is known of it, its next step, moving and cancelling it, and who did what."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flask import Response, make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.exceptions import BadRequest

from bot.console import refusals, schedule_grid, visit_trail
from bot.console.access import CARE, DESK, FLOOR
from bot.console.shell import Answer, Console, Desk
from scheduling_core import attendance, audit, booking, day, desk_booking, glass, patients, times
from scheduling_core.attendance import AnotherDayError, MarkedAlreadyError, NotBegunError
from scheduling_core.calendar.requests import FreeTime, Request
from scheduling_core.clinic_file.schema import PractitionerPart
from scheduling_core.day import Entry, State
from scheduling_core.desk_booking import MovedMeanwhileError, PatientIsHereError, RefusedTimeError
from scheduling_core.errors import NotFoundError, SchedulingError, WrongStateError
from scheduling_core.models import Appointment, AppointmentStatus, Patient, new_id

FARTHEST = 730  # days from today that a calendar is drawn of, and visits are booked and moved to
_LATE = (10, 15, 20, 30, 45, 60)  # minutes that a patient may be noted as late with one press
_STATUS = {
    State.ARRIVED: AppointmentStatus.ARRIVED,
    State.IN_ROOM: AppointmentStatus.CHECKED_IN,
    State.DONE: AppointmentStatus.FULFILLED,
    State.NO_SHOW: AppointmentStatus.NOSHOW,
}


def add_visit_panel(console: Console) -> None:
    @console.get("/day/v/<appointment_id>", may=CARE)
    def visit(desk: Desk, appointment_id: str) -> Answer:
        return panel(desk, appointment_id)

    @console.get("/day/v/<appointment_id>/trail", may=CARE)
    def visit_trail_of(desk: Desk, appointment_id: str) -> Answer:
        one = day.entry(desk.session, desk.clinic, appointment_id=appointment_id)
        _record_look(desk, one)
        steps = visit_trail.steps(desk.session, desk.clinic, one, _zone(desk, one))
        return render_template("console/visit_trail.html", steps=steps, one=one)

    @console.post("/day/v/<appointment_id>/mark", may=FLOOR)
    def mark_visit(desk: Desk, appointment_id: str) -> Answer:
        mark = _marks(request.form.get("step", ""))
        return _acted(desk, appointment_id, lambda: mark(desk, appointment_id))

    @console.post("/day/v/<appointment_id>/cancel", may=DESK)
    def cancel_visit(desk: Desk, appointment_id: str) -> Answer:
        reason = " ".join(request.form.get("reason", "").split())
        if not 0 < len(reason) <= 200:
            return panel(desk, appointment_id, wrong=_("Please say why, in up to 200 characters."), status=422)
        return _acted(
            desk,
            appointment_id,
            lambda: booking.cancel(
                desk.session,
                desk.clinic,
                appointment_id=appointment_id,
                agent=desk.agent,
                key=key(),
                reason=reason,
                by_clinic=request.form.get("by") == "clinic",
            ),
        )

    @console.post("/day/v/<appointment_id>/move", may=DESK)
    def move_visit(desk: Desk, appointment_id: str) -> Answer:
        who, start = place(desk)

        def move() -> Appointment:
            return desk_booking.move(
                desk.session,
                desk.clinic,
                appointment_id=appointment_id,
                practitioner_id=who.id,
                start=start,
                sequence=request.form.get("seq", -1, type=int),
                agent=desk.agent,
                key=key(),
            )

        return _moved(desk, appointment_id, move) if _is_on_grid() else _acted(desk, appointment_id, move)

    @console.get("/day/v/<appointment_id>/times", may=DESK)
    def times_for_visit(desk: Desk, appointment_id: str) -> Answer:
        one = day.entry(desk.session, desk.clinic, appointment_id=appointment_id)
        _record_look(desk, one)
        who = desk.clinic.practitioners_by_id.get(request.args.get("who", ""))
        wanted = wanted_day(desk, request.args.get("day", ""))
        if who is None:
            raise BadRequest
        asked = Request(one.service_id, practitioners=(who.id,), mode=one.mode, patient_id=one.patient_id, moving=one.id)
        own = (one.practitioner_id, one.start)
        free = [each for each in desk_booking.free_on(desk.session, desk.clinic, asked, wanted) if (who.id, each.start) != own]
        return render_template(
            "console/free_times.html",
            free=choices(desk, free),
            clock=schedule_grid.clock,
            sends=True,
            **({} if free else {"reasons": _why_not(desk, asked, who, wanted)}),
        )


def place(desk: Desk) -> tuple[PractitionerPart, dt.datetime]:
    """The practitioner and the instant of a form or an address: `who`, `day` and `at`, wall time. Raises BadRequest."""
    who = desk.clinic.practitioners_by_id.get(request.values.get("who", ""))
    wanted = wanted_day(desk, request.values.get("day", ""))
    try:
        at = dt.time.fromisoformat(request.values.get("at", ""))
    except ValueError as nonsense:
        raise BadRequest from nonsense
    if who is None:
        raise BadRequest
    return who, times.from_wall(wanted, at.replace(tzinfo=None), day.zone_of(desk.clinic, who))


@dataclass(frozen=True)
class Choice:
    """A free time to press on. `name` is its practitioner's, "" where that is plain."""

    at: dt.datetime  # on the wall
    who: str
    name: str


def choices(desk: Desk, free: Sequence[FreeTime], *, names: bool = False) -> list[Choice]:
    found = []
    for one in free:
        who = desk.clinic.practitioners_by_id[one.practitioner_id]
        found.append(Choice(times.to_wall(one.start, day.zone_of(desk.clinic, who)), who.id, who.name if names else ""))
    return found


def wanted_day(desk: Desk, text: str) -> dt.date:
    """A day that a calendar is drawn of. Raises BadRequest."""
    try:
        wanted = dt.date.fromisoformat(text)
    except ValueError as nonsense:
        raise BadRequest from nonsense
    if abs((wanted - times.to_wall(times.now(), desk.clinic.zone).date()).days) > FARTHEST:
        raise BadRequest
    return wanted


def changed(answer: str | Response) -> Response:
    """An answer after which the calendar fetches what has changed."""
    made = make_response(answer)
    made.headers["HX-Trigger"] = "schedule-changed"
    return made


def sentence(desk: Desk, refusal: SchedulingError) -> str:
    """Why something was not done."""
    if isinstance(refusal, MarkedAlreadyError):
        word = schedule_grid.state_words().get(_state_of(refusal.status), refusal.status)
        if refusal.agent is None or refusal.at is None:
            return _("This visit is marked already: %(state)s.", state=word)
        who = visit_trail.names_of(desk.session, {refusal.agent})[refusal.agent]
        at = schedule_grid.clock(times.to_wall(refusal.at, desk.clinic.zone))
        return _("%(who)s was faster, at %(time)s. The visit is now: %(state)s.", who=who, time=at, state=word)
    if type(refusal) is WrongStateError and refusal.detail.startswith("Appointment/"):
        one = day.entry(desk.session, desk.clinic, appointment_id=refusal.detail.removeprefix("Appointment/"))
        return _("This cannot be done any more. The visit is now: %(state)s.", state=schedule_grid.state_words()[one.state])
    known = {
        AnotherDayError: _("This visit is on another day: only visits of today can be marked so."),
        NotBegunError: _("This visit has not begun yet: the patient may still come."),
        MovedMeanwhileError: _("A colleague has moved this visit meanwhile. Please look where it is now."),
        PatientIsHereError: _("The patient is here. Take the check-in back before you move the visit to another day."),
    }
    return known.get(type(refusal)) or refusals.sentence(refusal)


def _marks(step: str) -> Callable[[Desk, str], Appointment]:
    """What a button does. Raises BadRequest."""
    simple = {
        "check-in": attendance.check_in,
        "room": attendance.take_to_room,
        "done": attendance.finish,
        "no-show": attendance.mark_no_show,
    }
    if step in simple:
        return lambda desk, one: simple[step](desk.session, desk.clinic, appointment_id=one, agent=desk.agent)
    if step == "late":
        minutes = request.form.get("minutes", 0, type=int)
        return lambda desk, one: attendance.expect_late(
            desk.session, desk.clinic, appointment_id=one, minutes=minutes, agent=desk.agent
        )
    was = request.form.get("was", "")
    if step == "back" and was in _STATUS:
        return lambda desk, one: attendance.step_back(
            desk.session, desk.clinic, appointment_id=one, was=_STATUS[State(was)], agent=desk.agent
        )
    raise BadRequest


def _acted(desk: Desk, appointment_id: str, act: Callable[[], Appointment]) -> Answer:
    """The panel after an act, or with the reason why nothing was done."""
    try:
        act()
    except NotFoundError:
        raise
    except RefusedTimeError as refusal:
        return panel(desk, appointment_id, wrong=_("Not moved."), reasons=[one.staff for one in refusal.reasons], status=422)
    except SchedulingError as refusal:
        return changed(make_response(panel(desk, appointment_id, wrong=sentence(desk, refusal), status=409)))
    return changed(make_response(panel(desk, appointment_id)))


def _moved(desk: Desk, appointment_id: str, move: Callable[[], Appointment]) -> Answer:
    """What is said after a visit was dropped on the calendar, with the way back."""
    old = day.entry(desk.session, desk.clinic, appointment_id=appointment_id)
    try:
        moved = move()
    except NotFoundError:
        raise
    except SchedulingError as refusal:
        reasons = [one.staff for one in refusal.reasons] if isinstance(refusal, RefusedTimeError) else [sentence(desk, refusal)]
        return changed(make_response(render_template("console/not_moved.html", reasons=reasons), 409))
    if moved.sequence == old.sequence:
        return "", 204
    new = day.entry(desk.session, desk.clinic, appointment_id=appointment_id)
    return changed(
        render_template("console/moved.html", old=old, new=new, key=new_id(), **_facts(desk, new), old_facts=_facts(desk, old))
    )


def _is_on_grid() -> bool:
    return request.headers.get("HX-Target") == "said"


def panel(
    desk: Desk, appointment_id: str, *, good: str = "", wrong: str = "", reasons: list[str] | None = None, status: int = 200
) -> Answer:
    """One visit, with what was done or why nothing was."""
    desk.session.flush()
    one = day.entry(desk.session, desk.clinic, appointment_id=appointment_id)
    _record_look(desk, one)
    facts = _facts(desk, one)
    patient = _patient(desk, one)
    is_fragment = request.headers.get("HX-Request")
    return (
        render_template(
            "console/visit.html" if is_fragment else "console/visit_page.html",
            one=one,
            patient=patient,
            good=good,
            wrong=wrong,
            reasons=reasons or [],
            steps=visit_trail.steps(desk.session, desk.clinic, one, facts["zone"]),
            gives=[each for each in desk.clinic.practitioners if one.service_id in each.services],
            late=_LATE,
            key=new_id(),
            may_book=desk.me.role in DESK,
            may_mark=desk.me.role in FLOOR,
            is_today=facts["start"].date() == times.to_wall(times.now(), facts["zone"]).date(),
            is_over=one.end <= times.now(),
            **facts,
        ),
        status,
    )


def _facts(desk: Desk, one: Entry) -> dict[str, object]:
    """A visit in words and wall times."""
    clinic = desk.clinic
    who = clinic.practitioners_by_id.get(one.practitioner_id)
    zone = _zone(desk, one)
    place_ = clinic.locations_by_id.get(one.location_id or "")
    service = clinic.services_by_id.get(one.service_id)
    return {
        "zone": zone,
        "start": times.to_wall(one.start, zone),
        "end": times.to_wall(one.end, zone),
        "who": who,
        "who_name": who.name if who else one.practitioner_id,
        "place": place_.name if place_ else "",
        "room": next((each.name for each in place_.rooms if each.id == one.room_id), "") if place_ else "",
        "service": service.name if service else one.service_id,
        "prep": service.prep if service else "",
        "name": schedule_grid.name_of(one),
        "state_word": schedule_grid.state_words()[one.state],
        "State": State,
        "clock": schedule_grid.clock,
        "wall": times.to_wall,
    }


def _zone(desk: Desk, one: Entry) -> ZoneInfo:
    """The zone of the wall that a visit is shown by; of who is not in the clinic file any more the clinic's."""
    who = desk.clinic.practitioners_by_id.get(one.practitioner_id)
    return day.zone_of(desk.clinic, who) if who else desk.clinic.zone


def _patient(desk: Desk, one: Entry) -> Patient | None:
    """Who it is, unless the record is restricted and not opened by this person."""
    if one.patient_id is None:
        return None
    found = patients.get(desk.session, one.patient_id)
    try:
        glass.check(desk.session, desk.me, found)
    except glass.RestrictedError:
        return None
    return found


def _why_not(desk: Desk, asked: Request, who: PractitionerPart, wanted: dt.date) -> list[str]:
    """Why a whole day has no free time, by what the rules say of its first session; nothing where the day is merely full."""
    zone = day.zone_of(desk.clinic, who)
    session = next((one for one in who.schedule if wanted.weekday() in one.days), None)
    start = times.from_wall(wanted, session.time.start if session else dt.time(12), zone)
    against = desk_booking.against(desk.session, desk.clinic, asked, start)
    return [one.staff for one in against if one.code not in _OF_ONE_TIME]


_OF_ONE_TIME = {"past", "notice", "off-grid", "taken", "room", "patient-busy", "blocked"}


def _record_look(desk: Desk, one: Entry) -> None:
    audit.record(
        desk.session, agent=desk.agent, action="R", entity="Appointment", entity_id=one.id, patient_id=one.patient_id, detail={}
    )


def _state_of(status: AppointmentStatus) -> State:
    return next((state for state, one in _STATUS.items() if one is status), _OTHERS.get(status, State.BOOKED))


_OTHERS = {AppointmentStatus.CANCELLED: State.CANCELLED, AppointmentStatus.PROPOSED: State.HOLD}


def key() -> str:
    """The form's own key: sent twice, it is done once."""
    key = request.form.get("key", "")
    if not 8 <= len(key) <= 64:
        raise BadRequest
    return f"desk:{key}"
