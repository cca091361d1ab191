"""What can be booked when, and which times are offered first."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from scheduling_core import booking, orders
from scheduling_core.calendar import rules
from scheduling_core.calendar.search import FreeTime, Request, find, offers
from scheduling_core.calendar.wishes import Days, Hours, TimeWish
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.models import Mode
from tests.core.clinics import load, make_clinic
from tests.factories import make_free_time, make_patient

CHICAGO = ZoneInfo("America/Chicago")
MORNING = TimeWish(hours=(Hours(dt.time(8), dt.time(12)),))


def free(database: Database, clinic: ClinicFile, request: Request, day: str, until: str | None = None) -> list[FreeTime]:
    """Everything free on a day (or from it to the end of another), by the clinic's wall time."""
    start = dt.datetime.combine(dt.date.fromisoformat(day), dt.time(0), clinic.zone)
    end = dt.datetime.combine(dt.date.fromisoformat(until or day) + dt.timedelta(days=1), dt.time(0), clinic.zone)
    with database.reading() as session:
        return find(session, clinic, request, start=start, end=end)


def starts(found: list[FreeTime], zone: ZoneInfo = CHICAGO) -> list[str]:
    return [f"{one.start.astimezone(zone):%H:%M}" for one in found]


def book(database: Database, clinic: ClinicFile, time: FreeTime, patient_id: str | None = None) -> str:
    with database.transaction() as session:
        patient_id = patient_id or make_patient(session).id
        key = f"book {time.practitioner_id} {time.start} {patient_id}"
        return booking.book(session, clinic, patient_id=patient_id, time=time, agent="test", key=key).id


def hold(database: Database, clinic: ClinicFile, time: FreeTime, held_for: str = "talk") -> str:
    with database.transaction() as session:
        return booking.hold(session, clinic, time=time, held_for=held_for, agent="test").id


def person(database: Database, **facts) -> str:
    with database.transaction() as session:
        return make_patient(session, **facts).id


@pytest.mark.parametrize(
    ("day", "session", "found"),
    [
        ("2026-03-08", "01:00-04:00", ["01:00", "01:30", "03:00", "03:30"]),
        ("2026-11-01", "00:30-02:30", ["00:30", "01:00", "01:30", "01:00", "01:30", "02:00"]),
        ("2026-12-31", "22:30-23:30", ["22:30", "23:00"]),
        ("2027-01-01", "00:00-01:00", ["00:00", "00:30"]),
        ("2028-02-29", "09:00-10:00", ["09:00", "09:30"]),
    ],
)
def test_free_times_over_clock_changes_new_year_and_leap_day(database, clock, day, session, found):
    clinic = load(database, make_clinic(sessions=[session], clinic={"grid_minutes": 30, "booking_horizon_days": 730}))
    clock.set("2027-12-01T12:00:00-06:00" if day > "2028" else "2026-03-01T12:00:00-06:00")
    assert starts(free(database, clinic, Request("visit"), day)) == found


def test_visits_and_buffers_lie_inside_a_session(database, clock):
    with_buffers = {"buffer_before_minutes": 10, "buffer_after_minutes": 15, "minutes": 30}
    clinic = load(database, make_clinic(sessions=["09:00-10:00", "10:00-11:00"], service=with_buffers))
    assert starts(free(database, clinic, Request("visit"), "2026-11-17")) == ["09:10", "09:15", "10:10", "10:15"]


def test_a_visit_keeps_its_buffers_from_the_next(database, clock):
    clinic = load(
        database, make_clinic(sessions=["09:00-12:00"], service={"buffer_after_minutes": 15}, clinic={"grid_minutes": 15})
    )
    times = free(database, clinic, Request("visit"), "2026-11-17")
    assert starts(times)[:3] == ["09:00", "09:15", "09:30"]
    book(database, clinic, next(one for one in times if starts([one]) == ["10:00"]))
    assert starts(free(database, clinic, Request("visit"), "2026-11-17")) == ["09:00", "09:15", "10:45", "11:00", "11:15"]


def test_a_booked_time_is_not_found_and_a_cancelled_one_is_again(loaded, clinic):
    request = Request("physical", practitioners=("sorensen",))
    before = free(loaded, clinic, request, "2026-11-17")
    visit = book(loaded, clinic, before[0])
    assert starts(free(loaded, clinic, request, "2026-11-17"))[0] == "08:40"
    with loaded.transaction() as session:
        booking.cancel(session, clinic, appointment_id=visit, agent="test", key="cancel")
    assert free(loaded, clinic, request, "2026-11-17") == before


def test_a_held_time_is_not_found_until_the_hold_expires(loaded, clinic, clock):
    request = Request("physical", practitioners=("sorensen",))
    before = free(loaded, clinic, request, "2026-11-17")
    hold(loaded, clinic, before[0])
    assert starts(free(loaded, clinic, request, "2026-11-17"))[0] == "08:40"
    clock.set("2026-11-16T09:17:59-06:00")
    assert starts(free(loaded, clinic, request, "2026-11-17"))[0] == "08:40"
    clock.set("2026-11-16T09:18:00-06:00")
    assert free(loaded, clinic, request, "2026-11-17") == before


def test_notice_is_asked_of_routine_visits_only(loaded, clinic):
    routine = free(loaded, clinic, Request("follow-up", practitioners=("sorensen",)), "2026-11-16")
    urgent = free(loaded, clinic, Request("sick", practitioners=("sorensen",)), "2026-11-16")
    assert (starts(routine)[0], starts(urgent)[0]) == ("10:10", "09:10")


def test_nothing_is_found_beyond_the_horizon(loaded, clinic):
    last = dt.date(2026, 11, 16) + dt.timedelta(days=120)
    found = free(loaded, clinic, Request("vaccine"), "2027-03-01", "2027-04-30")
    assert found[-1].start.astimezone(CHICAGO).date() == last
    assert starts(found)[-1] == "15:50"


def test_an_urgent_block_is_for_urgent_visits_until_it_is_released(loaded, clinic, clock):
    def late_morning(service: str) -> list[str]:
        found = starts(free(loaded, clinic, Request(service, practitioners=("ferreira",)), "2026-11-17"))
        return [start for start in found if "10:30" <= start < "12:00"]

    assert late_morning("follow-up") == ["10:30", "10:35", "10:40"]  # not a minute of the block at 11:00
    assert "11:00" in late_morning("sick")
    assert "10:50" in late_morning("sick")
    clock.set("2026-11-17T06:59:59-06:00")
    assert "11:00" not in late_morning("follow-up")
    clock.set("2026-11-17T07:00:00-06:00")
    assert late_morning("follow-up")[-1] == "11:40"


def test_a_block_for_named_services_admits_them_alone(loaded, clinic, clock):
    def early_afternoon(service: str) -> list[str]:
        found = starts(free(loaded, clinic, Request(service, practitioners=("ferreira",)), "2026-11-24"))
        return [start for start in found if "13:00" <= start < "14:00"]

    assert early_afternoon("follow-up") == early_afternoon("sick") == []
    assert early_afternoon("new-patient")[0] == "13:00"
    clock.set("2026-11-22T13:00:00-06:00")
    assert early_afternoon("follow-up")[0] == "13:00"


def test_a_room_is_shared_by_all_who_need_its_kind(database, clock):
    clinic = load(
        database,
        make_clinic(
            practitioners=["abel", "bruno", "carl"],
            rooms=["red", "blue"],
            service={"room": "procedure", "minutes": 60, "modes": ["in-person", "video"]},
            sessions=["09:00-10:00"],
        ),
    )
    request = Request("visit")
    times = free(database, clinic, request, "2026-11-17")
    assert [(one.practitioner_id, one.room_id) for one in times] == [("abel", "red"), ("bruno", "red"), ("carl", "red")]
    book(database, clinic, times[0])
    assert [one.room_id for one in free(database, clinic, request, "2026-11-17")] == ["blue", "blue"]
    book(database, clinic, times[1])  # found with the red room: it gets the blue one
    assert free(database, clinic, request, "2026-11-17") == []
    by_video = free(database, clinic, Request("visit", mode=Mode.VIDEO), "2026-11-17")
    assert [(one.practitioner_id, one.room_id) for one in by_video] == [("carl", None)]


def test_a_day_with_its_maximum_of_visits_is_full(database, clock):
    clinic = load(database, make_clinic(practitioner={"max_visits_per_day": 2}))
    times = free(database, clinic, Request("visit"), "2026-11-17")
    book(database, clinic, times[0])
    hold(database, clinic, times[6], "first talk")
    assert free(database, clinic, Request("visit"), "2026-11-17") == []
    assert free(database, clinic, Request("visit"), "2026-11-18") != []
    clock.set("2026-11-16T09:30:00-06:00")
    assert free(database, clinic, Request("visit"), "2026-11-17") != []


def test_the_patients_own_visits_are_not_offered_over(loaded, clinic):
    patient = person(loaded)
    tanaka = free(loaded, clinic, Request("physical", practitioners=("tanaka",)), "2026-11-17")
    book(loaded, clinic, next(one for one in tanaka if starts([one]) == ["09:30"]), patient)
    found = starts(free(loaded, clinic, Request("follow-up", practitioners=("sorensen",), patient_id=patient), "2026-11-17"))
    assert [start for start in found if "09:00" <= start <= "10:15"] == ["09:00", "09:05", "09:10", "10:10", "10:15"]


def test_the_time_of_a_visit_that_moves_counts_as_free(loaded, clinic):
    patient = person(loaded)
    request = Request("physical", practitioners=("sorensen",), patient_id=patient)
    before = starts(free(loaded, clinic, request, "2026-11-17"))
    visit = book(loaded, clinic, free(loaded, clinic, request, "2026-11-17")[3], patient)
    moving = Request("physical", practitioners=("sorensen",), patient_id=patient, moving=visit)
    assert starts(free(loaded, clinic, moving, "2026-11-17")) == before


def test_who_speaks_what_where(loaded, clinic):
    def who(request: Request) -> set[str]:
        return {one.practitioner_id for one in free(loaded, clinic, request, "2026-11-16", "2026-11-21")}

    assert who(Request("follow-up")) == {"ferreira", "tanaka", "brandt", "sorensen"}
    assert who(Request("follow-up", gender="female")) == {"ferreira", "brandt"}
    assert who(Request("follow-up", language="es")) == {"tanaka", "sorensen"}
    assert who(Request("follow-up", location_id="south")) == {"tanaka"}
    assert who(Request("follow-up", practitioners=("brandt", "tanaka"))) == {"brandt", "tanaka"}


def test_one_practitioner_at_two_locations_is_found_where_asked(loaded, clinic):
    found = free(loaded, clinic, Request("physical", practitioners=("tanaka",), location_id="north"), "2026-11-16", "2026-11-20")
    assert {(one.location_id, one.start.astimezone(CHICAGO).weekday()) for one in found} == {("north", 3)}


@pytest.mark.parametrize(
    ("request_", "patient", "code"),
    [
        (Request("new-patient"), {"new": False}, "who-new"),
        (Request("follow-up"), {"new": True}, "who-established"),
        (Request("well-child"), {"birth_date": "1980-04-19"}, "age"),
        (Request("blood-draw"), {}, "needs-order"),
        (Request("minor-procedure"), {}, "needs-referral"),
        (Request("vaccine", mode=Mode.VIDEO), {}, "mode"),
        (Request("vaccine", practitioners=("ferreira",)), {}, "no-practitioner"),
        (Request("follow-up", gender="other"), {}, "no-practitioner"),
        (Request("vaccine", location_id="south"), {}, "location"),
        (Request("minor-procedure", location_id="south"), {}, "location"),
        (Request("new-patient"), {"new": True}, None),
        (Request("follow-up"), {}, None),
        (Request("sick"), {"new": True}, None),
        (Request("well-child"), {"birth_date": "2015-04-19"}, None),
    ],
)
def test_a_rule_that_no_time_can_mend_is_named(loaded, clinic, request_, patient, code):
    patient_id = person(loaded, **patient)
    asked = Request(**{**request_.__dict__, "patient_id": patient_id})
    with loaded.reading() as session:
        refusal = rules.who_may(session, clinic, asked)
    assert (refusal.code if refusal else None) == code
    assert bool(free(loaded, clinic, asked, "2026-11-16", "2026-11-21")) == (code is None)


def test_the_refusal_says_who_does_give_the_service(loaded, clinic):
    with loaded.reading() as session:
        refusal = rules.who_may(session, clinic, Request("minor-procedure", practitioners=("tanaka",)))
    assert refusal == rules.Refusal("no-practitioner", "brandt")


def test_an_order_on_file_opens_the_service(loaded, clinic):
    patient = person(loaded)
    with loaded.transaction() as session:
        orders.add(session, patient_id=patient, service_id="blood-draw", intent="order", note=None, agent="test")
        assert rules.who_may(session, clinic, Request("blood-draw", patient_id=patient)) is None


def test_a_new_patient_is_established_after_the_first_visit(loaded, clinic, clock):
    patient = person(loaded, new=True)
    first = free(loaded, clinic, Request("new-patient", patient_id=patient), "2026-11-17")[0]
    visit = book(loaded, clinic, first, patient)
    with loaded.reading() as session:
        assert rules.who_may(session, clinic, Request("new-patient", patient_id=patient, moving=visit)) is None
        assert rules.who_may(session, clinic, Request("follow-up", patient_id=patient)).code == "who-established"
    clock.set("2026-11-18T09:00:00-06:00")
    with loaded.reading() as session:
        assert rules.who_may(session, clinic, Request("follow-up", patient_id=patient)) is None
        assert rules.who_may(session, clinic, Request("new-patient", patient_id=patient)).code == "who-new"


def test_a_child_is_too_old_from_the_birthday_on(database, clock):
    clinic = load(database, make_clinic(service={"ages": "0-17"}, sessions=["09:00-09:30"]))
    patient = person(database, birth_date="2008-11-20")
    found = free(database, clinic, Request("visit", patient_id=patient), "2026-11-17", "2026-11-23")
    assert [one.start.day for one in found] == [17, 18, 19]


@pytest.mark.parametrize(
    ("who", "service", "time", "codes"),
    [
        ("ferreira", "follow-up", "2026-11-17T09:00", []),
        ("ferreira", "follow-up", "2026-11-16T08:00", ["past"]),
        ("ferreira", "follow-up", "2026-11-16T10:05", ["notice"]),
        ("ferreira", "follow-up", "2027-03-30T09:00", ["horizon"]),
        ("ferreira", "follow-up", "2026-11-17T09:01", ["off-grid"]),
        ("ferreira", "follow-up", "2026-11-20T09:00", ["not-working"]),
        ("ferreira", "follow-up", "2026-11-17T12:30", ["not-working"]),
        ("ferreira", "follow-up", "2026-11-17T11:50", ["not-working"]),
        ("ferreira", "follow-up", "2026-11-24T11:00", ["blocked"]),
        ("ferreira", "follow-up", "2026-11-26T09:00", ["holiday"]),
        ("tanaka", "follow-up", "2026-12-04T09:00", ["closed"]),
        ("ferreira", "follow-up", "2026-12-24T09:00", ["closed", "holiday"]),
        ("sorensen", "follow-up", "2026-12-22T09:00", ["absent"]),
        ("sorensen", "follow-up", "2026-12-25T09:00", ["holiday", "absent"]),
        ("tanaka", "follow-up", "2026-11-17T20:00", ["closed", "not-working"]),
    ],
)
def test_the_core_can_say_why(loaded, clinic, who, service, time, codes):
    start = dt.datetime.fromisoformat(time).replace(tzinfo=CHICAGO)
    with loaded.reading() as session:
        assert rules.explain_time(session, clinic, Request(service, practitioners=(who,)), start) == codes


def test_what_is_taken_is_explained(loaded, clinic):
    patient, other = person(loaded), person(loaded)
    book(loaded, clinic, make_free_time(clinic, start="2026-11-17T09:00", practitioner_id="ferreira"), patient)
    start = dt.datetime(2026, 11, 17, 9, 10, tzinfo=CHICAGO)
    with loaded.reading() as session:
        request = Request("follow-up", practitioners=("ferreira",), patient_id=patient)
        assert rules.explain_time(session, clinic, request, start) == ["taken", "patient-busy"]
        request = Request("follow-up", practitioners=("ferreira", "sorensen"), patient_id=other)
        assert rules.explain_time(session, clinic, request, start) == []


def test_three_offers_lie_apart_and_the_first_is_soon(loaded, clinic):
    with loaded.reading() as session:
        found = offers(session, clinic, Request("follow-up"), wish=TimeWish())
    assert len(found) == 3
    assert all(later.start - earlier.start >= dt.timedelta(hours=1) for earlier, later in pairwise(found))
    assert found[0].start.astimezone(CHICAGO).date() == dt.date(2026, 11, 16)


def test_offers_fit_the_wish(loaded, clinic):
    wish = TimeWish(weekdays=frozenset({1, 3}), hours=(Hours(dt.time(15), dt.time(17)),))
    with loaded.reading() as session:
        found = offers(session, clinic, Request("physical"), wish=wish)
    local = [one.start.astimezone(CHICAGO) for one in found]
    assert len(local) == 3
    assert {one.weekday() for one in local} <= {1, 3}
    assert {one.hour for one in local} <= {15, 16}


def test_an_exact_wish_is_offered_with_several_people(loaded, clinic):
    wish = TimeWish(days=(Days(dt.date(2026, 11, 17), dt.date(2026, 11, 17)),), at=(dt.time(9, 30),))
    with loaded.reading() as session:
        found = offers(session, clinic, Request("follow-up"), wish=wish)
    assert starts(found) == ["09:30"] * 3
    assert len({one.practitioner_id for one in found}) == 3


def test_a_narrow_wish_is_offered_close_together_but_never_overlapping(loaded, clinic):
    wish = TimeWish(days=(Days(dt.date(2026, 11, 17), dt.date(2026, 11, 17)),), hours=(Hours(dt.time(9), dt.time(10)),))
    with loaded.transaction() as session:
        found = offers(session, clinic, Request("follow-up", practitioners=("sorensen",)), wish=wish)
        held = booking.hold_all(session, clinic, free_times=found, held_for="talk", agent="test")
    assert len(found) == len(held) == 3


def test_refused_times_are_not_offered_again_nor_their_neighbours(loaded, clinic):
    request = Request("physical", practitioners=("sorensen",))
    with loaded.reading() as session:
        first = offers(session, clinic, request, wish=MORNING)
        avoid = [(one.practitioner_id, one.start) for one in first]
        second = offers(session, clinic, request, wish=MORNING, avoid=avoid)
    assert all(abs(a.start - b.start) >= dt.timedelta(hours=1) for a in first for b in second)


def test_the_soonest_wish_gets_the_first_free_minute(loaded, clinic):
    with loaded.reading() as session:
        found = offers(session, clinic, Request("follow-up"), wish=TimeWish(soonest=True))
    assert starts(found)[0] == "10:10"


def test_a_gap_that_fits_exactly_is_offered_before_one_that_leaves_a_remnant(database, clock):
    clinic = load(database, make_clinic(sessions=["09:00-11:00"]))
    times = free(database, clinic, Request("visit"), "2026-11-17")
    book(database, clinic, next(one for one in times if starts([one]) == ["09:25"]))  # until 9:55
    wish = TimeWish(days=(Days(dt.date(2026, 11, 17), dt.date(2026, 11, 17)),), hours=(Hours(dt.time(10)),))
    with database.reading() as session:
        (found,) = offers(session, clinic, Request("visit"), wish=wish, count=1)
    assert starts([found]) == ["10:30"]  # 10:00 would leave five minutes before it that nobody can use


def test_work_is_balanced_between_practitioners(database, clock):
    clinic = load(database, make_clinic(practitioners=["abel", "bruno"], sessions=["09:00-12:00"]))
    wish = TimeWish(days=(Days(dt.date(2026, 11, 17), dt.date(2026, 11, 17)),))
    first = free(database, clinic, Request("visit", practitioners=("abel",)), "2026-11-17")
    book(database, clinic, first[-1])
    with database.reading() as session:
        (found,) = offers(session, clinic, Request("visit"), wish=wish, count=1)
    assert found.practitioner_id == "bruno"


def test_a_limit_keeps_the_first_times(loaded, clinic):
    now = dt.datetime(2026, 11, 16, 15, 10, tzinfo=dt.UTC)
    with loaded.reading() as session:
        some = find(session, clinic, Request("vaccine"), start=now, end=now + dt.timedelta(days=30), limit=5)
        everything = find(session, clinic, Request("vaccine"), start=now, end=now + dt.timedelta(days=30))
    assert some == everything[:5]


def test_one_clinics_visits_take_nothing_from_another(loaded, clinic):
    other = Database(loaded.url, organization="elsewhere")
    load(other, clinic)
    request = Request("physical", practitioners=("sorensen",))
    before = free(loaded, clinic, request, "2026-11-17")
    book(other, clinic, before[0])
    assert free(loaded, clinic, request, "2026-11-17") == before
    assert free(other, clinic, request, "2026-11-17") != before
    other.dispose()
