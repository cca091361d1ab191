"""Day and week at the desk: what the pages show, what the buttons do, and what a refusal says."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from scheduling_core import attendance, booking
from scheduling_core.models import Appointment, AuditEvent, Communication, Patient, StaffAccount
from tests.bot.console.conftest import Desks
from tests.factories import make_free_time, make_patient

HTMX = {"HX-Request": "true"}


def book(database, clinic, start="2026-11-16T10:30", *, who="ferreira", service_id="follow-up", key=None, **person):
    with database.transaction() as session:
        time = make_free_time(clinic, start=start, practitioner_id=who, service_id=service_id)
        patient = make_patient(session, **person)
        return booking.book(session, clinic, patient_id=patient.id, time=time, agent="test", key=key or f"{who} {start}").id


def visit(database, appointment_id):
    with database.reading() as session:
        return session.scalars(select(Appointment).where(Appointment.id == appointment_id)).one()


def post(client, path, **form):
    target = form.pop("target", "panel-body")
    return client.post(f"/console/day/{path}", data=form, headers=HTMX | {"HX-Target": target})


def test_the_day_shows_who_is_in_and_their_visits(desk: Desks, loaded, clinic):
    one = book(loaded, clinic, given="Ana", family="Ruiz")
    page = desk("scheduler").get("/console/day/")
    assert page.status_code == 200
    assert re.search(rf'<a class="v h2 m6 d4" href="v/{one}"><b>10:30</b> Ana Ruiz<i>Follow-up visit</i></a>', page.text)
    assert "Dr. Joana Ferreira" in page.text
    assert "Not in on this day: Dr. Ines Brandt." in page.text
    assert "style=" not in page.text


def test_a_look_at_the_day_is_recorded(sqlite_desk: Desks, sqlite_loaded):
    sqlite_desk("scheduler").get("/console/day/?at=south")
    with sqlite_loaded.reading() as session:
        noted = session.scalars(select(AuditEvent).where(AuditEvent.entity == "Schedule")).one()
        assert (noted.agent, noted.detail["practitioners"]) == ("staff:scheduler@maplegrove.example", ["tanaka"])


def test_names_and_notes_are_text_and_never_markup(sqlite_desk: Desks, sqlite_loaded, clinic):
    one = book(sqlite_loaded, clinic, given="<script>alert(1)</script>", family='"><img src=x>')
    client = sqlite_desk("scheduler")
    for path in ("", f"v/{one}", "sheet", "week?who=ferreira"):
        page = client.get(f"/console/day/{path}").text
        assert "<script>alert(1)" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;alert(1)" in page


def test_nonsense_in_the_address_shows_today(sqlite_desk: Desks):
    client = sqlite_desk("scheduler")
    for path in ("?day=never", "?day=9999-12-31&at=moon", "week?who=nobody&day=0001-01-01"):
        assert client.get(f"/console/day/{path}").status_code == 200


def test_the_initials_of_a_restricted_record_are_all_that_is_shown(sqlite_desk: Desks, sqlite_loaded, clinic):
    one = book(sqlite_loaded, clinic, given="Famous", family="Person")
    with sqlite_loaded.transaction() as session:
        session.scalars(select(Patient)).one().restricted = True
    client = sqlite_desk("scheduler")
    for path in ("", f"v/{one}", "sheet"):
        page = client.get(f"/console/day/{path}").text
        assert "F. P." in page
        assert "Famous" not in page


def test_a_patient_comes_is_taken_to_a_room_and_leaves(desk: Desks, loaded, clinic):
    one = book(loaded, clinic)
    client = desk("clinician")
    for step, status, word in (
        ("check-in", "arrived", "To a room"),
        ("room", "checked-in", "Done"),
        ("done", "fulfilled", "Not done yet"),
    ):
        answer = post(client, f"v/{one}/mark", step=step)
        assert answer.status_code == 200, answer.text
        assert answer.headers["HX-Trigger"] == "schedule-changed"
        assert word in answer.text
        assert visit(loaded, one).status == status
    assert "Taken to a room" in answer.text, "who did what is told"


def test_the_slower_of_two_clerks_is_told_who_was_faster(desk: Desks, loaded, clinic):
    one = book(loaded, clinic)
    post(desk("scheduler", name="Nora Ellis"), f"v/{one}/mark", step="check-in")
    answer = post(desk("scheduler", name="Paul Adeyemi"), f"v/{one}/mark", step="check-in")
    assert answer.status_code == 409
    assert re.search(r"Nora Ellis was faster, at 9:10.AM\. The visit is now: here", answer.text)


def test_a_visit_of_another_day_is_not_checked_in(sqlite_desk: Desks, sqlite_loaded, clinic):
    one = book(sqlite_loaded, clinic, "2026-11-17T10:30")
    answer = post(sqlite_desk("scheduler"), f"v/{one}/mark", step="check-in")
    assert answer.status_code == 409
    assert "only visits of today" in answer.text


def test_late_and_no_show(sqlite_desk: Desks, sqlite_loaded, clinic, clock):
    one = book(sqlite_loaded, clinic)
    client = sqlite_desk("scheduler")
    assert post(client, f"v/{one}/mark", step="no-show").status_code == 409
    assert "late, about" in post(client, f"v/{one}/mark", step="late", minutes="15").text
    clock.set("2026-11-16T10:52:00-06:00")
    assert "Did not come" in client.get(f"/console/day/v/{one}", headers=HTMX).text
    assert post(client, f"v/{one}/mark", step="no-show").status_code == 200
    assert "They came after all" in client.get(f"/console/day/v/{one}", headers=HTMX).text
    assert post(client, f"v/{one}/mark", step="back", was="no-show").status_code == 200
    assert visit(sqlite_loaded, one).status == "booked"


def test_cancelling_needs_a_reason_and_says_who(desk: Desks, loaded, clinic):
    one = book(loaded, clinic)
    client = desk("scheduler")
    assert post(client, f"v/{one}/cancel", key="k" * 12, by="patient", reason=" ").status_code == 422
    assert post(client, f"v/{one}/cancel", key="k" * 12, by="patient", reason="has a cold").status_code == 200
    gone = visit(loaded, one)
    assert (gone.status, gone.cancelled_reason) == ("cancelled", "has a cold")
    day = client.get("/console/day/").text
    assert f'class="v cancelled h2 m6 d4 side" href="v/{one}"' in day, "it stays in sight, and its time is free"


def test_a_visit_dropped_on_the_calendar_moves_and_can_be_moved_back(desk: Desks, loaded, clinic):
    one = book(loaded, clinic)
    client = desk("scheduler")
    form = {"who": "sorensen", "day": "2026-11-16", "at": "11:00", "seq": "0", "key": "k" * 12, "target": "said"}
    moved = post(client, f"v/{one}/move", **form)
    assert moved.status_code == 200, moved.text
    assert "Lars Sorensen, NP" in moved.text
    assert visit(loaded, one).practitioner_id == "sorensen"
    back = dict(re.findall(r'name="(\w+)" value="([^"]*)"', moved.text))
    assert post(client, f"v/{one}/move", target="said", **back).status_code == 200
    assert visit(loaded, one).practitioner_id == "ferreira"


def test_a_refused_move_says_every_reason(sqlite_desk: Desks, sqlite_loaded, clinic):
    one = book(sqlite_loaded, clinic)
    book(sqlite_loaded, clinic, "2026-11-16T11:00")
    client = sqlite_desk("scheduler")
    form = {"who": "ferreira", "day": "2026-11-16", "at": "10:55", "seq": "0", "key": "k" * 12}
    for target, status in (("said", 409), ("panel-body", 422)):
        answer = post(client, f"v/{one}/move", target=target, **form)
        assert answer.status_code == status
        assert "Dr. Joana Ferreira has a visit from 11:00 AM to 11:20 AM" in answer.text
    stale = post(client, f"v/{one}/move", target="said", **(form | {"at": "13:00", "seq": "7"}))
    assert "A colleague has moved this visit meanwhile" in stale.text
    assert visit(sqlite_loaded, one).sequence == 0


def test_the_times_of_a_move_are_the_free_ones_or_the_reasons_why_there_are_none(sqlite_desk: Desks, sqlite_loaded, clinic):
    one = book(sqlite_loaded, clinic)
    client = sqlite_desk("scheduler")
    assert 'data-at="13:00"' in client.get(f"/console/day/v/{one}/times?who=ferreira&day=2026-11-16").text
    assert "does not work on Fridays" in client.get(f"/console/day/v/{one}/times?who=ferreira&day=2026-11-20").text


@pytest.mark.parametrize("far", ["9999-12-31", "0001-01-01", "2126-11-16"])
def test_a_day_that_no_calendar_is_drawn_of_is_no_day_to_book_or_move_to(sqlite_desk: Desks, sqlite_loaded, clinic, far):
    one = book(sqlite_loaded, clinic)
    client = sqlite_desk("scheduler")
    form = {"who": "ferreira", "day": far, "at": "23:30", "key": "k" * 12}
    assert client.get(f"/console/day/book?who=ferreira&day={far}").status_code == 200
    assert post(client, "why", **form, service="follow-up").status_code == 200
    assert post(client, "book", **form, service="follow-up", patient=visit(sqlite_loaded, one).patient_id).status_code == 400
    assert post(client, f"v/{one}/move", **form, seq="0").status_code == 400
    assert client.get(f"/console/day/v/{one}/times?who=ferreira&day={far}").status_code == 400


def test_the_rules_say_whether_a_time_can_be_had_before_it_is_booked(sqlite_desk: Desks, sqlite_loaded, clinic):
    book(sqlite_loaded, clinic)
    client = sqlite_desk("scheduler")
    ask = {"service": "follow-up", "who": "ferreira", "day": "2026-11-16"}
    assert "Choose a service" in post(client, "why", service="", who="", day="", at="").text
    good = post(client, "why", **ask, at="13:00").text
    assert "This time can be booked." in good
    assert "Choose the patient first." in good
    taken = post(client, "why", **ask, at="10:30").text
    assert "This time is not offered." in taken
    assert "has a visit from 10:30 AM to 10:50 AM (Follow-up visit)" in taken
    assert "Overbook all the same" in taken
    assert 'data-at="10:10"' in taken, "the free times of the day stand beside it"
    assert "Overbook" not in post(client, "why", **ask, at="12:30").text


def test_what_is_typed_of_a_patient_stays_out_of_addresses(sqlite_desk: Desks, sqlite_loaded):
    with sqlite_loaded.transaction() as session:
        make_patient(session, given="Ana")
    client = sqlite_desk("scheduler")
    assert "Ana Novak" in post(client, "people", q="novak ana").text
    for path in ("people?q=novak", "why?note=wheelchair"):
        assert client.get(f"/console/day/{path}").status_code == 405


def test_booking_and_overbooking(desk: Desks, loaded, clinic):
    with loaded.transaction() as session:
        ana, ben = make_patient(session, given="Ana").id, make_patient(session, given="Ben").id
    client = desk("scheduler")
    form = {"service": "follow-up", "who": "ferreira", "day": "2026-11-16", "at": "13:00", "key": "k" * 12}
    done = post(client, "book", **form, patient=ana, note="wheelchair")
    assert done.status_code == 200, done.text
    assert "Booked." in done.text
    again = post(client, "book", **form, patient=ana, note="wheelchair")
    assert again.status_code == 200, "sent twice it is booked once"
    form["key"] = "l" * 12
    refused = post(client, "book", **form, patient=ben)
    assert (refused.status_code, refused.headers["HX-Retarget"]) == (409, "#verdict")
    assert "This time is not offered." in refused.text
    form["key"] = "m" * 12
    assert post(client, "book", **form, patient=ben, overbook="1", reason="").status_code == 422
    over = post(client, "book", **form, patient=ben, overbook="1", reason="pain since Sunday")
    assert over.status_code == 200, over.text
    assert "overbooked" in over.text
    assert "Overbooked: pain since Sunday" in over.text
    with loaded.reading() as session:
        assert sorted(session.scalars(select(Appointment.lane))) == [0, 1]


def test_only_the_desk_books_moves_and_cancels(sqlite_desk: Desks, sqlite_loaded, clinic):
    one = book(sqlite_loaded, clinic)
    client = sqlite_desk("clinician")
    assert "Book a visit" not in client.get("/console/day/").text
    panel = client.get(f"/console/day/v/{one}", headers=HTMX).text
    assert "Check in" in panel
    assert "Cancel the visit" not in panel
    for path in (f"v/{one}/cancel", f"v/{one}/move", "book", "late"):
        assert post(client, path, key="k" * 12, reason="x").status_code == 403
    assert post(sqlite_desk("billing"), f"v/{one}/mark", step="check-in").status_code == 403
    assert sqlite_desk("auditor").get("/console/day/").status_code == 403


def test_a_page_is_told_of_the_columns_that_changed_and_of_no_other(desk: Desks, loaded, clinic):
    one = book(loaded, clinic)
    client = desk("scheduler")
    page = client.get("/console/day/").text

    def ask(text):
        had = ",".join(f"{name}:{mark}" for name, mark in re.findall(r'id="c-([^"]+)"[^>]* data-mark="([^"]+)"', text))
        frame = re.search(r'data-frame="([^"]+)"', page)[1]
        return client.get("/console/day/changes", query_string={"have": had, "frame": frame}, headers=HTMX)

    assert ask(page).status_code == 204
    with loaded.transaction() as session:
        attendance.check_in(session, clinic, appointment_id=one, agent="staff:nora")
    answer = ask(page)
    assert answer.status_code == 200
    assert re.findall(r'<section class="col" id="c-(\w+)-\d+"', answer.text) == ["ferreira"]
    assert 'hx-swap-oob="true"' in answer.text
    assert "<em>here 9:10</em>" in answer.text
    assert ask(page.replace("ferreira-2026", "somebody-2026")).headers["HX-Trigger"] == "schedule-outgrown"


def test_asking_for_changes_is_no_sign_of_life(sqlite_desk: Desks, sqlite_loaded):
    client = sqlite_desk("scheduler")
    with sqlite_loaded.reading() as session:
        before = session.scalars(select(AuditEvent.sequence)).all()
    client.get("/console/day/changes?have=&frame=")
    with sqlite_loaded.reading() as session:
        assert session.scalars(select(AuditEvent.sequence)).all() == before


def test_who_waits_for_somebody_who_runs_late_is_shown_and_told(sqlite_desk: Desks, sqlite_loaded, clinic, clock):
    book(sqlite_loaded, clinic)
    clock.set("2026-11-16T10:25:00-06:00")
    client = sqlite_desk("scheduler")
    assert "Whom does it affect?" in client.get("/console/day/late?who=ferreira", headers=HTMX).text
    asked = client.get("/console/day/late?who=ferreira&minutes=25", headers=HTMX).text
    assert "Write to 1 patient" in asked
    assert "about 20 minutes late" in asked or "about 25 minutes late" in asked
    told = post(client, "late", who="ferreira", minutes="25")
    assert "1 patient was written to." in told.text
    with sqlite_loaded.reading() as session:
        assert session.scalars(select(Communication.kind)).all() == ["running-late"]
    assert client.get("/console/day/late?who=ferreira&minutes=many").status_code == 400


def test_room_load_and_day_sheet(sqlite_desk: Desks, sqlite_loaded, clinic):
    book(sqlite_loaded, clinic, given="Ana", family="Ruiz")
    client = sqlite_desk("scheduler")
    load = client.get("/console/day/load", headers=HTMX).text
    assert "Waiting (people)" in load
    assert "0 of 1" in load
    assert "Find a move" in load
    assert client.get("/console/day/load?better=1", headers=HTMX).status_code == 200
    sheet = client.get("/console/day/sheet").text
    assert "Ana Ruiz" in sheet
    assert "Apr 19, 1980" in sheet


def test_a_week_shows_one_person(sqlite_desk: Desks, sqlite_loaded, clinic):
    book(sqlite_loaded, clinic, "2026-11-18T13:20", who="brandt")
    page = sqlite_desk("scheduler").get("/console/day/week?who=brandt").text
    assert re.findall(r'data-who="(\w+)" data-day="([\d-]+)"', page) == [("brandt", f"2026-11-{day}") for day in range(16, 21)]


def test_the_day_speaks_spanish(sqlite_desk: Desks, sqlite_loaded):
    client = sqlite_desk("scheduler")
    with sqlite_loaded.transaction() as session:
        for account in session.scalars(select(StaffAccount)):
            account.language = "es"
    page = client.get("/console/day/").text
    assert 'lang="es"' in page
    assert "13:00–17:00" in page, "and counts to 24"


@pytest.mark.parametrize("form", [{}, {"step": "dance"}, {"step": "back", "was": "booked"}])
def test_a_button_that_there_is_not_does_nothing(sqlite_desk: Desks, sqlite_loaded, clinic, form):
    one = book(sqlite_loaded, clinic)
    assert post(sqlite_desk("scheduler"), f"v/{one}/mark", **form).status_code == 400


def test_there_is_no_visit_of_that_id(sqlite_desk: Desks):
    assert sqlite_desk("scheduler").get("/console/day/v/nothing").status_code == 404
    assert post(sqlite_desk("scheduler"), "v/nothing/mark", step="check-in").status_code == 404


def test_without_a_practitioner_the_free_times_of_everybody_are_offered(sqlite_desk: Desks):
    answer = post(sqlite_desk("scheduler"), "why", service="follow-up", who="", day="2026-11-16", at="").text
    assert re.search(r'data-at="13:00" data-who="ferreira">1:00.PM · Dr\. Joana Ferreira<', answer)
    assert 'data-who="sorensen"' in answer
