"""The page of the clinic: a change is shown with what it does before it is saved."""

from __future__ import annotations

import io
import re
from html import unescape

from scheduling_core import booking
from scheduling_core.clinic_file import editing, loading
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from tests.bot.console.conftest import Desks
from tests.factories import make_free_time, make_patient


def fields(page: str) -> dict[str, str]:
    """What a browser would send of the form that saves."""
    text = re.search(r'<textarea[^>]*name="text"[^>]*>\n?(.*?)</textarea>', page, re.S)
    base = re.search(r'name="base" value="(\d+)"', page)
    assert text
    assert base
    return {"text": unescape(text[1]), "base": base[1]}


def test_a_vacation_is_entered_looked_at_and_saved(sqlite_loaded: Database, sqlite_desk: Desks, clinic: ClinicFile) -> None:
    with sqlite_loaded.transaction() as session:
        who = make_patient(session, given="Ruth", family="Novak")
        booking.book(session, clinic, patient_id=who.id, time=make_free_time(clinic), agent="t", key="k")
    desk = sqlite_desk("manager")
    part = clinic.practitioners_by_id["ferreira"].model_dump(mode="json", by_alias=True)
    form = {f"schedule-{n}-{key}": row[key] for n, row in enumerate(part["schedule"], 1) for key in ("days", "at", "time")}
    form |= {"absence-1-from": "2026-11-17", "absence-1-to": "2026-11-18", "absence-1-reason": "=vacation <b>"}
    shown = desk.post("/console/clinic/practitioners/ferreira", data=form).text
    assert "absences changed" in shown
    assert "Ruth Novak" in shown
    with sqlite_loaded.reading() as session:
        assert loading.current(session).practitioners_by_id["ferreira"].absences == [], "only looked at so far"
    saved = desk.post("/console/clinic/save", data=fields(shown))
    assert "task" in saved.text
    with sqlite_loaded.reading() as session:
        assert loading.current(session).practitioners_by_id["ferreira"].absences[0].reason == "=vacation <b>"
    assert "=vacation &lt;b&gt;" in desk.get("/console/clinic").text


def test_whom_a_change_hits_is_named_by_initials_where_the_record_is_restricted(
    sqlite_loaded: Database, sqlite_desk: Desks, clinic: ClinicFile
) -> None:
    with sqlite_loaded.transaction() as session:
        who = make_patient(session, given="Ruth", family="Novak")
        who.restricted = True
        booking.book(session, clinic, patient_id=who.id, time=make_free_time(clinic), agent="t", key="k")
    absence = {"absence-1-from": "2026-11-17", "absence-1-to": "2026-11-18"}
    shown = sqlite_desk("manager").post("/console/clinic/practitioners/ferreira", data=absence).text
    assert "R. N." in shown
    assert "Novak" not in shown


def test_digits_that_are_no_numbers_break_no_form(sqlite_desk: Desks) -> None:
    form = {"schedule-²-days": "Mon", "schedule-1-days": "Mon", "schedule-1-at": "north", "schedule-1-time": "09:00-12:00"}
    for hours in ("²", "4" * 5000):
        page = sqlite_desk("manager").post(
            "/console/clinic/practitioners/ferreira", data=form | {"schedule-1-release_hours": hours}
        )
        assert page.status_code == 200


def test_two_who_edit_at_once_do_not_overwrite_each_other(sqlite_loaded: Database, sqlite_desk: Desks) -> None:
    one, other = sqlite_desk("manager"), sqlite_desk("manager", name="Second")
    closures = {"closure-1-date": "2027-01-04", "closure-1-name": "Stocktaking"}
    first = fields(one.post("/console/clinic/closures", data=closures).text)
    second = fields(other.post("/console/clinic/closures", data=closures | {"closure-1-name": "Painting"}).text)
    assert "Saved" in one.post("/console/clinic/save", data=first).text
    again = other.post("/console/clinic/save", data=second).text
    assert "Somebody else changed the clinic" in again
    assert "Painting" in fields(again)["text"]
    assert "Saved" in other.post("/console/clinic/save", data=fields(again)).text


def test_a_mistake_is_told_by_line_and_the_text_kept(sqlite_desk: Desks) -> None:
    page = sqlite_desk("manager").post("/console/clinic/preview", data={"text": "clinic:\n  nam: Maple\n"}).text
    assert "Line 2" in page
    assert "nam: Maple" in page


def test_a_file_from_the_computer_is_looked_at_as_a_whole(sqlite_loaded: Database, sqlite_desk: Desks, clinic: ClinicFile) -> None:
    text = editing.as_yaml(clinic.model_copy(update={"questions": []}))
    page = sqlite_desk("manager").post(
        "/console/clinic/preview", data={"file": (io.BytesIO(text.encode()), "clinic.yml")}, content_type="multipart/form-data"
    )
    assert "questions changed." in page.text


def test_the_exported_file_is_the_clinic(sqlite_desk: Desks, clinic: ClinicFile) -> None:
    answer = sqlite_desk("scheduler").get("/console/clinic/file")
    assert answer.text == editing.as_yaml(clinic)


def test_who_is_no_manager_sees_the_clinic_and_changes_nothing(sqlite_desk: Desks) -> None:
    desk = sqlite_desk("scheduler")
    page = desk.get("/console/clinic")
    assert page.status_code == 200
    assert "See what this changes" not in page.text
    assert desk.post("/console/clinic/closures", data={}).status_code == 403
    assert desk.get("/console/clinic/practitioners/ferreira").status_code == 403


def test_a_form_that_was_opened_before_a_colleague_saved_says_so(sqlite_desk: Desks) -> None:
    desk = sqlite_desk("manager")
    base = re.search(r'name="base" value="(\d+)"', desk.get("/console/clinic").text)
    assert base
    closures = {"closure-1-date": "2027-01-04", "closure-1-name": "Stocktaking"}
    desk.post("/console/clinic/save", data=fields(desk.post("/console/clinic/closures", data=closures).text))
    page = desk.post("/console/clinic/questions", data={"base": base[1]}).text
    assert "Somebody else changed the clinic" in page
