"""Resources that somebody sent: whatever stands in them, they are read or refused with the place that is wrong."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.fhir import reading
from scheduling_core.fhir.coverage import read_coverage, read_service_request
from scheduling_core.fhir.directory import Directory
from scheduling_core.fhir.operations import PARAMETERS
from scheduling_core.fhir.parameters import read_parameters
from scheduling_core.fhir.people import read_patient
from scheduling_core.fhir.query import read_query
from scheduling_core.fhir.reading import MalformedError
from scheduling_core.fhir.scheduling import read_appointment
from scheduling_core.models import Mode, Sex

CHICAGO = ZoneInfo("America/Chicago")
JUNK: list[Any] = [
    None,
    True,
    7,
    -1.5,
    "",
    "x",
    "\x00",
    "\ud800",
    "x" * 10_000,
    [],
    [[]],
    [7],
    [None],
    {},
    {"x": 1},
    [{}],
    [{"x": []}],
]

PATIENT = {
    "resourceType": "Patient",
    "name": [{"use": "official", "family": "Novak", "given": ["Ruth", "Ann"], "text": "Ruth Ann Novak"}],
    "birthDate": "1980-04-19",
    "gender": "female",
    "telecom": [
        {"system": "phone", "value": "414-555-0142", "use": "mobile", "rank": 1},
        {"system": "email", "value": "r@example.org"},
    ],
    "address": [{"use": "home", "line": ["1 Elm St"], "city": "Milwaukee", "state": "WI", "postalCode": "53202"}],
    "communication": [
        {"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "es"}], "text": "Spanish"}, "preferred": True}
    ],
}
COVERAGE = {
    "resourceType": "Coverage",
    "status": "active",
    "beneficiary": {"reference": "Patient/a"},
    "subscriberId": "ABC123",
    "identifier": [{"value": "ABC123"}],
    "payor": [{"identifier": {"value": "70001"}, "reference": "Organization/greatlakes", "display": "Great Lakes Mutual"}],
}
ORDER = {
    "resourceType": "ServiceRequest",
    "status": "active",
    "intent": "order",
    "subject": {"reference": "Patient/a"},
    "code": {"coding": [{"code": "blood-draw", "display": "Lab blood draw"}], "text": "Lab blood draw"},
    "note": [{"text": "fasting"}],
}
APPOINTMENT = {
    "resourceType": "Appointment",
    "id": "a",
    "status": "proposed",
    "serviceType": [
        {"coding": [{"system": "urn:frontdesk:service", "code": "follow-up", "display": "Follow-up visit"}], "text": "x"}
    ],
    "appointmentType": {"coding": [{"code": "video"}], "text": "Video visit"},
    "start": "2026-11-17T09:00:00-06:00",
    "comment": "first floor",
    "participant": [
        {"actor": {"reference": "Patient/a"}, "status": "accepted"},
        {"actor": {"reference": "Practitioner/ferreira"}, "status": "accepted"},
        {"actor": {"reference": "Location/north-minor"}, "status": "accepted"},
        {"actor": {"reference": "Location/north"}, "status": "accepted"},
    ],
}
FIND = {
    "resourceType": "Parameters",
    "parameter": [
        {"name": "start", "valueDateTime": "2026-11-17T09:00:00-06:00"},
        {"name": "_count", "valueInteger": 3},
        {"name": "visit-type", "valueCoding": {"code": "follow-up"}},
        {"name": "visit-type", "valueCodeableConcept": {"text": "Follow-up visit"}},
        {"name": "practitioner", "valueReference": {"identifier": {"value": "ferreira"}}},
        {"name": "patient-reference", "valueReference": {"reference": "Patient/a"}},
        {"name": "patient-resource", "resource": {"resourceType": "Patient"}},
    ],
}


def _spoilt(whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The resource with each of its elements, however deep, in turn replaced by each kind of junk."""
    for path in list(_paths(whole, ())):
        for junk in JUNK:
            made = copy.deepcopy(whole)
            there: Any = made
            for step in path[:-1]:
                there = there[step]
            there[path[-1]] = junk
            yield made


def _paths(value: Any, so_far: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, child in inner:
        yield (*so_far, step)
        yield from _paths(child, (*so_far, step))


@pytest.mark.parametrize("kind", ["Patient", "Coverage", "ServiceRequest", "Appointment", "Parameters"])
def test_junk_anywhere_in_a_resource_is_read_around_or_refused(clinic: ClinicFile, kind: str) -> None:
    known = Directory(clinic, "clinic")
    read: dict[str, tuple[dict[str, Any], Callable[[dict[str, Any]], object]]] = {
        "Patient": (PATIENT, lambda found: read_patient(found, region="US")),
        "Coverage": (COVERAGE, lambda found: read_coverage(found, clinic)),
        "ServiceRequest": (ORDER, lambda found: read_service_request(found, known)),
        "Appointment": (APPOINTMENT, lambda found: read_appointment(found, known)),
        "Parameters": (FIND, lambda found: read_parameters(found, PARAMETERS["find"]).words),
    }
    whole, reader = read[kind]
    reader(whole)
    places = set()
    for made in _spoilt(whole):
        try:
            values = reader(made)
        except MalformedError as error:
            places.add(error.where)
        else:
            assert "\\x00" not in repr(values)
            assert "\\ud800" not in repr(values)
    assert len(places) > 5
    assert all(places)


def test_a_patient_is_read_in_the_words_of_the_core() -> None:
    values = read_patient(PATIENT, region="US")
    assert (values.given, values.family, values.birth_date, values.sex) == ("Ruth Ann", "Novak", dt.date(1980, 4, 19), Sex.FEMALE)
    assert (values.phones, values.email, values.language) == (("+14145550142",), "r@example.org", "es")
    assert values.address == "1 Elm St, Milwaukee, WI 53202"


def test_the_preferred_number_comes_first_and_old_ones_are_left_out() -> None:
    telecom = [
        {"system": "phone", "value": "+14145550141", "use": "old"},
        {"system": "phone", "value": "+14145550142", "rank": 2},
        {"system": "sms", "value": "+14145550143", "rank": 1},
        {"system": "fax", "value": "+14145550144"},
    ]
    assert read_patient(PATIENT | {"telecom": telecom}, region="US").phones == ("+14145550143", "+14145550142")


def test_an_appointment_is_read_back_to_what_it_means(clinic: ClinicFile) -> None:
    found = read_appointment(APPOINTMENT, Directory(clinic, "clinic"))
    assert (found.service_id, found.practitioner_id, found.location_id) == ("follow-up", "ferreira", "north")
    assert (found.mode, found.patient_id) == (Mode.VIDEO, "a")
    assert found.start == dt.datetime(2026, 11, 17, 15, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        ("2026", "2026-01-01T06:00", "2027-01-01T06:00"),
        ("2026-12", "2026-12-01T06:00", "2027-01-01T06:00"),
        ("2026-03-08", "2026-03-08T06:00", "2026-03-09T05:00"),  # 23 hours
        ("2026-11-01", "2026-11-01T05:00", "2026-11-02T06:00"),  # 25 hours
        ("2026-11-17T09:00", "2026-11-17T15:00", "2026-11-17T15:00"),
        ("2026-11-17T09:00:00Z", "2026-11-17T09:00", "2026-11-17T09:00"),
        ("2026-11-17T09:00:00 02:00", "2026-11-17T07:00", "2026-11-17T07:00"),
    ],
)
def test_a_date_is_a_stretch_of_the_clinics_wall_time(written: str, first: str, last: str) -> None:
    expected = tuple(dt.datetime.fromisoformat(end).replace(tzinfo=dt.UTC) for end in (first, last))
    assert reading.period(written, "date", CHICAGO) == expected


@given(st.text())
def test_no_words_break_the_reading_of_a_time_or_a_number(words: str) -> None:
    try:
        first, last = reading.period(words, "date", CHICAGO)
        assert first <= last
    except MalformedError:
        pass
    number = reading.phone(words, "US")
    assert number is None or number.startswith("+")


@pytest.mark.parametrize(
    ("written", "id_"),
    [("a", "a"), ("Patient/a", "a"), ("https://x.example/fhir/R4/Patient/a", "a"), ("Patient/a/_history/2", "a")],
)
def test_a_reference_is_read_in_each_of_its_forms(written: str, id_: str) -> None:
    assert reading.id_of(written, "Patient", "subject") == id_


def test_of_a_parameter_given_twice_both_must_hold_and_commas_mean_any() -> None:
    asked = read_query([("status", "booked,arrived"), ("status", "arrived,pending")], ["status"])
    assert asked.any_of("status") == ["arrived"]
    assert read_query([("name", "a\\,b,c")], ["name"]).any_of("name") == ["a,b", "c"]
    assert read_query([], ["status"]).any_of("status") is None
