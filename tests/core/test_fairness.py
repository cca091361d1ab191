"""Whether the waitlist serves all alike."""

from __future__ import annotations

import datetime as dt

import pytest

from scheduling_core import fairness, messaging, patients, times
from tests.core.test_waitlist import Line, make_line


@pytest.fixture
def line(database, clock) -> Line:
    clock.set("2026-11-30T09:10:00-06:00")
    return make_line(database)


def report(line: Line) -> dict[tuple[str, str], fairness.Line]:
    with line.database.reading() as session:
        until = times.now() + dt.timedelta(seconds=1)
        found = fairness.report(session, line.clinic, since=until - dt.timedelta(days=30), until=until)
    return {(one.by, one.group): one for one in found}


def person(line: Line, place, **facts) -> None:
    with line.database.transaction() as session:
        patient = patients.get(session, place.patient_id)
        for name, value in facts.items():
            setattr(patient, name, value)


def test_offers_are_counted_by_age_language_channel_and_wait(line, clock):
    old, young, out = line.wait("Old"), line.wait("Young"), line.wait("Out", phone="+14145550142")
    person(line, old, birth_date=dt.date(1950, 1, 1), language="es")
    person(line, young, birth_date=dt.date(2015, 1, 1), language="en")
    person(line, out, language="en")
    with line.database.transaction() as session:
        messaging.record_opt_out(session, "+14145550142", out=True, source="keyword")
    clock.set("2026-11-30T11:10:00-06:00")
    line.cancel(line.visits[0])
    [first] = line.sent()
    places = {place.id: place for place in (old, young)}
    line.pass_on(places.pop(first))
    [second] = line.sent()
    line.accept(places[second])
    found = report(line)
    assert {key: (one.places, one.asked, one.offers) for key, one in found.items()} == {
        ("age", "0-17"): (1, 1, 1),
        ("age", "40-64"): (1, 0, 0),
        ("age", "65+"): (1, 1, 1),
        ("language", "en"): (2, 1, 1),
        ("language", "es"): (1, 1, 1),
        ("channel", "texts"): (2, 2, 2),
        ("channel", "wants no texts"): (1, 0, 0),
        ("wait", "1: a week or less"): (3, 2, 2),
    }
    texts = found["channel", "texts"]
    assert (texts.accepted, texts.passed, texts.lapsed, texts.hours_to_offer) == (1, 1, 0, 2.0)
    assert found["channel", "wants no texts"].hours_to_offer is None


def test_who_left_before_and_offers_of_before_are_not_counted(line, clock):
    place = line.wait()
    line.cancel(line.visits[0])
    line.sent()
    line.leave(place)
    clock.set("2027-01-20T09:10:00-06:00")
    assert report(line) == {}


def test_an_empty_waitlist_has_nothing_to_tell(line):
    assert report(line) == {}
