"""Several visits in one go: read back in one sentence, agreed to once, booked whole."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from scheduling_core.models import Appointment, AppointmentStatus, Patient
from tests.actions.conftest import PHONE
from tests.actions.talk import Talk
from tests.factories import make_patient


def booked(talk: Talk) -> list[tuple[str, str, dt.datetime]]:
    """Of each visit on the books who, what and when, in the order of time."""
    with talk.database.reading() as session:
        names = {patient.id: patient.given for patient in session.scalars(select(Patient))}
        found = session.scalars(
            select(Appointment).where(Appointment.status == AppointmentStatus.BOOKED).order_by(Appointment.start)
        ).all()
        return [(names[one.patient_id or ""], one.service_id, one.start) for one in found if one.start]


def held(talk: Talk) -> int:
    with talk.database.reading() as session:
        return len(session.scalars(select(Appointment).where(Appointment.status == AppointmentStatus.PROPOSED)).all())


@pytest.fixture
def family(talk: Talk) -> Talk:
    """Ruth's number is that of Mia and Leo, too."""
    with talk.database.transaction() as session:
        for given, born in (("Mia", "2016-03-03"), ("Leo", "2018-05-05")):
            make_patient(session, given=given, family="Novak", birth_date=born, phone=PHONE)
    return talk


def test_two_services_in_one_go_are_agreed_to_once(talk: Talk) -> None:
    talk.say("can I get my physical and my flu shot in one go, tomorrow", "book_appointment")
    assert talk.say("4/19/1980") == ["utter_offers"]
    assert talk.last().values["head"] == "Annual physical and Vaccination at Maple Grove North"
    assert talk.say("1", "select") == ["utter_confirm_together"]
    assert talk.last().values["chain"].startswith("For Ruth, Tuesday, November 17 at Maple Grove North: Annual physical at")
    assert booked(talk) == []
    assert talk.say("yes please", "affirm") == ["utter_booked_together"]
    (_, first, start), (_, second, then) = booked(talk)
    assert (first, second, then - start) == ("physical", "vaccine", dt.timedelta(minutes=40))
    assert held(talk) == 0


def test_the_same_turn_twice_books_a_chain_once(talk: Talk) -> None:
    talk.say("my physical and a flu shot back to back tomorrow", "book_appointment")
    talk.say("4/19/1980")
    talk.say("1", "select")
    before = (dict(talk.slots), talk.form)
    talk.say("yes", "affirm", turn="same")
    talk.slots, talk.form = before
    talk.say("yes", "affirm", turn="same")
    assert len(booked(talk)) == 2


def test_both_children_one_after_the_other_prove_one_by_one_who_they_are(family: Talk) -> None:
    assert family.say("I need to book both my kids, one after the other, well-child visits on Wednesday", "book_appointment") == [
        "utter_one_by_one",
        "utter_request_name_and_birth_date_of_other",
    ]
    assert family.say("Mia Novak 3/3/2016") == ["utter_next_person", "utter_request_name_and_birth_date_of_other"]
    assert family.say("Leo Novak, May 5 2018") == ["utter_offers"]
    assert family.last().values["head"].startswith("Well-child visit, Mia and Leo")
    family.say("the first one", "select")
    assert family.say("book both", "affirm") == ["utter_booked_together"]
    (one, first, start), (other, second, then) = booked(family)
    assert ({one, other}, first, second, then - start) == ({"Mia", "Leo"}, "well-child", "well-child", dt.timedelta(minutes=30))


def test_children_of_this_number_who_are_named_tell_their_birth_dates_alone(family: Talk) -> None:
    said = family.say("flu shots for my kids Mia and Leo together tomorrow", "book_appointment")
    assert said == ["utter_one_by_one", "utter_request_birth_date_of"]
    assert family.say("March 3rd 2016") == ["utter_next_person", "utter_request_birth_date_of"]
    assert family.say("May 5th 2018") == ["utter_offers"]
    family.say("1", "select")
    family.say("both please", "inform")
    assert [(who, what) for who, what, _ in booked(family)] == [("Mia", "vaccine"), ("Leo", "vaccine")]


def test_a_wrong_birth_date_of_the_second_child_books_and_tells_nothing(family: Talk) -> None:
    family.say("flu shots for my kids Mia and Leo together tomorrow", "book_appointment")
    family.say("March 3rd 2016")
    assert family.say("1/1/2011") == ["utter_birth_date_wrong"]
    assert family.say("2/2/2012") == ["utter_birth_date_wrong"]
    assert family.say("3/3/2013") == ["utter_locked_out"]
    assert booked(family) == []


def test_each_with_a_service_of_their_own(family: Talk) -> None:
    said = family.say("a follow-up for me and a flu shot for my son Leo back to back tomorrow", "book_appointment")
    assert said == ["utter_one_by_one", "utter_request_birth_date"]
    assert family.say("4/19/1980") == ["utter_next_person", "utter_request_birth_date_of"]
    assert family.say("5/5/2018") == ["utter_offers"]
    family.say("1", "select")
    family.say("yes", "affirm")
    assert {(who, what) for who, what, _ in booked(family)} == {("Ruth", "follow-up"), ("Leo", "vaccine")}


def test_new_children_are_registered_with_their_visits_and_not_before(stranger: Talk) -> None:
    stranger.say("my two kids need flu shots tomorrow, they are new", "book_appointment")
    stranger.say("Clara Weiss, March 12 2015")
    assert stranger.say("Emil Weiss, June 1 2017")[-1] == "utter_offers"
    with stranger.database.reading() as session:
        assert session.scalars(select(Patient)).all() == []
    stranger.say("1", "select")
    stranger.say("yes", "affirm")
    assert sorted(who for who, _, _ in booked(stranger)) == ["Clara", "Emil"]


def test_one_of_them_alone_goes_on_where_the_other_cannot_be_had(talk: Talk) -> None:
    talk.say("labs and a flu shot in one go tomorrow", "book_appointment")
    assert talk.say("4/19/1980") == ["utter_refused_needs_order", "utter_go_on_with", "utter_offers"]
    talk.say("1", "select")
    talk.say("yes", "affirm")
    assert [what for _, what, _ in booked(talk)] == ["vaccine"]


def test_services_of_two_places_are_booked_one_by_one(family: Talk) -> None:
    family.say("my son Leo needs a kids checkup and flu shot at south on the same day, Monday", "book_appointment")
    said = family.say("5/5/2018")
    assert "utter_not_at_this_place" in said or "utter_not_in_one_place" in said


def test_just_one_of_them_after_all(talk: Talk) -> None:
    talk.say("my physical and my flu shot on the same day tomorrow", "book_appointment")
    talk.say("4/19/1980")
    assert talk.say("actually just the flu shot", "wrong_correction") == ["utter_offers"]
    assert talk.last().values["head"].startswith("Vaccination")
    talk.say("1", "select")
    talk.say("yes", "affirm")
    assert [what for _, what, _ in booked(talk)] == ["vaccine"]


def test_only_one_of_the_children_after_all(family: Talk) -> None:
    family.say("flu shots for my kids Mia and Leo together tomorrow", "book_appointment")
    family.say("March 3rd 2016")
    family.say("May 5th 2018")
    family.say("only for Mia please", "wrong_correction")
    family.say("1", "select")
    assert family.last().values["first"] == "Mia"
    family.say("yes", "affirm")
    assert [(who, what) for who, what, _ in booked(family)] == [("Mia", "vaccine")]


def test_another_day_at_the_read_back_is_searched_anew(talk: Talk) -> None:
    talk.say("my physical and a flu shot in one visit tomorrow", "book_appointment")
    talk.say("4/19/1980")
    talk.say("1", "select")
    assert talk.say("no, on Thursday please", "deny") == ["utter_offers"]
    assert "Thu Nov 19" in talk.last().values["options"]
    talk.say("2", "select")
    talk.say("yes", "affirm")
    assert {start.date() for _, _, start in booked(talk)} == {dt.date(2026, 11, 19)}


def test_another_goal_in_between_leaves_nothing_behind(family: Talk) -> None:
    family.say("flu shots for my kids Mia and Leo together tomorrow", "book_appointment")
    family.say("March 3rd 2016")
    family.say("May 5th 2018")
    family.say("actually when is my own appointment?", "check_appointment")
    assert (booked(family), held(family)) == ([], 0)
    assert family.slots["together"] is None


def test_a_service_is_added_while_a_time_is_chosen(talk: Talk) -> None:
    talk.say("a physical tomorrow", "book_appointment")
    talk.say("4/19/1980")
    assert talk.say("can I also get a flu shot while I'm there?", "book_appointment") == ["utter_offers"]
    assert talk.last().values["head"].startswith("Annual physical and Vaccination")


def test_the_one_for_my_son_is_what_was_booked_last(family: Talk) -> None:
    for text, intent in (("a flu shot tomorrow", "book_appointment"), ("4/19/1980", "inform"), ("1", "select"), ("yes", "affirm")):
        family.say(text, intent)
    assert family.say("now the one for my son Leo, also tomorrow", "book_appointment") == ["utter_request_birth_date_of"]
    family.say("5/5/2018")
    family.say("1", "select")
    family.say("yes", "affirm")
    assert [(who, what) for who, what, _ in booked(family)] == [("Ruth", "vaccine"), ("Leo", "vaccine")]


def test_a_chain_whose_hold_expired_is_booked_where_it_is_still_free(talk: Talk, clock) -> None:
    talk.say("my physical and a flu shot in one visit tomorrow", "book_appointment")
    talk.say("4/19/1980")
    talk.say("1", "select")
    clock.set("2026-11-16T09:30:00-06:00")
    assert talk.say("yes", "affirm") == ["utter_booked_together"]
    assert len(booked(talk)) == 2


def test_a_same_day_visit_is_one_visit(talk: Talk) -> None:
    talk.say("can I get a same day appointment, sore throat", "book_appointment")
    assert talk.slots.get("together") is None


def test_in_spanish_alike(family: Talk) -> None:
    family.slots["language"] = "es"
    family.say("quiero la vacuna para mis hijos Mia y Leo juntos mañana", "book_appointment")
    family.say("3 de marzo de 2016")
    assert family.say("5 de mayo de 2018") == ["utter_offers"]
    assert family.say("la primera", "select") == ["utter_confirm_together"]
    assert " luego Leo a las " in family.last().values["chain"]
    assert family.last().values["all"] == "las dos"
    family.say("sí, las dos", "affirm")
    assert [(who, what) for who, what, _ in booked(family)] == [("Mia", "vaccine"), ("Leo", "vaccine")]


def test_the_same_child_twice_is_asked_for_the_other(family: Talk) -> None:
    family.say("both my kids need flu shots tomorrow", "book_appointment")
    family.say("Mia Novak 3/3/2016")
    said = family.say("Mia Novak, 3/3/2016")
    assert said[0] == "utter_same_person"
    assert family.say("sorry, Leo Novak 5/5/2018") == ["utter_offers"]


def test_a_question_in_between_leaves_what_goes_together_on_offer(talk: Talk) -> None:
    talk.say("my physical and a flu shot in one visit at north tomorrow", "book_appointment")
    talk.say("4/19/1980")
    assert talk.say("is there parking?", "ask_parking")[-1] == "utter_offers"
    assert talk.last().values["head"].startswith("Annual physical and Vaccination")


def test_a_day_without_room_for_both_offers_the_nearest_in_one_go(talk: Talk) -> None:
    talk.say("my physical and a flu shot in one visit on Saturday", "book_appointment")
    assert talk.say("4/19/1980") == ["utter_offers_instead"]
    assert talk.say("2", "select") == ["utter_confirm_together"]
    assert talk.say("yes", "affirm") == ["utter_booked_together"]


def test_two_segments_hold_the_offers_of_a_family(family: Talk) -> None:
    family.say("flu shots for my kids Mia and Leo together tomorrow", "book_appointment")
    family.say("March 3rd 2016")
    family.say("May 5th 2018")
    values = family.last().values
    assert len(f"{values['head']}:\n{values['options']}\nWhich one works for you? Or name another day or time.") <= 306


def test_both_children_told_in_one_message(family: Talk) -> None:
    family.say("both my kids need flu shots tomorrow", "book_appointment")
    assert family.say("Mia Novak 3/3/2016 and Leo Novak 5/5/2018") == ["utter_offers"]
    assert family.last().values["head"].startswith("Vaccination, Mia and Leo")


def test_both_children_told_in_one_message_by_birth_date_alone(family: Talk) -> None:
    family.say("flu shots for my kids Mia and Leo together tomorrow", "book_appointment")
    assert family.say("March 3 2016 and May 5, 2018") == ["utter_offers"]
