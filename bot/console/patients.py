"""Patients: finding one, the card, corrections against what was seen, merging, and handing over all that we hold."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import re
from typing import Any

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.sansio.blueprints import BlueprintSetupState
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as AnyResponse

from bot import estimate_page
from bot.console import patient_coverage
from bot.console.access import CARE, DESK, EVERYBODY, MANAGERS
from bot.console.patient_words import WORDS
from bot.console.shell import Answer, Console, Desk
from scheduling_core import (
    audit,
    glass,
    merging,
    patient_card,
    patient_edits,
    patient_export,
    patient_search,
    patients,
    times,
)
from scheduling_core.eligibility import good_faith
from scheduling_core.errors import NotFoundError, UnfitError
from scheduling_core.fhir import reading
from scheduling_core.models import Channel, Patient, Sex, new_id
from scheduling_core.patient_edits import ChangedMeanwhileError, Edit

_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
LANGUAGES = ("en", "es", "ar", "fr", "hi", "ht", "ko", "pl", "pt", "ru", "tl", "uk", "ur", "vi", "zh")


def add_patients(console: Console) -> None:
    @console.blueprint.record_once
    def prepare(state: BlueprintSetupState) -> None:
        state.app.jinja_env.globals.update(words=WORDS)

    @console.get("/patients", may=EVERYBODY)
    def patients_page(desk: Desk) -> Answer:
        return render_template("console/patients/page.html", found=None, typed="")

    @console.post("/patients", may=EVERYBODY)
    def find_patients(desk: Desk) -> Answer:
        """A POST, because addresses are kept and what is typed names a patient."""
        typed = request.form.get("q", "")
        found = patient_search.find(desk.session, typed, agent=desk.agent, inactive="closed" in request.form)
        fragment = "found" if request.headers.get("HX-Request") else "page"
        return render_template(
            f"console/patients/{fragment}.html", found=found, typed=typed[: patient_search.LONGEST], **_shared(desk)
        )

    @console.get("/patients/<patient_id>", may=EVERYBODY)
    def patient(desk: Desk, patient_id: str) -> Answer:
        one = _opened(desk, patient_id)
        if one.merged_into:
            return redirect(url_for("console.patient", patient_id=one.merged_into, done="was-merged"))
        card = patient_card.card(desk.session, desk.clinic, patient_id=patient_id, agent=desk.agent)
        return render_template("console/patients/card.html", card=card, done=_done_words(), **_shared(desk))

    @console.get("/patients/<patient_id>/trail", may=EVERYBODY)
    def patient_trail(desk: Desk, patient_id: str) -> Answer:
        _opened(desk, patient_id)
        rows = patient_card.trail(
            desk.session, patient_id=patient_id, agent=desk.agent, changes_only=request.args.get("only") == "changes"
        )
        fragment = "trail" if request.headers.get("HX-Request") else "trail_page"
        return render_template(f"console/patients/{fragment}.html", rows=rows, patient_id=patient_id, **_shared(desk))

    _add_edits(console)
    _add_merging(console)
    _add_files(console)
    patient_coverage.add_coverage(console)
    console.add_to_menu(_l("Patients"), "patients_page")


def _add_edits(console: Console) -> None:
    @console.get("/patients/new", may=DESK)
    def new_patient(desk: Desk) -> Answer:
        values = {"given": "", "family": "", "birth_date": "", "sex": "unknown", "phones": [], "needs": []}
        return _form(desk, None, values | {"email": "", "address": "", "language": ""})

    @console.post("/patients/new", may=DESK)
    def add_patient(desk: Desk) -> Answer:
        typed = _typed(desk)
        wrong = _mistakes(typed)
        if wrong:
            return _form(desk, None, typed, wrong=wrong, status=422)
        values = {name: value for name, value in typed.items() if name != "sex"}
        same = patients.known_by_name_and_birth_date(
            desk.session, typed["given"], typed["family"], dt.date.fromisoformat(typed["birth_date"])
        )
        if same and not request.form.get("another"):
            shown = {"search": [one.id for one in same]}
            audit.record(desk.session, agent=desk.agent, action="R", entity="Patient", detail=shown)
            return _form(desk, None, typed, same=same, status=409)
        made = patients.register(
            desk.session,
            given=typed["given"],
            family=typed["family"],
            birth_date=dt.date.fromisoformat(typed["birth_date"]),
            sex=Sex(typed["sex"]),
            new=False,
            agent=desk.agent,
            key=f"desk:{desk.me.id}:{request.form['key'][:64]}" if request.form.get("key") else None,
        )
        seen = patient_edits.values_of(made)
        rest = {name: Edit(seen[name], value) for name, value in values.items()}
        patient_edits.change(desk.session, patient_id=made.id, edits=rest, agent=desk.agent)
        return redirect(url_for("console.patient", patient_id=made.id, done="registered"))

    @console.get("/patients/<patient_id>/edit", may=CARE)
    def edit_patient(desk: Desk, patient_id: str) -> Answer:
        one = _opened(desk, patient_id)
        patient_card.record_look(desk.session, patient_id=one.id, agent=desk.agent)
        return _form(desk, one, patient_edits.values_of(one))

    @console.post("/patients/<patient_id>/edit", may=CARE)
    def save_patient(desk: Desk, patient_id: str) -> Answer:
        one = _opened(desk, patient_id)
        typed = _typed(desk)
        seen = _seen(patient_edits.values_of(one))
        if wrong := _mistakes({name: value for name, value in typed.items() if value != seen[name]}):
            return _form(desk, one, typed, seen=seen, wrong=wrong, status=422)
        edits = {name: Edit(seen[name], value) for name, value in typed.items()}
        try:
            patient_edits.change(desk.session, patient_id=patient_id, edits=edits, agent=desk.agent)
        except ChangedMeanwhileError as error:
            now = patient_edits.values_of(patients.get(desk.session, patient_id))
            shown = {name: value if value != seen[name] else now[name] for name, value in typed.items()}
            return _form(desk, one, shown, seen=now, conflicts=error.conflicts, status=409)
        except UnfitError as error:
            return _form(desk, one, typed, seen=seen, wrong={error.field: error.why}, status=422)
        return redirect(url_for("console.patient", patient_id=patient_id, done="edited"))

    @console.post("/patients/<patient_id>/consent", may=CARE)
    def set_consent(desk: Desk, patient_id: str) -> Answer:
        one = _opened(desk, patient_id)
        form = request.form
        channel = next((each for each in Channel if each.value == form.get("channel")), None)
        if channel is None:
            raise NotFoundError("OptOut")
        patient_edits.set_consent(
            desk.session,
            one,
            channel=channel,
            address=form.get("address", ""),
            out=form.get("out") == "yes",
            seen=form.get("seen") == "yes",
            agent=desk.agent,
        )
        return redirect(url_for("console.patient", patient_id=patient_id, done="consent", _anchor="consent"))


def _add_merging(console: Console) -> None:
    @console.get("/patients/<patient_id>/merge", may=DESK)
    def choose_duplicate(desk: Desk, patient_id: str) -> Answer:
        one = _opened(desk, patient_id)
        patient_card.record_look(desk.session, patient_id=one.id, agent=desk.agent)
        other_id = request.args.get("with")
        other = _opened(desk, other_id) if other_id else None
        if other:
            patient_card.record_look(desk.session, patient_id=other.id, agent=desk.agent)
        return _compare(desk, one, other)

    @console.post("/patients/<patient_id>/merge/find", may=DESK)
    def find_duplicate(desk: Desk, patient_id: str) -> Answer:
        _opened(desk, patient_id)
        typed = request.form.get("q", "")
        found = patient_search.find(desk.session, typed, agent=desk.agent, limit=8)
        return render_template(
            "console/patients/duplicates.html",
            patient_id=patient_id,
            found=[one for one in found.patients if one.id != patient_id],
            typed=typed,
        )

    @console.post("/patients/<patient_id>/merge", may=DESK)
    def merge_patients(desk: Desk, patient_id: str) -> Answer:
        kept, other = _opened(desk, patient_id), _opened(desk, request.form.get("merged", ""))
        try:
            merging.merge(desk.session, kept_id=kept.id, merged_id=other.id, agent=desk.agent)
        except merging.BothBusyError:
            wrong = _("Both records have a visit at the same time. Cancel or move one of the two, then merge.")
            return _compare(desk, kept, other, wrong=wrong, status=409)
        return redirect(url_for("console.patient", patient_id=kept.id, done="merged"))

    @console.post("/patients/<patient_id>/merges/<merge_id>/undo", may=DESK)
    def undo_merge(desk: Desk, patient_id: str, merge_id: str) -> Answer:
        _opened(desk, patient_id)
        made = merging.get(desk.session, merge_id)
        if made.kept_id != patient_id:
            raise NotFoundError(f"PatientMerge/{merge_id}")
        merging.undo(desk.session, merge_id=merge_id, agent=desk.agent)
        return redirect(url_for("console.patient", patient_id=patient_id, done="unmerged"))


def _add_files(console: Console) -> None:
    @console.post("/patients/<patient_id>/export", may=MANAGERS)
    def export_patient(desk: Desk, patient_id: str) -> Answer:
        """A POST, so that no link elsewhere makes a browser fetch a record."""
        _opened(desk, patient_id)
        if request.form.get("as") == "rows":
            content = patient_export.rows(desk.session, patient_id=patient_id, agent=desk.agent)
            kind = "application/json"
        else:
            content = patient_export.bundle(desk.session, desk.clinic, patient_id=patient_id, agent=desk.agent)
            kind = "application/fhir+json"
        answer = make_response(json.dumps(content, ensure_ascii=False, indent=1))
        answer.content_type = f"{kind}; charset=utf-8"
        answer.headers["Content-Disposition"] = f'attachment; filename="patient-{patient_id}.json"'
        return answer

    @console.get("/visits/<appointment_id>/estimate", may=CARE)
    def estimate_of_visit(desk: Desk, appointment_id: str) -> Answer:
        found = good_faith.content(desk.session, desk.clinic, appointment_id=appointment_id, agent=desk.agent)
        _opened(desk, good_faith.patient_of(desk.session, appointment_id=appointment_id))
        return as_page(estimate_page.render(found, request.args.get("language", desk.me.language)))


def as_page(html: str) -> Response:
    """A page that stands alone and is printed or sent: its own style is allowed by its hash, and nothing else."""
    allowed = " ".join(f"'sha256-{_hash(style)}'" for style in _STYLE.findall(html)) or "'none'"
    answer = make_response(html)
    answer.headers["Content-Security-Policy"] = f"default-src 'none'; style-src {allowed}; frame-ancestors 'none'; base-uri 'none'"
    return answer


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _opened(desk: Desk, patient_id: str) -> Patient:
    """Raises NotFoundError; RestrictedError for a record whose glass this person has not broken."""
    one = patients.get(desk.session, patient_id)
    glass.check(desk.session, desk.me, one)
    return one


def _shared(desk: Desk) -> dict[str, Any]:
    role = desk.me.role
    return {
        "clinic": desk.clinic,
        "may_edit": role in CARE,
        "may_book": role in DESK,
        "may_merge": role in DESK,
        "may_export": role in MANAGERS,
        "may_insure": role in patient_coverage.MAY,
        "now": times.now(),
        "today": times.to_wall(times.now(), desk.clinic.zone).date(),
        "age_on": patients.age_on,
    }


def _done_words() -> str | None:
    return {
        "edited": _("Saved."),
        "registered": _("Put on file."),
        "consent": _("Noted."),
        "merged": _("Merged. It can be undone below, under Records."),
        "unmerged": _("Undone: they are two records again."),
        "was-merged": _("The record that you asked for was merged into this one."),
        "insured": _("Noted. The payer is being asked."),
        "self-pay": _("Noted: the patient pays alone."),
        "ended": _("The coverage has ended."),
        "corrected": _("Corrected. The payer is asked again."),
        "referral": _("Noted."),
    }.get(request.args.get("done", ""))


def _compare(desk: Desk, one: Patient, other: Patient | None, *, wrong: str | None = None, status: int = 200) -> AnyResponse:
    sides = [one] if other is None else [one, other]
    page = render_template(
        "console/patients/merge.html",
        one=one,
        other=other,
        values=[patient_edits.values_of(each) for each in sides],
        likely=merging.likely_same(desk.session, one, agent=desk.agent),
        wrong=wrong,
        **_shared(desk),
    )
    return make_response(page, status)


# the form


def _form(
    desk: Desk,
    one: Patient | None,
    values: dict[str, Any],
    *,
    seen: dict[str, Any] | None = None,
    wrong: dict[str, str] | None = None,
    conflicts: tuple[Any, ...] = (),
    same: list[Patient] | None = None,
    status: int = 200,
) -> AnyResponse:
    """What was typed stays, whatever is said about it."""
    page = render_template(
        "console/patients/edit.html",
        one=one,
        values=values,
        seen=json.dumps(seen if seen is not None else values),
        wrong=wrong or {},
        conflicts={each.field: each for each in conflicts},
        same=same or [],
        sexes=list(Sex),
        languages=dict.fromkeys((*desk.clinic.clinic.languages, *LANGUAGES)),
        key=request.form.get("key") or new_id(),
        **_shared(desk),
    )
    return make_response(page, status)


def _typed(desk: Desk) -> dict[str, Any]:
    """The fields as `patient_edits.values_of` writes them. A number that cannot be read stays as it was typed."""
    form = request.form
    region = reading.region_of(desk.clinic.clinic.phone)
    lines = [line.strip() for line in form.get("phones", "").splitlines() if line.strip()]
    return {
        "given": " ".join(form.get("given", "").split()),
        "family": " ".join(form.get("family", "").split()),
        "birth_date": form.get("birth_date", "").strip(),
        "sex": form.get("sex", "unknown"),
        "email": form.get("email", "").strip(),
        "address": " ".join(form.get("address", "").split()),
        "language": form.get("language", "").strip(),
        "needs": [line.strip() for line in form.get("needs", "").splitlines() if line.strip()],
        "phones": list(dict.fromkeys(reading.phone(line, region) or line for line in lines)),
    }


def _mistakes(typed: dict[str, Any]) -> dict[str, str]:
    """What is wrong with each field, as a word of UnfitError."""
    found: dict[str, str] = {}
    for name, value in typed.items():
        try:
            patient_edits.refuse_unfit(name, value)
        except UnfitError as error:
            found[error.field] = error.why
    if any(not re.fullmatch(r"\+\d{7,15}", phone) for phone in typed.get("phones", ())):
        found["phones"] = "no-phone"
    if typed.get("language") and not _TAG.fullmatch(typed["language"]):
        found["language"] = "unknown"
    return found


def _seen(now: dict[str, Any]) -> dict[str, Any]:
    """What the form was filled with when it was drawn; what it does not tell counts as seen now."""
    try:
        told = json.loads(request.form.get("seen", "{}"))
    except ValueError:
        told = {}
    return now | {name: value for name, value in told.items() if name in now} if isinstance(told, dict) else now
