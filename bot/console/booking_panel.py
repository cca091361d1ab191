"""Booking beside the calendar, with the rules' word on the time that was chosen; and telling patients that somebody runs late."""

from __future__ import annotations

from flask import make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.exceptions import BadRequest

from bot.console import schedule_grid, visit_panel
from bot.console.access import DESK
from bot.console.shell import Answer, Console, Desk
from bot.console.visit_panel import changed, place
from scheduling_core import audit, day, desk_booking, patient_search, patients, running_late, times, why
from scheduling_core.calendar.requests import Request
from scheduling_core.clinic_file.schema import PractitionerPart
from scheduling_core.desk_booking import RefusedTimeError
from scheduling_core.errors import NotFoundError, SchedulingError
from scheduling_core.models import Mode, Patient, new_id
from scheduling_core.overbooking import LONGEST_REASON
from scheduling_core.why import Reason, Verdict

_LONGEST_NOTE = 500
_MOST_CHOICES = 120  # free times of a day that are listed


def add_booking_panel(console: Console) -> None:
    @console.get("/day/book", may=DESK)
    def book_form(desk: Desk) -> Answer:
        clinic = desk.clinic
        who = clinic.practitioners_by_id.get(request.args.get("who", ""))
        today = times.to_wall(times.now(), clinic.zone).date()
        given = [one for one in clinic.services if who is None or one.id in who.services]
        chosen = _chosen(desk)
        template = "console/book.html" if request.headers.get("HX-Request") else "console/book_page.html"
        return render_template(
            template,
            who=who,
            day=request.args.get("day") or today.isoformat(),
            at=request.args.get("at", ""),
            services=given,
            practitioners=[one for one in clinic.practitioners if one.services],
            patients=[chosen] if chosen else [],
            chosen=chosen.id if chosen else "",
            service_id=request.args.get("service", ""),
            key=new_id(),
            longest_note=_LONGEST_NOTE,
        )

    @console.post("/day/people", may=DESK)
    def people(desk: Desk) -> Answer:
        """A POST, because addresses are kept and what is typed names a patient."""
        typed = request.form.get("q", "")
        found = patient_search.find(desk.session, typed, agent=desk.agent, limit=8)
        return render_template("console/people.html", patients=found.patients, more=found.more, typed=bool(typed), chosen="")

    @console.post("/day/why", may=DESK)
    def why_not(desk: Desk) -> Answer:
        """A POST for the same reason: the whole form comes along, with the note."""
        return _verdict(desk)

    @console.post("/day/book", may=DESK)
    def book_visit(desk: Desk) -> Answer:
        who, start = place(desk)
        asked = _request(desk, who)
        if asked is None or asked.patient_id is None:
            raise BadRequest
        note = request.form.get("note", "").strip()
        if len(note) > _LONGEST_NOTE:
            return _again(desk, _("The note may have up to %(count)s characters.", count=_LONGEST_NOTE), 422)
        reason = request.form.get("reason", "").strip()
        overbooks = "overbook" in request.form
        if overbooks and not 0 < len(reason) <= LONGEST_REASON:
            return _again(desk, _("Overbooking needs a reason, in up to %(count)s characters.", count=LONGEST_REASON), 422)
        key = visit_panel.key()
        try:
            if overbooks:
                visit = desk_booking.overbook(
                    desk.session, desk.clinic, request=asked, start=start, reason=reason, agent=desk.agent, key=key
                )
            else:
                visit = desk_booking.book(
                    desk.session, desk.clinic, request=asked, start=start, agent=desk.agent, key=key, comment=note
                )
        except NotFoundError:
            raise
        except RefusedTimeError:
            return _again(desk, _("This time cannot be booked any more; below is why."), 409)
        except SchedulingError as refusal:
            return _again(desk, visit_panel.sentence(desk, refusal), 409)
        return changed(make_response(visit_panel.panel(desk, visit.id, good=_("Booked."))))

    @console.get("/day/late", may=DESK)
    def running_late_form(desk: Desk) -> Answer:
        return _late(desk)

    @console.post("/day/late", may=DESK)
    def tell_who_waits(desk: Desk) -> Answer:
        who = _who(desk)
        told = running_late.tell(desk.session, desk.clinic, practitioner_id=who.id, minutes=_minutes() or 0, by=desk.me.email)
        return _late(desk, told=len(told))


def _chosen(desk: Desk) -> Patient | None:
    """The patient of the address, from whose card the form was opened. Raises NotFoundError."""
    if not request.args.get("patient"):
        return None
    found = patients.get(desk.session, request.args["patient"])
    audit.record(
        desk.session,
        agent=desk.agent,
        action="R",
        entity="Patient",
        entity_id=found.id,
        patient_id=found.id,
        detail={"for": "booking"},
    )
    return found


def _verdict(desk: Desk, wrong: str = "") -> str:
    """What the rules say of the form as it stands, the ways to book it, and the free times of its day."""
    try:
        who, start = place(desk)
    except BadRequest:
        who, start = desk.clinic.practitioners_by_id.get(request.values.get("who", "")), None  # not all of it is filled in
    asked = _request(desk, who)
    reasons: list[Reason] = []
    if asked is not None and start is not None:
        reasons = why.explain(desk.session, desk.clinic, asked, start)
    against = [one for one in reasons if one.verdict is not Verdict.ALLOWS]
    return render_template(
        "console/why.html",
        wrong=wrong,
        is_asked=bool(reasons),
        has_patient=bool(asked and asked.patient_id),
        against=against,
        in_favour=[one for one in reasons if one.verdict is Verdict.ALLOWS],
        may_overbook=desk_booking.may_be_overbooked(against),
        is_day_asked=asked is not None and bool(request.values.get("day")),
        free=_free(desk, asked) if asked else [],
        clock=schedule_grid.clock,
        longest_reason=LONGEST_REASON,
        Verdict=Verdict,
        typed=request.values.get("reason", ""),
    )


def _free(desk: Desk, asked: Request) -> list[visit_panel.Choice]:
    """The free times of the form's day, with their practitioners where none was chosen."""
    try:
        wanted = visit_panel.wanted_day(desk, request.values.get("day", ""))
    except BadRequest:
        return []
    found = desk_booking.free_on(desk.session, desk.clinic, asked, wanted)
    return visit_panel.choices(desk, found[:_MOST_CHOICES], names=not asked.practitioners)


def _again(desk: Desk, sentence: str, status: int) -> Answer:
    """The verdict anew with what was wrong; the form around it keeps what was typed."""
    answer = make_response(_verdict(desk, sentence), status)
    answer.headers["HX-Retarget"] = "#verdict"
    answer.headers["HX-Reswap"] = "innerHTML"
    return answer


def _request(desk: Desk, who: PractitionerPart | None) -> Request | None:
    """What the form asks for, None while the service is not chosen."""
    service = desk.clinic.services_by_id.get(request.values.get("service", ""))
    if service is None:
        return None
    mode = request.values.get("mode", "")
    return Request(
        service.id,
        practitioners=(who.id,) if who else (),
        mode=Mode(mode) if mode in service.modes else None,
        patient_id=request.values.get("patient") or None,
    )


def _late(desk: Desk, told: int | None = None) -> Answer:
    """Whom it affects that somebody is so many minutes behind, and what they would be told."""
    who, minutes = _who(desk), _minutes()
    today = times.to_wall(times.now(), desk.clinic.zone).date()
    [column] = day.columns(desk.session, desk.clinic, days=[today], practitioners=[who.id])
    day.record_look(desk.session, agent=desk.agent, days=[today], shown=[column], location_id=None)
    affected = running_late.delays(desk.session, desk.clinic, practitioner_id=who.id, minutes=minutes) if minutes else []
    texts = [
        running_late.what_to_tell(desk.session, desk.clinic, practitioner_id=who.id, affected=one)
        for one in affected
        if one.is_told
    ]
    return render_template(
        "console/running_late.html",
        who=who,
        minutes=minutes or column.behind or 15,
        is_asked=minutes is not None,
        affected=affected,
        names={one.id: schedule_grid.name_of(one) for one in column.entries},
        body=next((body for phone, body in texts if phone), ""),
        by_text=sum(phone is not None for phone, _body in texts),
        by_call=sum(phone is None for phone, _body in texts),
        told=told,
        zone=column.zone,
        wall=times.to_wall,
        clock=schedule_grid.clock,
    )


def _who(desk: Desk) -> PractitionerPart:
    found = desk.clinic.practitioners_by_id.get(request.values.get("who", ""))
    if found is None:
        raise BadRequest
    return found


def _minutes() -> int | None:
    """Whole minutes, None where nothing was typed. Raises BadRequest."""
    typed = request.values.get("minutes", "").strip()
    if not typed:
        return None
    if not typed.isdecimal() or not 1 <= int(typed) <= 24 * 60:
        raise BadRequest
    return int(typed)
