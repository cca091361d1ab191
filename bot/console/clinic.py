"""The clinic: schedules, blocks, absences, closures and answers as the clinic file has them, changed here or as a whole file.

Every change becomes a whole clinic file, is read as one with all its mistakes, and is shown with what it does to booked visits
before it is saved.
"""

from __future__ import annotations

import copy
import re
from typing import Any

import yaml
from flask import Response, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import select

from bot.console.access import CARE, MANAGERS
from bot.console.shell import Console, Desk
from scheduling_core import audit
from scheduling_core.clinic_file import editing
from scheduling_core.clinic_file.mistakes import ClinicFileError
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.errors import NotFoundError
from scheduling_core.models import Patient

_SHOWN = 200  # visits that would be displaced; the rest is counted
_LONGEST_FILE = 500_000  # characters
_EMPTY_ROWS = 2
_NUMBER = re.compile(r"[0-9]{1,6}")  # as int() reads them: not "²", nor thousands of digits


def add_clinic(console: Console) -> None:
    @console.get("/clinic", may=CARE)
    def clinic_page(desk: Desk) -> str:
        versions = editing.history(desk.session)
        return render_template(
            "console/clinic.html", clinic=desk.clinic, versions=versions, base=editing.version(desk.session), days=_days
        )

    @console.get("/clinic/practitioners/<who>", may=MANAGERS)
    def practitioner_form(desk: Desk, who: str) -> str:
        part = desk.clinic.practitioners_by_id.get(who)
        if part is None:
            raise NotFoundError(f"Practitioner/{who}")
        rows = part.model_dump(mode="json", by_alias=True)
        return render_template(
            "console/clinic_practitioner.html", part=part, rows=rows, more=range(_EMPTY_ROWS), base=editing.version(desk.session)
        )

    @console.post("/clinic/practitioners/<who>", may=MANAGERS)
    def change_practitioner(desk: Desk, who: str) -> str:
        content = _content(desk.clinic)
        part = next((one for one in content["practitioners"] if one["id"] == who), None)
        if part is None:
            raise NotFoundError(f"Practitioner/{who}")
        part["schedule"] = [_kept(row, "days", "at", "time") for row in _rows("schedule")]
        part["blocks"] = [_block(row) for row in _rows("block")]
        part["absences"] = [_kept(row, "from", "to", "reason") for row in _rows("absence")]
        return _preview(desk, _written(content))

    @console.post("/clinic/closures", may=MANAGERS)
    def change_closures(desk: Desk) -> str:
        content = _content(desk.clinic)
        content["closures"] = [
            _kept(row, "date", "name") | ({"locations": row["locations"].split()} if row.get("locations") else {})
            for row in _rows("closure")
        ]
        return _preview(desk, _written(content))

    @console.post("/clinic/questions", may=MANAGERS)
    def change_questions(desk: Desk) -> str:
        content = _content(desk.clinic)
        content["questions"] = [
            {"ask": [line.strip() for line in row["ask"].splitlines() if line.strip()], "say": row.get("say", "")}
            for row in _rows("question")
        ]
        return _preview(desk, _written(content))

    @console.get("/clinic/edit", may=MANAGERS)
    def clinic_text(desk: Desk) -> str:
        return render_template(
            "console/clinic_text.html", text=editing.as_yaml(desk.clinic), base=editing.version(desk.session), mistakes=[]
        )

    @console.post("/clinic/preview", may=MANAGERS)
    def preview_clinic(desk: Desk) -> str:
        file = request.files.get("file")
        given = file.read().decode("utf-8-sig", errors="replace") if file and file.filename else request.form.get("text", "")
        return _preview(desk, given[:_LONGEST_FILE].replace("\r\n", "\n"))

    @console.post("/clinic/save", may=MANAGERS)
    def save_clinic(desk: Desk) -> str:
        text, base = request.form.get("text", "").replace("\r\n", "\n"), request.form.get("base", -1, type=int)
        try:
            changes = editing.save(desk.session, text, base=base, agent=desk.agent)
        except (ClinicFileError, editing.EditedMeanwhileError) as error:
            return _preview(desk, text, meanwhile=isinstance(error, editing.EditedMeanwhileError))
        return render_template("console/clinic_saved.html", changes=changes)

    @console.get("/clinic/file", may=CARE)
    def clinic_file(desk: Desk) -> Response:
        clinic = desk.clinic
        if number := request.args.get("version", type=int):
            found = editing.of_version(desk.session, number)
            if found is None:
                raise NotFoundError(f"ClinicVersion/{number}")
            clinic = found
        return Response(
            editing.as_yaml(clinic),
            content_type="application/yaml; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="clinic.yml"'},
        )

    console.add_to_menu(lazy_gettext("Clinic"), "clinic_page")


def _preview(desk: Desk, text: str, *, meanwhile: bool = False) -> str:
    """What this file would change and whom it would hit; or its mistakes, with the text to go on with.

    A form that was opened before somebody else saved puts the old words back: that is said.
    """
    base = editing.version(desk.session)
    meanwhile = meanwhile or request.form.get("base", base, type=int) != base
    try:
        proposal = editing.propose(desk.session, text)
    except ClinicFileError as error:
        return render_template("console/clinic_text.html", text=text, base=base, mistakes=error.mistakes)
    shown = proposal.displaced[:_SHOWN]
    names = dict(
        desk.session.execute(select(Patient.id, Patient).where(Patient.id.in_([visit.patient_id for visit in shown])))
        .tuples()
        .all()
    )
    for visit in shown:
        audit.record(
            desk.session, agent=desk.agent, action="R", entity="Appointment", entity_id=visit.id, patient_id=visit.patient_id
        )
    return render_template(
        "console/clinic_preview.html",
        text=text,
        base=base,
        proposal=proposal,
        shown=shown,
        patients=names,
        meanwhile=meanwhile,
        clinic=desk.clinic,
    )


def _content(clinic: ClinicFile) -> dict[str, Any]:
    return copy.deepcopy(yaml.safe_load(editing.as_yaml(clinic)))


def _written(content: dict[str, Any]) -> str:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)


def _rows(name: str) -> list[dict[str, str]]:
    """The rows of a form, by fields named "name-number-key"; a row in which nothing is written is left out."""
    found: dict[int, dict[str, str]] = {}
    for field, value in request.form.items():
        kind, _dash, rest = field.partition("-")
        number, _dash, key = rest.partition("-")
        if kind == name and _NUMBER.fullmatch(number) and key:
            found.setdefault(int(number), {})[key] = value.strip().replace("\r\n", "\n")
    rows = [found[number] for number in sorted(found)]
    return [row for row in rows if not row.get("drop") and any(value for key, value in row.items() if key != "at")]


def _kept(row: dict[str, str], *keys: str) -> dict[str, Any]:
    return {key: row[key] for key in keys if row.get(key)}


def _block(row: dict[str, str]) -> dict[str, Any]:
    block = _kept(row, "days", "time", "at")
    if keep_for := row.get("keep_for", ""):
        block["keep_for"] = keep_for if keep_for == "urgent" else keep_for.replace(",", " ").split()
    if hours := row.get("release_hours", ""):
        block["release_hours"] = int(hours) if _NUMBER.fullmatch(hours) else hours
    return block


def _days(days: frozenset[int]) -> str:
    """Weekdays as people read them, in their order."""
    words = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))
    return ", ".join(words[day] for day in sorted(days))
