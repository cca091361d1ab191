"""Finding and correcting a patient, and two clerks at one worklist, in a real browser."""

from __future__ import annotations

from playwright.sync_api import expect

from scheduling_core import handoff, patients
from tests.bot.conftest import House
from tests.bot.console.browser.conftest import SitDown
from tests.factories import make_patient


def test_a_patient_is_found_while_the_name_is_typed_and_opened_with_the_keyboard(at_desk: SitDown, desk_house: House) -> None:
    with desk_house.database.transaction() as session:
        make_patient(session, given="María José", family="García Márquez", phone="+14145550142")
        make_patient(session, given="Ruth", family="Novak", phone="+14145550143")
    page = at_desk("scheduler")
    page.goto("/console/patients")
    page.keyboard.type("garsia mar", delay=15)  # the field has the focus
    row = page.get_by_role("link", name="María José García Márquez")
    expect(row).to_be_visible()
    expect(page.get_by_role("link", name="Ruth Novak")).to_have_count(0)
    assert "garsia" not in page.url
    page.get_by_role("searchbox").fill("0143")
    expect(page.get_by_role("link", name="Ruth Novak")).to_be_visible()
    page.get_by_role("searchbox").fill("nobody at all")
    expect(page.get_by_text("Nobody on file fits.")).to_be_visible()
    page.get_by_role("searchbox").fill("garcia 4/19/1980")
    expect(row).to_be_visible()
    row.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="María José García Márquez")).to_be_visible()


def test_the_second_of_two_editors_sees_the_first(at_desk: SitDown, desk_house: House) -> None:
    with desk_house.database.transaction() as session:
        patient = make_patient(session)
    nora, paul = at_desk("scheduler", name="Nora"), at_desk("scheduler", name="Paul")
    for page in (nora, paul):
        page.goto(f"/console/patients/{patient.id}/edit")
    nora.get_by_label("Address", exact=True).fill("1 Elm St")
    nora.get_by_role("button", name="Save").click()
    expect(nora.get_by_text("Saved.")).to_be_visible()
    paul.get_by_label("Address", exact=True).fill("2 Oak St")
    paul.get_by_role("button", name="Save").click()
    expect(paul.get_by_text("1 Elm St")).to_be_visible()
    paul.get_by_role("button", name="Save").click()
    expect(paul.get_by_text("Saved.")).to_be_visible()
    with desk_house.database.reading() as session:
        assert patients.get(session, patient.id).address == "2 Oak St"


def test_two_clerks_race_for_one_task(at_desk: SitDown, desk_house: House) -> None:
    with desk_house.database.transaction() as session:
        task = handoff.open_task(session, team="desk", reason="call-back", description="Please call", phone="+14145550142")
    nora, paul = at_desk("scheduler", name="Nora"), at_desk("scheduler", name="Paul", width=375)
    for page in (nora, paul):
        page.goto("/console/worklists/calls")
    nora.get_by_role("button", name="Take it").click()
    expect(nora.get_by_text("It is yours.")).to_be_visible()
    paul.get_by_role("button", name="Take it").click()
    expect(paul.get_by_text("Nora Ellis has this task by now.")).to_be_visible()
    nora.get_by_label("What came of it").first.fill("reached")
    nora.get_by_role("button", name="Done").first.click()
    expect(nora.get_by_text("Done.", exact=True)).to_be_visible()
    with desk_house.database.reading() as session:
        closed = handoff.get_task(session, task.id)
        assert (closed.status, closed.owner_name, closed.outcome) == ("completed", "Nora Ellis", "reached")
