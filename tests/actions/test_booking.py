"""Booking by text, from the first words to the row in the database."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from scheduling_core import booking, coverage, patients
from scheduling_core.calendar import search
from scheduling_core.calendar.requests import Request
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import Appointment, AppointmentStatus, Patient, Task
from tests.actions.talk import Talk
from tests.factories import make_patient


def booked(talk: Talk) -> list[Appointment]:
    with talk.database.reading() as session:
        return list(session.scalars(select(Appointment).where(Appointment.status == AppointmentStatus.BOOKED)))


def held(talk: Talk) -> list[Appointment]:
    with talk.database.reading() as session:
        return list(session.scalars(select(Appointment).where(Appointment.status == AppointmentStatus.PROPOSED)))


def test_a_visit_is_booked_only_after_the_read_back_is_affirmed(talk: Talk) -> None:
    assert talk.say("I need a follow-up with Dr. Ferreira on Wednesday", "book_appointment") == ["utter_request_birth_date"]
    assert talk.say("4/19/1980") == ["utter_offers"]
    assert talk.say("2", "select") == ["utter_confirm_booking"]
    assert booked(talk) == []
    assert talk.last().values["first"] == "Ruth"
    assert talk.say("yes", "affirm") == ["utter_booked"]
    (made,) = booked(talk)
    assert (made.service_id, made.practitioner_id) == ("follow-up", "ferreira")
    assert made.start
    assert made.start.date() == dt.date(2026, 11, 18)
    assert held(talk) == []


def test_three_offered_times_are_on_hold_and_let_go_when_refused(talk: Talk) -> None:
    talk.say("a follow-up tomorrow please", "book_appointment")
    talk.say("April 19, 1980")
    first = {visit.id for visit in held(talk)}
    assert len(first) == 3
    assert talk.say("none of those work", "request_alternatives") == ["utter_offers"]
    second = {visit.id for visit in held(talk)}
    assert len(second) == 3
    assert not first & second


def test_never_mind_leaves_nothing_on_hold(talk: Talk) -> None:
    talk.say("a follow-up tomorrow please", "book_appointment")
    talk.say("April 19, 1980")
    assert talk.say("never mind", "stop") == ["utter_nothing_booked"]
    assert held(talk) == []
    assert booked(talk) == []


def test_a_change_at_the_read_back_is_searched_again_and_not_booked(talk: Talk) -> None:
    talk.say("a follow-up with Dr. Ferreira tomorrow", "book_appointment")
    talk.say("April 19, 1980")
    talk.say("1", "select")
    assert talk.say("no wait, Thursday afternoon with Lars Sorensen or anyone", "deny") != ["utter_booked"]
    assert booked(talk) == []


def test_a_yes_that_names_another_day_is_no_yes(talk: Talk) -> None:
    talk.say("a follow-up with Dr. Ferreira tomorrow", "book_appointment")
    talk.say("April 19, 1980")
    talk.say("1", "select")
    assert talk.say("yes but on Wednesday", "affirm") == ["utter_offers"]
    assert booked(talk) == []


def test_a_question_in_between_is_answered_and_the_offers_stand(talk: Talk) -> None:
    talk.say("a follow-up at the main clinic tomorrow", "book_appointment")
    talk.say("April 19, 1980")
    before = {visit.id for visit in held(talk)}
    assert talk.say("is there parking?", "ask_parking") == ["Maple Grove North: Free garage under the building.", "utter_offers"]
    assert {visit.id for visit in held(talk)} == before
    assert talk.say("the first one", "select") == ["utter_confirm_booking"]


def test_a_new_patient_is_registered_when_the_visit_is_booked_and_not_before(stranger: Talk) -> None:
    assert stranger.say("I'm new here and need a doctor, tomorrow or Thursday", "book_appointment") == [
        "utter_request_name_and_birth_date"
    ]
    assert stranger.say("Clara Weiss, March 12 1985") == ["utter_offers"]
    with stranger.database.reading() as session:
        assert patients.on_file(session, phone="+14145550199") == []
    stranger.say("1", "select")
    assert stranger.say("yes please", "affirm") == ["utter_booked", "utter_request_insurer"]
    with stranger.database.reading() as session:
        (clara,) = patients.on_file(session, phone="+14145550199")
        assert (clara.given, clara.family, clara.birth_date, clara.new) == ("Clara", "Weiss", dt.date(1985, 3, 12), True)
        assert [visit.service_id for visit in booking.upcoming(session, patient_id=clara.id)] == ["new-patient"]


def test_a_new_patient_who_asks_for_a_checkup_gets_the_first_visit_and_hears_why(stranger: Talk) -> None:
    stranger.say("I've never been to your clinic, I'd like a checkup on Wednesday", "book_appointment")
    stranger.say("Clara Weiss, March 12 1985")
    assert stranger.last().response == "utter_offers"
    assert "new" in stranger.last().values["note"]
    assert stranger.slots["service"] == "new-patient"


def test_a_known_name_from_an_unknown_number_gets_a_person_and_learns_nothing(talk: Talk, stranger: Talk) -> None:
    stranger.say("I need a follow-up tomorrow", "book_appointment")
    assert stranger.say("Ruth Novak, 4/19/1980") == ["utter_unknown_number"]
    with stranger.database.reading() as session:
        assert [task.reason for task in session.scalars(select(Task))] == ["unknown-number"]


def test_the_third_wrong_birth_date_locks_out_and_calls_a_person(talk: Talk) -> None:
    talk.say("When is my appointment?", "check_appointment")
    assert talk.say("1/1/1970") == ["utter_birth_date_wrong"]
    assert talk.say("2/1/1970") == ["utter_birth_date_wrong"]
    assert talk.say("3/1/1970") == ["utter_locked_out"]
    with talk.database.reading() as session:
        assert [task.reason for task in session.scalars(select(Task))] == ["identity-lockout"]


def test_a_visit_that_needs_an_order_is_refused_with_the_reason(talk: Talk) -> None:
    talk.say("I want my labs done this week", "book_appointment")
    assert talk.say("4/19/1980") == ["utter_refused_needs_order"]
    assert held(talk) == []


def test_who_does_not_give_the_visit_is_named_and_others_are_offered(stranger: Talk) -> None:
    stranger.say("I'm new, first visit with Lars Sorensen on Wednesday", "book_appointment")
    assert stranger.say("Clara Weiss, 3/12/1985") == ["utter_others_do", "utter_offers"]


def test_the_same_turn_twice_books_once(talk: Talk) -> None:
    talk.say("a follow-up tomorrow", "book_appointment")
    talk.say("4/19/1980")
    talk.say("1", "select")
    before = (dict(talk.slots), talk.form)
    talk.say("yes", "affirm", turn="same")
    talk.slots, talk.form = before
    talk.say("yes", "affirm", turn="same")
    assert len(booked(talk)) == 1


def test_a_time_that_was_taken_meanwhile_is_said_and_others_are_offered(talk: Talk, clinic: ClinicFile) -> None:
    until_read_back(talk)
    [chosen] = [offer for offer in talk.slots["offers"] if offer["hold"] == talk.slots["choice"]]
    start = dt.datetime.fromisoformat(chosen["start"])
    with talk.database.transaction() as session:
        booking.release(session, held_for=talk.conversation_id, agent="test")
    with talk.database.transaction() as session:
        wanted = Request("follow-up", practitioners=(chosen["practitioner"],))
        [time] = search.find(session, clinic, wanted, start=start, end=start + dt.timedelta(minutes=1))
        booking.hold(session, clinic, time=time, held_for="somebody else", agent="test", key="theirs")
    assert talk.say("yes", "affirm") == ["utter_time_gone", "utter_offers"]
    assert booked(talk) == []


def test_a_need_at_the_visit_goes_to_its_team_and_onto_the_record(talk: Talk) -> None:
    talk.say("I use a wheelchair. I'd like a follow-up tomorrow", "book_appointment")
    talk.say("4/19/1980")
    with talk.database.reading() as session:
        assert [task.team for task in session.scalars(select(Task))] == ["mobility"]
        assert session.scalars(select(Patient)).one().needs == ["wheelchair"]


def test_words_that_say_nothing_bring_a_person_the_third_time(talk: Talk) -> None:
    talk.say("I need a visit", "book_appointment")
    assert talk.say("blorp", "nlu_fallback")[0] == "utter_unclear"
    assert talk.say("blorp", "nlu_fallback")[0] == "utter_unclear_again"
    assert talk.say("blorp", "nlu_fallback")[0].startswith("utter_handoff")


def test_a_second_visit_of_the_same_kind_is_asked_about_first(talk: Talk) -> None:
    for text, intent in (("a follow-up tomorrow", "book_appointment"), ("4/19/1980", "inform"), ("1", "select"), ("yes", "affirm")):
        talk.say(text, intent)
    assert talk.say("book me a follow-up on Thursday", "book_appointment") == ["utter_already_booked"]
    assert talk.say("no, another one", "deny") == ["utter_offers"]
    assert talk.say("never mind", "stop") == ["utter_nothing_booked"]
    assert len(booked(talk)) == 1


def test_a_second_visit_of_the_same_kind_can_be_a_move_of_the_first(talk: Talk) -> None:
    for text, intent in (("a follow-up tomorrow", "book_appointment"), ("4/19/1980", "inform"), ("1", "select"), ("yes", "affirm")):
        talk.say(text, intent)
    assert talk.say("book me a follow-up on Thursday", "book_appointment") == ["utter_already_booked"]
    assert talk.say("yes please", "affirm") == ["utter_offers"]
    assert talk.form == "reschedule_form"


def test_the_husband_is_asked_for_his_own_birth_date(talk: Talk) -> None:
    with talk.database.transaction() as session:
        make_patient(session, given="Anton", family="Novak", birth_date="1979-02-02", phone="+14145550142")
    talk.say("I'd like a flu shot tomorrow. My husband needs one too, but mine first", "book_appointment")
    for text, intent in (("4/19/1980", "inform"), ("1", "select"), ("yes", "affirm")):
        talk.say(text, intent)
    assert talk.say("now one for my husband Anton Novak, a flu shot, also tomorrow", "book_appointment") == [
        "utter_request_birth_date_of"
    ]
    talk.say("2/2/1979")
    talk.say("2", "select")
    talk.say("yes", "affirm")
    with talk.database.reading() as session:
        names = {patient.id: patient.given for patient in session.scalars(select(Patient))}
    assert sorted(names[visit.patient_id or ""] for visit in booked(talk)) == ["Anton", "Ruth"]


def test_a_question_at_the_birth_date_is_answered_and_no_name(talk: Talk) -> None:
    talk.say("a follow-up tomorrow", "book_appointment")
    said = talk.say("Before that, where do I leave the car at north?", "ask_parking", confidence=0.2)
    assert said == ["Maple Grove North: Free garage under the building.", "utter_request_birth_date"]


def test_a_birth_date_corrected_at_once_does_not_count_as_wrong(talk: Talk) -> None:
    talk.say("When is my appointment?", "check_appointment")
    assert talk.say("4/9/1980") == ["utter_birth_date_wrong"]
    assert talk.say("sorry, I mean 4/19/1980") == ["utter_no_visits"]


def until_read_back(talk: Talk, wish: str = "a follow-up with Dr. Ferreira tomorrow") -> None:
    for text, intent in ((wish, "book_appointment"), ("4/19/1980", "inform"), ("1", "select")):
        talk.say(text, intent)
    assert talk.last().response == "utter_confirm_booking"


@pytest.mark.parametrize(
    "words", ["thanks! do I have to bring anything?", "great, but do you take my insurance?", "sounds good but let me ask first"]
)
def test_a_yes_with_a_question_books_nothing(talk: Talk, words: str) -> None:
    until_read_back(talk)
    talk.say(words, "affirm")
    assert booked(talk) == []


def test_a_number_at_the_read_back_is_another_of_the_offers_and_no_yes(talk: Talk) -> None:
    until_read_back(talk)
    first = talk.last().values["when"]
    assert talk.say("3", "affirm") == ["utter_confirm_booking"]
    assert talk.last().values["when"] != first
    assert booked(talk) == []


def test_the_earliest_chooses_from_the_offers(talk: Talk) -> None:
    talk.say("a follow-up with Dr. Ferreira tomorrow", "book_appointment")
    talk.say("4/19/1980")
    earliest = min(offer["start"] for offer in talk.slots["offers"])
    assert talk.say("the earliest please", "inform") == ["utter_confirm_booking"]
    chosen = next(offer for offer in talk.slots["offers"] if offer["hold"] == talk.slots["choice"])
    assert chosen["start"] == earliest


def test_a_bare_yes_to_three_times_asks_which(talk: Talk) -> None:
    talk.say("a follow-up tomorrow", "book_appointment")
    talk.say("4/19/1980")
    assert talk.say("yes", "affirm") == ["utter_which_one"]
    assert talk.slots.get("unclear") in (None, 0)


def test_saying_an_offered_time_again_finds_it_free(talk: Talk) -> None:
    talk.say("a follow-up with Dr. Ferreira on Thursday", "book_appointment")
    talk.say("4/19/1980")
    assert talk.say("Thursday at 8:20 or 8:40", "inform") == ["utter_offers"]
    assert all("Nov 19, 8:" in line for line in talk.last().values["options"].splitlines())


def test_a_yes_after_the_hold_expired_still_books_what_is_free(talk: Talk, clock) -> None:
    until_read_back(talk)
    clock.set("2026-11-16T09:30:00-06:00")
    assert talk.say("yes", "affirm") == ["utter_booked"]
    assert len(booked(talk)) == 1


def test_a_second_service_of_the_first_words_is_not_forgotten(talk: Talk) -> None:
    talk.say("I need a follow-up and a flu shot tomorrow", "book_appointment")
    talk.say("4/19/1980")
    talk.say("1", "select")
    assert talk.say("yes", "affirm") == ["utter_booked", "utter_also"]
    talk.say("yes please", "affirm")
    assert talk.slots["service"] == "vaccine"


def test_a_husband_who_may_come_along_does_not_change_who_it_is_for(talk: Talk) -> None:
    until_read_back(talk)
    talk.say("my husband can come too?", "inform")
    talk.say("ok", "affirm")
    with talk.database.reading() as session:
        assert [patient.given for patient in session.scalars(select(Patient))] == ["Ruth"]


def test_the_son_who_is_on_file_is_asked_for_his_birth_date_alone(talk: Talk) -> None:
    with talk.database.transaction() as session:
        make_patient(session, given="Theo", family="Novak", birth_date="2016-03-03", phone="+14145550142")
    for text, intent in (("a flu shot tomorrow", "book_appointment"), ("4/19/1980", "inform"), ("1", "select"), ("yes", "affirm")):
        talk.say(text, intent)
    assert talk.say("now a flu shot for my son Theo, tomorrow", "book_appointment") == ["utter_request_birth_date_of"]
    assert talk.say("March 3rd 2016") == ["utter_offers"]


@pytest.mark.parametrize(
    ("payer", "said"),
    [
        ({"payer_id": "pinecrest", "payer_name": "Pinecrest Health Plan"}, ["utter_not_in_network", "utter_confirm_booking"]),
        ({"payer_id": "greatlakes", "payer_name": "Great Lakes Mutual"}, ["utter_confirm_booking"]),
        ({"payer_id": None, "payer_name": "Farm Bureau"}, ["utter_payer_not_taken", "utter_confirm_booking"]),
    ],
)
def test_a_payer_that_is_not_taken_is_told_before_the_read_back(talk: Talk, payer: dict[str, str], said: list[str]) -> None:
    with talk.database.transaction() as session:
        (ruth,) = session.scalars(select(Patient))
        coverage.record(session, patient_id=ruth.id, subscriber_id="X1", agent="test", **payer)
    talk.say("a follow-up with Lars Sorensen tomorrow", "book_appointment")
    talk.say("4/19/1980")
    assert talk.say("1", "select") == said
    assert talk.say("yes", "affirm") == ["utter_booked"]


def test_the_payer_that_is_named_counts_and_is_told_of_once(talk: Talk) -> None:
    talk.say("a follow-up with Lars Sorensen tomorrow, I have Pinecrest", "book_appointment")
    talk.say("4/19/1980")
    assert talk.say("1", "select") == ["utter_not_in_network", "utter_confirm_booking"]
    assert "Ferreira" in talk.last().values.get("others", "") or "Ferreira" in talk.heard[0].values["others"]
    assert talk.say("2", "select") == ["utter_confirm_booking"]


def test_what_giving_up_one_wish_would_bring_is_offered_where_nothing_fits(talk: Talk) -> None:
    talk.say("a follow-up with Dr. Brandt on Monday November 23 in the morning", "book_appointment")
    assert talk.say("4/19/1980") == ["utter_offers_instead"]
    values = talk.last().values
    assert values["has"] == "Dr. Brandt has"
    given_up = [offer["gives_up"] for offer in talk.slots["offers"]]
    assert ["time"] in given_up
    assert ["practitioners"] in given_up
    number = given_up.index(["practitioners"]) + 1
    assert talk.say(str(number), "select") == ["utter_confirm_booking"]
    assert talk.say("yes", "affirm") == ["utter_booked"]
    (made,) = booked(talk)
    assert made.practitioner_id != "brandt"


def test_a_sooner_time_is_offered_beside_one_that_fits_but_is_far_off(talk: Talk, clinic: ClinicFile) -> None:
    with talk.database.transaction() as session:
        wanted = Request("follow-up", practitioners=("brandt",))
        start = dt.datetime(2026, 11, 16, 15, tzinfo=dt.UTC)
        while free := search.find(session, clinic, wanted, start=start, end=start + dt.timedelta(days=24), limit=1):
            stranger = make_patient(session).id
            booking.book(session, clinic, patient_id=stranger, time=free[0], agent="test", key=str(free[0].start))
    talk.say("a follow-up with Dr. Brandt, whenever", "book_appointment")
    assert talk.say("4/19/1980") == ["utter_offers_instead"]
