"""The waitlist at the desk: times that fit who waits, booking one of them on the phone, and leaving the list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response as AnyResponse

from bot.console.access import DESK
from bot.console.shell import Answer, Console, Desk
from scheduling_core import audit, glass, patients, waitlist, waitlist_desk
from scheduling_core.calendar.requests import FreeTime
from scheduling_core.models import Appointment
from scheduling_core.worklists import Worklist


def add_waitlist(console: Console, changed: Callable[[], None]) -> None:
    """`changed` is called by what makes a list shorter."""

    @console.get("/worklists/waitlist/<appointment_id>/times", may=DESK)
    def times_for_place(desk: Desk, appointment_id: str) -> Answer:
        place = _place(desk, appointment_id)
        audit.record(
            desk.session, agent=desk.agent, action="R", entity="Appointment", entity_id=place.id, patient_id=place.patient_id
        )
        found = waitlist_desk.times_for(desk.session, desk.clinic, place_id=place.id)
        return render_template(
            "console/worklists/times.html",
            place=place,
            clinic=desk.clinic,
            found=[(one, _as_value(one)) for one in found],
        )

    @console.post("/worklists/waitlist/<appointment_id>/book", may=DESK)
    def book_for_place(desk: Desk, appointment_id: str) -> Answer:
        changed()
        place = _place(desk, appointment_id)
        wanted = request.form.get("time", "")
        time = next(
            (one for one in waitlist_desk.times_for(desk.session, desk.clinic, place_id=place.id) if _as_value(one) == wanted),
            None,
        )
        if time is None:
            return render_template("console/worklists/done.html", wrong=_("This time is gone. Look for the times again.")), 409
        key = f"waitlist-desk:{place.id}:{wanted}"
        visit = waitlist_desk.book_for(desk.session, desk.clinic, place_id=place.id, time=time, agent=desk.agent, key=key)
        return _said(_("Booked."), url_for("console.visit", appointment_id=visit.id))

    @console.post("/worklists/waitlist/<appointment_id>/leave", may=DESK)
    def leave_waitlist(desk: Desk, appointment_id: str) -> Answer:
        changed()
        place = _place(desk, appointment_id)
        waitlist.leave(desk.session, place_id=place.id, agent=desk.agent, key=f"waitlist-desk:{place.id}:leave")
        return _said(_("Taken off the waitlist."), None)


def _place(desk: Desk, appointment_id: str) -> Appointment:
    """Raises NotFoundError; RestrictedError where the patient's record is behind glass."""
    place = waitlist.appointment(desk.session, appointment_id)
    if place.patient_id is None:
        raise BadRequest
    glass.check(desk.session, desk.me, patients.get(desk.session, place.patient_id))
    return place


def _as_value(time: FreeTime) -> str:
    return f"{time.practitioner_id} {time.location_id} {time.start.astimezone(dt.UTC).isoformat()}"


def _said(words: str, link: str | None) -> str | AnyResponse:
    if request.headers.get("HX-Request"):
        return render_template("console/worklists/done.html", said=words, link=link)
    return redirect(url_for("console.worklist", name=Worklist.WAITLIST.value))
