"""What holds for every page of the console: nothing in the way of anybody's senses or hands, and light enough to come at once."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page
from werkzeug.routing import Rule

from scheduling_core import booking, handoff
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from tests.bot.conftest import House
from tests.bot.console import roles
from tests.bot.console.browser.conftest import AXE, SitDown
from tests.factories import make_conversation, make_free_time, make_patient

_HEAVIEST = 300_000  # bytes, scripts and styles too, before compression
_PARTS = "[...document.querySelectorAll('script[src], link[href], img[src]')].map(part => part.src || part.href)"


def hindrances(page: Page) -> list[str]:
    """The serious and critical findings of axe-core on a page, a line each."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']})")
    return [
        f"{violation['id']}: {violation['help']}: {violation['nodes'][0]['html'][:200]}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(("width", "scheme"), [(1366, "light"), (375, "dark")])
def test_nothing_on_any_page_is_in_the_way(at_desk: SitDown, desk_house: House, clinic: ClinicFile, width: int, scheme: str):
    """Without findings of axe-core, no wider than the screen, and no more than 300 KB."""
    ids = _something_to_see(desk_house.database, clinic)
    page = at_desk("manager", width=width, color_scheme=scheme)
    page.context.new_cdp_session(page).send(
        "Network.setCacheDisabled", {"cacheDisabled": True}
    )  # each page as if it were the first
    wrong: list[str] = []
    seen: list[str] = []
    for path in _pages(desk_house, ids):
        answer = page.request.get(path)
        assert answer.status < 500, path
        if not answer.text().startswith("<!doctype html>"):
            continue  # a file, or a part that htmx fetches
        seen.append(path)
        page.goto(path)
        wrong += [f"{path}: {finding}" for finding in hindrances(page)]
        weight = len(answer.body()) + sum(len(page.request.get(part).body()) for part in page.evaluate(_PARTS))
        if weight > _HEAVIEST:
            wrong.append(f"{path}: {weight} bytes")
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wrong.append(f"{path}: wider than {width} px")
    assert wrong == []
    assert len(seen) > 10


@pytest.mark.parametrize("role", ["auditor", "billing", "clinician", "scheduler"])
def test_the_first_page_of_each_role(at_desk: SitDown, role: str):
    page = at_desk(role)
    page.goto("/console/")
    assert hindrances(page) == []


def _pages(house: House, ids: dict[str, str]) -> list[str]:
    """The path of every page, with rows of the clinic where it names some."""
    console = roles.console_of(house.app)
    rules = [rule for rule in house.app.url_map.iter_rules() if rule.endpoint in console.routes]
    shown = [rule for rule in rules if console.routes[rule.endpoint].kind in ("get", "door") and "GET" in (rule.methods or ())]
    return sorted({_path(rule, ids) for rule in shown if rule.arguments <= ids.keys()})


def _path(rule: Rule, ids: dict[str, str]) -> str:
    values: dict[str, Any] = {name: ids[name] for name in rule.arguments}
    built = rule.build(values)
    assert built is not None
    return built[1]


def _something_to_see(database: Database, clinic: ClinicFile) -> dict[str, str]:
    with database.transaction() as session:
        patient = make_patient(session)
        conversation = make_conversation(session)
        conversation.patient_id = patient.id
        handoff.take_over(session, conversation_id=conversation.id, owner_name="desk", agent="test")
        task = handoff.open_task(session, team="desk", reason="callback", description="Please call.", patient_id=patient.id)
        visit = booking.book(session, clinic, patient_id=patient.id, time=make_free_time(clinic), agent="test", key="book")
        return {
            "patient_id": patient.id,
            "conversation_id": conversation.id,
            "task_id": task.id,
            "appointment_id": visit.id,
            "visit_id": visit.id,
        }
