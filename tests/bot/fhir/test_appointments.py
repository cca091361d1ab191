"""$find, $hold, $book, $cancel, and the appointments and slots that can be read."""

from __future__ import annotations

import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest

from scheduling_core import booking, times
from scheduling_core.models import Appointment, AppointmentStatus, Mode, new_id
from tests.bot.fhir.conftest import Api, Resource, carry, parameters_of, patient, refer, said
from tests.conftest import Clock


def test_a_free_time_can_be_booked_as_it_was_found(api: Api) -> None:
    ruth = api.patient()
    proposal = api.free(ruth)[0]
    assert proposal["status"] == "proposed"
    assert "id" not in proposal
    made = api.call("book", carry("appointment-resource", proposal), carry("patient-resource", ruth))[0]
    assert made["status"] == "booked"
    for element in ("start", "end", "serviceType", "appointmentType", "minutesDuration"):
        assert made[element] == proposal[element], element
    actors = {p["actor"]["reference"]: (p["actor"]["display"], p["status"]) for p in made["participant"]}
    assert actors == {
        f"Patient/{ruth['id']}": ("Ruth Novak", "needs-action"),
        "Practitioner/ferreira": ("Dr. Joana Ferreira", "accepted"),
        "Location/north": ("Maple Grove North", "accepted"),
    }
    assert made["serviceType"][0]["coding"][0] == {
        "system": "urn:frontdesk:service",
        "code": "follow-up",
        "display": "Follow-up visit",
    }
    assert "video" not in json.dumps(made).lower()
    assert api.search(f"Appointment?patient=Patient/{ruth['id']}") == [made]
    assert api.get(f"Appointment/{made['id']}") == made


def test_every_start_on_the_grid_is_found(quick_api: Api) -> None:
    found = quick_api.free(service="physical", who="sorensen")
    starts = [dt.datetime.fromisoformat(one["start"]) for one in found]
    assert starts == [dt.datetime.fromisoformat("2026-11-17T08:00:00-06:00") + dt.timedelta(minutes=5 * n) for n in range(41)]


def test_both_modes_of_a_service_are_found_and_booked(quick_api: Api) -> None:
    found = quick_api.free()
    by_mode = {one["appointmentType"]["coding"][0]["code"]: one for one in found}
    assert set(by_mode) == {"in-person", "video"}
    made = quick_api.call("book", carry("appointment-resource", by_mode["video"]), carry("patient-resource", quick_api.patient()))[
        0
    ]
    assert made["appointmentType"]["text"] == "Video visit"
    only = quick_api.call(
        "find", said("start", "2026-11-17"), said("end", "2026-11-17"), said("visit-type", "follow-up"), said("mode", "video")
    )
    assert {one["appointmentType"]["coding"][0]["code"] for one in only} == {"video"}


def test_find_takes_every_way_to_write_a_parameter(quick_api: Api) -> None:
    expected = quick_api.free()
    window = [
        {"name": "start", "valueDateTime": "2026-11-17T00:00:00-06:00"},
        {"name": "end", "valueInstant": "2026-11-18T06:00:00Z"},
    ]
    service: list[Resource] = [
        {"name": "visit-type", "valueCode": "follow-up"},
        {"name": "visit-type", "valueString": "urn:frontdesk:service|follow-up"},
        {"name": "visit-type", "valueCoding": {"code": "follow-up"}},
        {"name": "visit-type", "valueCodeableConcept": {"text": "Follow-up visit"}},
    ]
    who: list[Resource] = [
        refer("practitioner", "Practitioner/ferreira"),
        refer("practitioner", "https://clinic.example/fhir/R4/Practitioner/ferreira"),
        said("practitioner", "ferreira"),
        {"name": "practitioner", "valueReference": {"identifier": {"value": "ferreira"}}},
    ]
    for parameter in service:
        assert quick_api.call("find", *window, parameter, who[0]) == expected
    for parameter in who:
        assert quick_api.call("find", *window, service[0], parameter) == expected
    query = "start=2026-11-17&end=2026-11-17&visit-type=follow-up&practitioner=Practitioner/ferreira"
    assert [entry["resource"] for entry in quick_api.get(f"Appointment/$find?{query}")["entry"]] == expected
    instants = f"start={quote('2026-11-17T00:00:00-06:00')}&end=2026-11-18T02:00:00+02:00"  # the + becomes a blank on its way
    assert quick_api.get(f"Appointment/$find?{instants}&visit-type=follow-up&practitioner=ferreira")["total"] == len(expected)


def test_find_joins_practitioners_and_places_and_stops_at_count(quick_api: Api) -> None:
    window = [said("start", "2026-11-16"), said("end", "2026-11-20"), said("visit-type", "follow-up")]
    both = quick_api.call("find", *window, said("practitioner", "ferreira"), said("practitioner", "tanaka"))
    assert {p["actor"]["reference"] for one in both for p in one["participant"] if "Practitioner" in p["actor"]["reference"]} == {
        "Practitioner/ferreira",
        "Practitioner/tanaka",
    }
    south = quick_api.call("find", *window, refer("location-reference", "Location/south"))
    assert {one["participant"][1]["actor"]["reference"] for one in south} == {"Location/south"}
    assert [dt.datetime.fromisoformat(one["start"]) for one in both] == sorted(
        dt.datetime.fromisoformat(one["start"]) for one in both
    )
    assert quick_api.call("find", *window, {"name": "_count", "valueInteger": 3}) == quick_api.call("find", *window)[:3]
    nursing = quick_api.call("find", *window[:2], said("specialty", "nursing"))
    assert {one["serviceType"][0]["coding"][0]["code"] for one in nursing} == {"vaccine", "blood-draw"}


def test_find_says_which_rule_leaves_nothing(api: Api) -> None:
    ruth = api.patient()
    asked = [said("start", "2026-11-17"), said("end", "2026-11-17"), refer("patient-reference", f"Patient/{ruth['id']}")]
    outcome = api.call("find", *asked, said("visit-type", "blood-draw"))[0]
    assert outcome["resourceType"] == "OperationOutcome"
    assert outcome["issue"][0]["details"]["coding"][0]["code"] == "needs-order"
    assert outcome["issue"][0]["severity"] == "warning"


@pytest.mark.parametrize(
    ("parameter", "named"),
    [
        (said("visit-type", "surgery"), "visit-type"),
        (said("practitioner", "nobody"), "practitioner"),
        (refer("practitioner", "Patient/x"), "practitioner"),
        (said("location-reference", "west"), "location-reference"),
        (said("mode", "telepathy"), "mode"),
        (said("start", "soon"), "start"),
        (said("_count", "-1"), "_count"),
        (said("colour", "red"), "colour"),
        ({"name": "start"}, "start"),
        ({"valueString": "x"}, "parameter[0]"),
        ({"name": "start", "valueString": 7}, "start"),
    ],
)
def test_a_parameter_that_is_not_right_is_named(quick_api: Api, parameter: Resource, named: str) -> None:
    assert named in quick_api.refused(400, "POST", "Appointment/$find", parameters_of(parameter))["diagnostics"]


def test_a_taken_time_is_a_conflict(api: Api) -> None:
    ruth, ben = api.patient(), api.patient(birthDate="1990-01-02", telecom=[{"system": "phone", "value": "+14145550143"}])
    proposal = api.free()[0]
    body = [parameters_of(carry("appointment-resource", proposal), carry("patient-resource", who)) for who in (ruth, ben)]
    assert api.send("POST", "Appointment/$book", body[0]).status_code == 200
    issue = api.refused(409, "POST", "Appointment/$book", body[1])
    assert (issue["code"], issue["details"]["coding"][0]["code"]) == ("conflict", "time-taken")


def test_of_many_who_want_one_time_one_gets_it(api: Api) -> None:
    people = [api.patient(birthDate=f"1980-04-{day:02}") for day in range(1, 9)]
    proposal = api.free()[0]
    bodies = [parameters_of(carry("appointment-resource", proposal), carry("patient-resource", who)) for who in people]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda body: _booked_by_another_client(api, body), bodies))
    assert sorted(answers) == [200] + [409] * 7


def _booked_by_another_client(api: Api, body: Resource) -> int:
    with api.client.application.test_client() as client:
        return Api(client, api.database).send("POST", "Appointment/$book", body).status_code


def test_a_patient_cannot_be_in_two_places(api: Api) -> None:
    ruth = api.patient()
    first = api.booked(ruth)
    elsewhere = next(one for one in api.free(who="sorensen") if one["start"] == first["start"])
    issue = api.refused(
        409, "POST", "Appointment/$book", parameters_of(carry("appointment-resource", elsewhere), carry("patient-resource", ruth))
    )
    assert issue["details"]["coding"][0]["code"] == "patient-busy"
    assert first["start"] not in {one["start"] for one in api.free(ruth, who="sorensen")}


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"start": "2026-11-17T07:00:00-06:00"}, "closed"),
        ({"start": "2026-11-17T12:20:00-06:00"}, "not-working"),
        ({"start": "2026-11-26T09:00:00-06:00"}, "holiday"),
        ({"start": "2026-11-16T09:30:00-06:00"}, "notice"),
        ({"start": "2026-11-16T08:00:00-06:00"}, "past"),
        ({"start": "2027-11-16T09:00:00-06:00"}, "horizon"),
        ({"start": "2026-11-18T11:00:00-06:00"}, "blocked"),
        ({"serviceType": [{"coding": [{"code": "new-patient"}]}]}, "who-new"),
        ({"serviceType": [{"coding": [{"code": "well-child"}]}]}, "no-practitioner"),
        ({"serviceType": [{"coding": [{"code": "physical"}]}], "appointmentType": {"coding": [{"code": "video"}]}}, "mode"),
    ],
)
def test_a_rule_that_forbids_a_visit_is_named(quick_api: Api, changes: Resource, rule: str) -> None:
    ruth = quick_api.patient()
    proposal = quick_api.free(ruth)[0] | changes
    issue = quick_api.refused(
        422, "POST", "Appointment/$book", parameters_of(carry("appointment-resource", proposal), carry("patient-resource", ruth))
    )
    assert issue["details"]["coding"][0]["code"] == rule
    assert issue["diagnostics"]


def test_the_same_key_books_once(api: Api) -> None:
    ruth = api.patient()
    body = parameters_of(carry("appointment-resource", api.free(ruth)[0]), carry("patient-resource", ruth))
    first = api.send("POST", "Appointment/$book", body, Idempotency_Key="b1")
    again = api.send("POST", "Appointment/$book", body, Idempotency_Key="b1")
    assert again.data == first.data
    assert len(api.search(f"Appointment?patient={ruth['id']}")) == 1


def test_a_hold_keeps_a_time_until_it_is_booked(api: Api, clock: Clock) -> None:
    ruth = api.patient()
    proposal = api.free()[0]
    held = api.call("hold", carry("appointment-resource", proposal))[0]
    assert (held["status"], held["start"]) == ("proposed", proposal["start"])
    assert held["extension"][0]["valueInstant"] == "2026-11-16T15:18:00+00:00"
    assert proposal["start"] not in {one["start"] for one in api.free()}
    assert api.search("Appointment") == []
    assert api.search("Appointment?status=proposed") == [held]
    made = api.call("book", refer("appointment-reference", f"Appointment/{held['id']}"), carry("patient-resource", ruth))[0]
    assert (made["id"], made["status"]) == (held["id"], "booked")


def test_an_expired_hold_cannot_be_booked(api: Api, clock: Clock) -> None:
    ruth = api.patient()
    held = api.call("hold", carry("appointment-resource", api.free()[0]))[0]
    clock.set("2026-11-16T09:19:00-06:00")
    body = parameters_of(refer("appointment-reference", f"Appointment/{held['id']}"), carry("patient-resource", ruth))
    assert api.refused(409, "POST", "Appointment/$book", body)["details"]["coding"][0]["code"] == "hold-expired"
    assert api.free()[0]["start"] == held["start"]


def test_a_hold_can_be_given_back(api: Api) -> None:
    held = api.call("hold", carry("appointment-resource", api.free()[0]))[0]
    api.call("cancel", refer("appointment-reference", f"Appointment/{held['id']}"))
    assert api.free()[0]["start"] == held["start"]


def test_a_cancelled_visit_frees_its_time_and_a_late_one_leaves_a_task(api: Api, clock: Clock) -> None:
    ruth = api.patient()
    made = api.booked(ruth)
    clock.set("2026-11-16T20:00:00-06:00")
    gone = api.call("cancel", refer("appointment-reference", f"Appointment/{made['id']}"), said("reason", "moved away"))[0]
    assert (gone["status"], gone["cancelationReason"]["text"]) == ("cancelled", "moved away")
    task = api.search("Task?status=requested,accepted")[0]
    assert task["for"]["reference"] == f"Patient/{ruth['id']}"
    assert task["focus"]["reference"] == f"Appointment/{made['id']}"
    assert {coding["code"] for coding in task["code"]["coding"]} == {"late-cancellation", "desk"}
    assert api.search(f"Task?patient={ruth['id']}&code=late-cancellation&performer=desk") == [task]
    assert api.search("Task?status=completed") == []
    issue = api.refused(409, "POST", "Appointment/$cancel", parameters_of(refer("appointment-reference", made["id"])))
    assert issue["details"]["coding"][0]["code"] == "wrong-state"


def test_a_visit_is_moved_by_booking_it_at_another_time(api: Api) -> None:
    ruth = api.patient()
    made = api.booked(ruth)
    later = api.free(day="2026-11-18")[0]
    moved = api.call("book", carry("appointment-resource", made | {"start": later["start"], "end": later["end"]}))[0]
    assert (moved["id"], moved["start"]) == (made["id"], later["start"])
    assert made["start"] in {one["start"] for one in api.free()}


def test_booking_for_somebody_who_is_not_on_file_registers_a_new_patient(api: Api) -> None:
    proposal = api.free(service="new-patient")[0]
    made = api.call("book", carry("appointment-resource", proposal), carry("patient-resource", patient()))[0]
    who = made["participant"][0]["actor"]["reference"]
    assert api.get(who)["name"][0]["family"] == "Novak"
    later = api.free(service="sick", day="2026-11-18")[0]
    again = api.call("book", carry("appointment-resource", later), carry("patient-resource", patient()))[0]
    assert again["participant"][0]["actor"]["reference"] == who


@pytest.mark.parametrize(
    ("parameters", "status", "said_"),
    [
        ([], 400, "appointment-reference"),
        ([refer("appointment-reference", "Appointment/none")], 404, "Appointment/none"),
        ([carry("appointment-resource", {"resourceType": "Appointment"})], 400, "patient-reference"),
        ([carry("appointment-resource", {"resourceType": "Slot"})], 400, "Appointment.resourceType"),
        (
            [carry("appointment-resource", {"resourceType": "Appointment"}), refer("patient-reference", "Patient/none")],
            404,
            "Patient/none",
        ),
    ],
)
def test_a_booking_that_says_too_little_is_refused(quick_api: Api, parameters: list[Resource], status: int, said_: str) -> None:
    assert said_ in quick_api.refused(status, "POST", "Appointment/$book", parameters_of(*parameters))["diagnostics"]


def test_a_booking_names_what_the_appointment_lacks(quick_api: Api) -> None:
    ruth = carry("patient-resource", quick_api.patient())
    for lacking in ("serviceType", "start"):
        proposal = {key: value for key, value in quick_api.free()[0].items() if key != lacking}
        body = parameters_of(carry("appointment-resource", proposal), ruth)
        assert f"Appointment.{lacking}" in quick_api.refused(400, "POST", "Appointment/$book", body)["diagnostics"]


def test_the_room_of_a_procedure_takes_part(quick_api: Api) -> None:
    ruth = quick_api.patient()
    quick_api.create(
        {
            "resourceType": "ServiceRequest",
            "status": "active",
            "intent": "order",
            "subject": {"reference": f"Patient/{ruth['id']}"},
            "code": {"coding": [{"code": "minor-procedure"}]},
        }
    )
    made = quick_api.booked(ruth, service="minor-procedure", who="brandt")
    assert [p["actor"]["reference"] for p in made["participant"]][-2:] == ["Location/north", "Location/north-minor"]
    room = quick_api.get("Location/north-minor")
    assert room["partOf"]["reference"] == "Location/north"
    assert quick_api.search("Appointment?location=north-minor") == [made]


def test_appointments_are_found_by_date_status_and_people(api: Api) -> None:
    ruth, ben = api.patient(), api.patient(birthDate="1990-01-02")
    first = api.booked(ruth)
    second = api.booked(ben, day="2026-11-18", who="sorensen")
    found = {
        f"patient={ruth['id']}": [first],
        f"patient=Patient/{ruth['id']},Patient/{ben['id']}": [first, second],
        "practitioner=Practitioner/sorensen": [second],
        "actor=Practitioner/ferreira": [first],
        "location=north": [first, second],
        "date=2026-11-17": [first],
        "date=ge2026-11-18": [second],
        "date=gt2026-11-17": [second],
        "date=ge2026-11-17&date=lt2026-11-18": [first],
        "date=le2026-11-18": [first, second],
        f"date={first['start']}": [first],
        "status=booked,arrived": [first, second],
        "status=cancelled": [],
        "status=nonsense": [],
        "service-type=urn:frontdesk:service|follow-up": [first, second],
        "specialty=dermatology": [],
    }
    for query, expected in found.items():
        assert api.search(f"Appointment?{query}") == expected, query
    shown = api.search(f"Appointment?patient={ruth['id']}&_include=Appointment:actor")
    assert {r["resourceType"] for r in shown} == {"Appointment", "Patient", "Practitioner", "Location"}


def test_a_place_on_the_waitlist_starts_when_its_wish_does_and_a_confirmed_visit_is_accepted(api: Api) -> None:
    ruth = api.patient()
    made = api.booked(ruth)
    with api.database.transaction() as session:
        booking.confirm(session, appointment_id=made["id"], agent="test", key="c1")
        session.add(
            Appointment(
                id=new_id(),
                status=AppointmentStatus.WAITLIST,
                service_id="physical",
                patient_id=ruth["id"],
                mode=Mode.IN_PERSON,
                wish={"days": [["2026-12-02", "2026-12-02"]], "hours": [["13:00:00", None]]},
                lane=0,
                sequence=0,
                created_at=times.now(),
                updated_at=times.now(),
            )
        )
    visit, waiting = api.search(f"Appointment?patient={ruth['id']}")
    assert visit["participant"][0]["status"] == "accepted"
    assert waiting["status"] == "waitlist"
    assert (waiting["start"], waiting["minutesDuration"]) == ("2026-12-02T13:00:00-06:00", 40)
    assert api.search("Appointment?status=waitlist") == [waiting]


def test_slots_are_the_free_and_the_busy_times(api: Api) -> None:
    window = "schedule=Schedule/sorensen&start=ge2026-11-17&start=lt2026-11-18"
    before = api.get(f"Slot?{window}&service-type=physical&status=free&_count=1000")
    assert before["total"] == 41
    made = api.booked(api.patient(), who="sorensen", service="physical")
    free = api.get(f"Slot?{window}&service-type=physical&_count=1000")["entry"]
    assert made["start"] not in {entry["resource"]["start"] for entry in free}
    busy = api.search(f"Slot?{window}&status=busy")
    assert [(slot["start"], slot["status"]) for slot in busy] == [(made["start"], "busy")]
    held = api.call("hold", carry("appointment-resource", api.free(who="sorensen")[0]))[0]
    assert [slot["start"] for slot in api.search(f"Slot?{window}&status=busy-tentative")] == [held["start"]]


def test_the_clinic_can_be_read(quick_api: Api) -> None:
    assert quick_api.get("Practitioner/ferreira")["name"][0]["family"] == "Ferreira"
    assert [r["id"] for r in quick_api.search("Practitioner?name=sor")] == ["sorensen"]
    assert quick_api.get("HealthcareService/blood-draw")["type"][0]["coding"][0]["code"] == "blood-draw"
    assert [r["id"] for r in quick_api.search("PractitionerRole?specialty=dermatology")] == ["brandt"]
    assert [r["id"] for r in quick_api.search("PractitionerRole?service=vaccine&location=north")] == ["nurse-abara"]
    assert [r["id"] for r in quick_api.search("Location?partof=north")] == ["north-minor"]
    assert [r["id"] for r in quick_api.search("HealthcareService?specialty=nursing")] == ["vaccine", "blood-draw"]
    assert [r["id"] for r in quick_api.search("Organization?identifier=70002")] == ["pinecrest"]
    assert quick_api.get("Schedule/tanaka")["actor"][0]["reference"] == "Practitioner/tanaka"
    assert [r["id"] for r in quick_api.search("Schedule?actor=Practitioner/brandt")] == ["brandt"]
    for kind in ("Practitioner", "PractitionerRole", "Location", "HealthcareService", "Organization", "Schedule"):
        for resource in quick_api.search(kind):
            assert quick_api.get(f"{kind}/{resource['id']}") == resource
