"""The calendar file behind a link of a text: no sign-in, for the link is the proof; nothing of health in it."""

from __future__ import annotations

from flask import Blueprint, Response, abort

from scheduling_core import audit, calendar_files, links
from scheduling_core.clinic_file.loading import current
from scheduling_core.db import Database


def create_calendar_link(database: Database) -> Blueprint:
    calendar = Blueprint("calendar", __name__)

    @calendar.get(f"/{links.CALENDAR}/<token>")
    def file(token: str) -> Response:
        with database.transaction() as session:
            visit = links.visit_of(session, token)
            if visit is None:
                abort(404)  # the same for a forged link and one that has ended
            audit.record(
                session,
                agent="calendar-link",
                action="R",
                entity="Appointment",
                entity_id=visit.id,
                patient_id=visit.patient_id,
                detail={"for": "calendar"},
            )
            made, method = calendar_files.for_link(session, current(session), visit)
        answer = Response(made, content_type=f"text/calendar; charset=utf-8; method={method}")
        answer.headers["Content-Disposition"] = 'inline; filename="visit.ics"'
        answer.headers["X-Robots-Tag"] = "noindex"
        return answer

    return calendar
