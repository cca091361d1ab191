"""The page before a restricted record: it opens to who says why."""

from __future__ import annotations

from flask import Response, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from bot.console import carried
from bot.console.access import CARE, MANAGERS
from bot.console.shell import Answer, Console, Desk
from scheduling_core import glass, patients
from scheduling_core.glass import ReasonNeededError, RestrictedError


def add_glass(console: Console) -> None:
    """The routes under /console/glass."""

    @console.get("/glass/<patient_id>", may=CARE)
    def before_glass(desk: Desk, patient_id: str) -> Answer:
        patients.get(desk.session, patient_id)
        return _page(patient_id, carried.way_back())

    @console.post("/glass/<patient_id>", may=CARE)
    def break_glass(desk: Desk, patient_id: str) -> Answer:
        patient = patients.get(desk.session, patient_id)
        try:
            glass.break_it(desk.session, desk.me, patient, reason=request.form.get("reason", ""))
        except ReasonNeededError:
            wrong = _("Please write why, in ten characters or more.")
            return _page(patient_id, carried.way_back(), wrong=wrong), 422
        return redirect(carried.way_back())

    @console.post("/glass/<patient_id>/restrict", may=MANAGERS)
    def restrict_record(desk: Desk, patient_id: str) -> Answer:
        patient = patients.get(desk.session, patient_id)
        glass.restrict(desk.session, patient, restricted=request.form.get("restricted") == "yes", agent=desk.agent)
        return redirect(carried.way_back())


def to_glass(error: RestrictedError) -> AnyResponse:
    """The page that asks for the reason, in place of the record; htmx goes there."""
    if request.headers.get("HX-Request"):
        answer = Response(status=204)
        back = request.headers.get("HX-Current-URL", "")
        place = "/console/" + back.partition("/console/")[2] if "/console/" in back else url_for("console.home")
        answer.headers["HX-Redirect"] = url_for("console.before_glass", patient_id=error.patient_id, next=place)
        return answer
    back = request.full_path.removesuffix("?") if request.method == "GET" else url_for("console.home")
    return make_response(_page(error.patient_id, back), 403)


def _page(patient_id: str, back: str, *, wrong: str | None = None) -> str:
    return render_template("console/glass.html", patient_id=patient_id, next=back, wrong=wrong)
