"""The calendar under people's hands, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect
from sqlalchemy import select

from scheduling_core import attendance, booking, overbooking
from scheduling_core.calendar.requests import Request
from scheduling_core.models import Appointment, AuditEvent
from tests.bot.conftest import House
from tests.bot.console.browser.conftest import SitDown
from tests.bot.console.browser.test_every_page import hindrances
from tests.factories import make_free_time, make_patient


def book(house: House, clinic, start: str = "2026-11-16T10:30", *, who: str = "ferreira", **person) -> str:
    with house.database.transaction() as session:
        time = make_free_time(clinic, start=start, practitioner_id=who)
        patient = make_patient(session, **person)
        return booking.book(session, clinic, patient_id=patient.id, time=time, agent="test", key=f"{who} {start}").id


def kept(house: House, appointment_id: str, clinic) -> tuple[str, str, str]:
    """Status, practitioner and start on the wall."""
    with house.database.reading() as session:
        one = session.scalars(select(Appointment).where(Appointment.id == appointment_id)).one()
        assert one.start
        return one.status, one.practitioner_id or "", f"{one.start.astimezone(clinic.zone):%H:%M}"


def visit(page: Page, appointment_id: str) -> Locator:
    return page.locator(f'.v[href="v/{appointment_id}"]')


def column(page: Page, who: str) -> Locator:
    return page.locator(f'.col[data-who="{who}"]')


def box(thing: Locator) -> FloatRect:
    found = thing.bounding_box()
    assert found, "it is not to be seen"
    return found


def test_a_visit_is_booked_where_the_calendar_was_pressed(at_desk: SitDown, desk_house: House, clinic):
    with desk_house.database.transaction() as session:
        make_patient(session, given="Ana", family="Ruiz")
    page = at_desk("scheduler")
    page.goto("/console/day/")
    column(page, "ferreira").locator(".g").first.click(position={"x": 40, "y": 12 * 4 + 3})
    expect(page.get_by_label("Time", exact=True)).to_have_value("09:30")
    page.get_by_label("Name, birth date, phone or member id").fill("ana ru")
    page.get_by_role("radio", name="Ana Ruiz").check()
    page.get_by_label("Service").select_option("follow-up")
    expect(page.get_by_text("This time is not offered.")).to_be_visible()
    expect(page.get_by_text("booked 60 minutes ahead at least")).to_be_visible()
    page.get_by_role("button", name="10:15 AM").click()
    expect(page.get_by_text("This time can be booked.")).to_be_visible()
    page.get_by_role("button", name="Book", exact=True).click()
    expect(page.get_by_text("Booked.", exact=True)).to_be_visible()
    expect(column(page, "ferreira").locator(".v")).to_contain_text("10:15 Ana Ruiz")


def test_a_visit_is_dragged_to_a_colleague_and_moved_back(at_desk: SitDown, desk_house: House, clinic):
    one = book(desk_house, clinic)
    page = at_desk("scheduler")
    page.goto("/console/day/")
    start, lane = box(visit(page, one)), box(column(page, "sorensen").locator(".lane"))
    page.mouse.move(start["x"] + 30, start["y"] + 6)
    page.mouse.down()
    page.mouse.move(lane["x"] + 60, start["y"] + 20, steps=4)
    page.mouse.move(lane["x"] + 60, start["y"] + 6 + 12 * 6, steps=4)  # six rows further down
    expect(page.locator(".ghost")).to_contain_text("11:00")
    page.mouse.up()
    expect(page.get_by_text("is now on")).to_contain_text("with Lars Sorensen, NP")
    assert kept(desk_house, one, clinic) == ("booked", "sorensen", "11:00")
    expect(column(page, "sorensen").locator(f'.v[href="v/{one}"]')).to_be_visible()
    expect(column(page, "ferreira").locator(".v")).to_have_count(0)
    page.get_by_role("button", name="Move it back").click()
    expect(column(page, "ferreira").locator(f'.v[href="v/{one}"]')).to_be_visible()
    assert kept(desk_house, one, clinic) == ("booked", "ferreira", "10:30")


def test_a_visit_dropped_on_another_stays_and_the_reason_is_said(at_desk: SitDown, desk_house: House, clinic):
    one, other = book(desk_house, clinic), book(desk_house, clinic, "2026-11-16T11:30")
    page = at_desk("scheduler")
    page.goto("/console/day/")
    a, b = box(visit(page, one)), box(visit(page, other))
    page.mouse.move(a["x"] + 30, a["y"] + 6)
    page.mouse.down()
    page.mouse.move(b["x"] + 30, b["y"] + 6, steps=6)
    page.mouse.up()
    expect(page.locator("#said")).to_contain_text("Dr. Joana Ferreira has a visit from 11:30 AM to 11:50 AM (Follow-up visit).")
    assert kept(desk_house, one, clinic)[2] == "10:30"


def test_a_visit_is_moved_by_keys_alone(at_desk: SitDown, desk_house: House, clinic):
    one = book(desk_house, clinic, who="sorensen")
    page = at_desk("scheduler")
    page.goto("/console/day/")
    visit(page, one).focus()
    page.keyboard.press("m")
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(page.locator(".ghost")).to_contain_text("10:40")
    page.keyboard.press("Enter")
    expect(page.get_by_text("is now on")).to_be_visible()
    assert kept(desk_house, one, clinic) == ("booked", "sorensen", "10:40")
    expect(visit(page, one)).to_contain_text("10:40")  # drawn anew where it is now
    expect(visit(page, one)).to_be_focused()
    page.keyboard.press("m")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_contain_text("Not moved.")
    expect(page.locator("#said")).to_contain_text("given by")
    page.keyboard.press("m")
    page.keyboard.press("Escape")
    expect(page.locator(".ghost")).to_have_count(0)


def test_arrow_keys_walk_and_letters_mark(at_desk: SitDown, desk_house: House, clinic):
    one, two = book(desk_house, clinic), book(desk_house, clinic, "2026-11-16T10:50")
    page = at_desk("scheduler")
    page.goto("/console/day/")
    visit(page, one).focus()
    page.keyboard.press("ArrowDown")
    expect(visit(page, two)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("c")
    expect(visit(page, one)).to_contain_text("here 9:10")
    assert kept(desk_house, one, clinic)[0] == "arrived"
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    expect(visit(page, one)).to_be_focused()


def test_a_patient_is_checked_in_and_the_visit_cancelled_from_its_panel(at_desk: SitDown, desk_house: House, clinic):
    one, two = book(desk_house, clinic, given="Ana"), book(desk_house, clinic, "2026-11-16T13:00", given="Ben")
    page = at_desk("scheduler")
    page.goto("/console/day/")
    visit(page, one).click()
    page.get_by_role("button", name="Check in").click()
    expect(page.locator("#panel .badge").first).to_contain_text("here 9:10")
    expect(visit(page, one)).to_have_class(r"v arrived h2 m6 d4")
    visit(page, two).click()
    expect(page.locator("#panel h2")).to_contain_text("Ben")
    page.locator("#panel summary", has_text="Cancel").click()
    page.get_by_label("Why?").fill("has a cold")
    page.get_by_role("button", name="Cancel the visit").click()
    expect(page.locator("#panel .trail")).to_contain_text("Cancelled")
    assert kept(desk_house, two, clinic)[0] == "cancelled"


def test_what_a_colleague_does_appears_by_itself(at_desk: SitDown, desk_house: House, clinic):
    one = book(desk_house, clinic)
    page = at_desk("scheduler")
    page.goto("/console/day/")
    with desk_house.database.transaction() as session:
        attendance.check_in(session, clinic, appointment_id=one, agent="staff:paul@maplegrove.example")
    page.evaluate("htmx.trigger(document.body, 'schedule-changed')")  # as every 15 seconds
    expect(visit(page, one)).to_contain_text("here")


def test_resting_on_a_visit_tells_who_did_what(at_desk: SitDown, desk_house: House, clinic):
    one = book(desk_house, clinic)
    page = at_desk("scheduler")
    page.goto("/console/day/")
    page.wait_for_timeout(200)
    visit(page, one).hover()
    visit(page, one).hover(position={"x": 12, "y": 5})
    expect(page.get_by_role("tooltip")).to_contain_text("Booked for")
    with desk_house.database.reading() as session:
        seen = session.scalars(select(AuditEvent).where(AuditEvent.entity_id == one, AuditEvent.action == "R")).all()
        assert seen, "and leaves a trace"


def test_a_form_is_not_lost_when_the_day_outgrows_the_page(at_desk: SitDown, desk_house: House, clinic):
    page = at_desk("scheduler")
    page.goto("/console/day/")
    page.get_by_role("link", name="Book a visit").click()
    page.get_by_label("Note for the visit").fill("wheelchair")
    page.evaluate("document.getElementById('live').dataset.frame = '0-12'")  # as if somebody began earlier now
    with page.expect_response("**/console/day/changes**"):
        page.evaluate("htmx.trigger(document.body, 'schedule-changed')")
    page.wait_for_timeout(200)
    expect(page.get_by_label("Note for the visit")).to_have_value("wheelchair")
    with page.expect_navigation():
        page.keyboard.press("Escape")


def every_state(house: House, clinic, clock) -> str:
    """A day with a visit of each kind; the id of one that is here."""
    agent = "staff:nora@maplegrove.example"
    clock.set("2026-11-16T06:30:00-06:00")
    ids = [
        book(house, clinic, f"2026-11-16T{at}") for at in ("08:00", "08:20", "08:40", "09:00", "09:20", "10:00", "10:20", "13:00")
    ]
    clock.set("2026-11-16T09:10:00-06:00")
    with house.database.transaction() as session:
        mark = {"clinic": clinic, "agent": agent}
        attendance.take_to_room(session, appointment_id=ids[0], **mark)
        attendance.finish(session, appointment_id=ids[0], **mark)
        attendance.mark_no_show(session, appointment_id=ids[1], **mark)
        attendance.take_to_room(session, appointment_id=ids[2], **mark)
        attendance.check_in(session, appointment_id=ids[4], **mark)
        attendance.expect_late(session, appointment_id=ids[5], minutes=15, **mark)
        booking.confirm(session, appointment_id=ids[6], agent=agent, key="confirm")
        booking.hold(session, clinic, time=make_free_time(clinic, start="2026-11-16T14:00"), held_for="talk", agent=agent)
        request = Request("follow-up", practitioners=("ferreira",), patient_id=make_patient(session).id)
        start = make_free_time(clinic, start="2026-11-16T10:20").start
        overbooking.overbook(session, clinic, request=request, start=start, reason="pain", agent=agent, key="over")
        booking.cancel(session, clinic, appointment_id=ids[7], agent=agent, key="cancel", reason="has a cold")
    return ids[4]


@pytest.mark.parametrize("width", [375, 1366])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_hinders_anybody(at_desk: SitDown, desk_house: House, clinic, clock, width: int, scheme: str):
    one = every_state(desk_house, clinic, clock)
    page = at_desk("scheduler", width=width, color_scheme=scheme)
    page.goto("/console/day/")
    states = page.locator(".v").evaluate_all("all => all.map((one) => one.className.split(' ')[1])")
    assert {"done", "no-show", "in-room", "overdue", "arrived", "late", "confirmed", "hold", "cancelled"} <= set(states)
    assert hindrances(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "nothing sticks out"
    visit(page, one).click()
    expect(page.locator("#panel h2")).to_be_visible()
    assert hindrances(page) == []
    page.goto("/console/day/week?who=ferreira")
    assert hindrances(page) == []
    page.goto("/console/day/book?who=ferreira")
    assert hindrances(page) == []
    page.goto("/console/day/sheet")
    assert hindrances(page) == []


def test_a_narrow_screen_shows_one_practitioner_at_a_time(at_desk: SitDown, desk_house: House, clinic):
    page = at_desk("scheduler", width=375)
    page.goto("/console/day/")
    frame, second = box(page.locator("#frame")), column(page, "tanaka")
    assert box(second)["x"] + 2 >= frame["x"] + frame["width"]
    page.get_by_role("button", name="The practitioner after").click()
    page.wait_for_timeout(300)
    assert 0 < box(second)["x"] < 80
    expect(page.locator("#jump-to")).to_have_value("c-tanaka-20261116")
