"""A patient's insurance at the desk: entering, correcting and ending it, and asking the payer now."""

from __future__ import annotations

import json
from typing import Any

from flask import make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from bot.console.access import BILLING_DESK, EVERYBODY
from bot.console.patient_words import unfit_word
from bot.console.shell import Answer, Console, Desk
from scheduling_core import coverage, glass, patient_card, patient_edits, patients
from scheduling_core.coverage import RELATIONSHIPS, Subscriber
from scheduling_core.errors import NotFoundError, UnfitError
from scheduling_core.models import Coverage, Patient, new_id
from scheduling_core.patient_edits import COVERAGE_FIELDS, ChangedMeanwhileError, Edit

MAY = BILLING_DESK
_OTHER = "other"  # of the payers: none of the clinic file's


def add_coverage(console: Console) -> None:
    @console.get("/patients/<patient_id>/coverage/new", may=BILLING_DESK)
    def new_coverage(desk: Desk, patient_id: str) -> Answer:
        one = _opened(desk, patient_id)
        patient_card.record_look(desk.session, patient_id=patient_id, agent=desk.agent)
        rank = 2 if request.args.get("rank") == "2" else 1
        return _form(desk, one, None, {"rank": str(rank), "relationship": "self"})

    @console.post("/patients/<patient_id>/coverage/new", may=BILLING_DESK)
    def record_coverage(desk: Desk, patient_id: str) -> Answer:
        one = _opened(desk, patient_id)
        form = request.form
        typed = {name: " ".join(value.split()) for name, value in form.items()}
        key = f"desk:{desk.me.id}:{form.get('key', '')[:64]}" if form.get("key") else None
        if typed.get("payer") == "self-pay":
            coverage.record_self_pay(desk.session, patient_id=one.id, agent=desk.agent, key=key)
            return _back(patient_id, "self-pay")
        payer = desk.clinic.payers_by_id.get(typed.get("payer", ""))
        name = payer.name if payer else typed.get("payer_name", "")
        wrong: dict[str, str] = {}
        values: dict[str, Any] = {}
        for field in COVERAGE_FIELDS:
            try:
                values[field] = patient_edits.coverage_value(field, typed.get(field, "") or _WHEN_EMPTY.get(field, ""))
            except UnfitError as error:
                wrong[field] = unfit_word(error.why)
        if not 0 < len(name) <= 200:
            wrong["payer_name"] = _("Choose the payer, or write its name.")
        if values.get("relationship") != "self" and not values.get("subscriber_family"):
            wrong["subscriber_family"] = _("Whose insurance is it?")
        if wrong:
            return _form(desk, one, None, typed, wrong=wrong, status=422)
        holder = None
        if values["relationship"] != "self":
            holder = Subscriber(
                values["subscriber_given"] or "", values["subscriber_family"] or "", values["subscriber_birth_date"]
            )
        coverage.record(
            desk.session,
            patient_id=one.id,
            payer_id=payer.id if payer else None,
            payer_name=name,
            subscriber_id=values["subscriber_id"],
            group_number=values["group_number"],
            relationship=values["relationship"],
            subscriber=holder,
            rank=2 if typed.get("rank") == "2" else 1,
            agent=desk.agent,
            key=key,
        )
        return _back(patient_id, "insured")

    @console.get("/patients/<patient_id>/coverage/<coverage_id>", may=BILLING_DESK)
    def edit_coverage(desk: Desk, patient_id: str, coverage_id: str) -> Answer:
        one, held = _opened(desk, patient_id), _held(desk, patient_id, coverage_id)
        patient_card.record_look(desk.session, patient_id=patient_id, agent=desk.agent)
        return _form(desk, one, held, patient_edits.coverage_values(held))

    @console.post("/patients/<patient_id>/coverage/<coverage_id>", may=BILLING_DESK)
    def correct_coverage(desk: Desk, patient_id: str, coverage_id: str) -> Answer:
        one, held = _opened(desk, patient_id), _held(desk, patient_id, coverage_id)
        now = patient_edits.coverage_values(held)
        typed = {name: " ".join(request.form.get(name, now[name]).split()) for name in COVERAGE_FIELDS}
        try:
            told = json.loads(request.form.get("seen", "{}"))
        except ValueError:
            told = {}
        seen = now | {name: str(value) for name, value in told.items() if name in now} if isinstance(told, dict) else now
        edits = {name: Edit(seen[name], value) for name, value in typed.items()}
        try:
            patient_edits.change_coverage(desk.session, coverage_id=coverage_id, edits=edits, agent=desk.agent)
        except UnfitError as error:
            return _form(desk, one, held, typed, seen=seen, wrong={error.field: unfit_word(error.why)}, status=422)
        except ChangedMeanwhileError as error:
            stale = {
                each.field: _("Somebody has changed this meanwhile. It is now: %(now)s", now=each.now or _("nothing"))
                for each in error.conflicts
            }
            shown = {name: value if value != seen[name] else now[name] for name, value in typed.items()}
            return _form(desk, one, held, shown, seen=now, wrong=stale, status=409)
        return _back(patient_id, "corrected")

    @console.post("/patients/<patient_id>/coverage/<coverage_id>/end", may=BILLING_DESK)
    def end_coverage(desk: Desk, patient_id: str, coverage_id: str) -> Answer:
        _opened(desk, patient_id)
        coverage.end(desk.session, coverage_id=_held(desk, patient_id, coverage_id).id, agent=desk.agent)
        return _back(patient_id, "ended")

    @console.post("/patients/<patient_id>/coverage/<coverage_id>/check", may=BILLING_DESK)
    def check_coverage(desk: Desk, patient_id: str, coverage_id: str) -> Answer:
        _opened(desk, patient_id)
        held = _held(desk, patient_id, coverage_id)
        patient_card.check_now(desk.session, desk.clinic, coverage_id=held.id, agent=desk.agent)
        if request.headers.get("HX-Request"):
            return _fragment(desk, held)
        return redirect(url_for("console.patient", patient_id=patient_id, _anchor="coverage"))

    @console.look("/patients/<patient_id>/coverage/<coverage_id>/now", may=EVERYBODY)
    def coverage_now(desk: Desk, patient_id: str, coverage_id: str) -> Answer:
        """What the open card asks while a payer is being asked; its first look was recorded."""
        _opened(desk, patient_id)
        return _fragment(desk, _held(desk, patient_id, coverage_id))


_WHEN_EMPTY = {"relationship": "self"}


def _fragment(desk: Desk, held: Coverage) -> str:
    visit = patient_card.next_visit(desk.session, patient_id=held.patient_id)
    insured = patient_card.insured(desk.session, desk.clinic, held, visit)
    return render_template("console/patients/insured.html", insured=insured, clinic=desk.clinic, may_insure=desk.me.role in MAY)


def _opened(desk: Desk, patient_id: str) -> Patient:
    one = patients.get(desk.session, patient_id)
    glass.check(desk.session, desk.me, one)
    return one


def _held(desk: Desk, patient_id: str, coverage_id: str) -> Coverage:
    """Raises NotFoundError for a coverage of somebody else."""
    held = coverage.get(desk.session, coverage_id)
    if held.patient_id != patient_id:
        raise NotFoundError(f"Coverage/{coverage_id}")
    return held


def _back(patient_id: str, done: str) -> AnyResponse:
    return redirect(url_for("console.patient", patient_id=patient_id, done=done, _anchor="coverage"))


def _form(
    desk: Desk,
    one: Patient,
    held: Coverage | None,
    values: dict[str, str],
    *,
    seen: dict[str, str] | None = None,
    wrong: dict[str, str] | None = None,
    status: int = 200,
) -> AnyResponse:
    """What was typed stays, whatever is said about it."""
    replaced = [each for each in coverage.active(desk.session, patient_id=one.id) if held is None]
    page = render_template(
        "console/patients/coverage.html",
        one=one,
        held=held,
        values=values,
        seen=json.dumps(seen if seen is not None else values),
        wrong=wrong or {},
        replaced=replaced,
        payers=desk.clinic.payers,
        relationships=RELATIONSHIPS,
        other=_OTHER,
        key=values.get("key") or new_id(),
    )
    return make_response(page, status)
