"""Changing what is on file, and words about the patient's health."""

from __future__ import annotations

from sqlalchemy import select

from scheduling_core.models import Patient, Statement
from tests.actions.talk import Talk


def statements(talk: Talk) -> list[tuple[str, str]]:
    with talk.database.reading() as session:
        return [(one.kind.value, one.said) for one in session.scalars(select(Statement).order_by(Statement.created_at))]


def test_an_allergy_is_read_back_and_kept_once_we_know_of_whom(talk: Talk) -> None:
    talk.say("I'm allergic to penicillin")
    assert statements(talk) == []
    assert talk.say("4/19/1980") == ["utter_confirm_health"]
    assert talk.heard[0].values["detail"] == "I'm allergic to penicillin"
    assert talk.say("yes", "affirm") == ["utter_detail_saved"]
    assert statements(talk) == [("allergies", "I'm allergic to penicillin")]


def test_medicines_can_be_told_after_they_were_asked_for(talk: Talk) -> None:
    talk.say("I want to update my medications", "update_details")
    assert talk.say("4/19/1980") == ["utter_request_new_health"]
    assert talk.say("lisinopril and a baby aspirin") == ["utter_confirm_health"]
    talk.say("yes", "affirm")
    assert statements(talk) == [("medicines", "lisinopril and a baby aspirin")]


def test_what_is_said_of_health_in_the_middle_of_a_booking_is_kept_and_the_booking_goes_on(talk: Talk) -> None:
    talk.say("I need a follow-up, I take metformin", "book_appointment")
    assert "utter_health_noted" not in [said.response for said in talk.heard], "nobody is known yet on whose record it could be"
    assert statements(talk) == []
    assert "utter_health_noted" in talk.say("4/19/1980")
    assert statements(talk) == [("medicines", "I need a follow-up, I take metformin")]
    said = talk.say("no allergies by the way, tomorrow would be good")
    assert said[0] == "utter_health_noted"
    assert talk.form == "booking_form"
    assert [kind for kind, _ in statements(talk)] == ["medicines", "allergies"]


def test_a_new_address_is_read_back_before_it_is_written(talk: Talk) -> None:
    talk.say("we moved to 907 W Oak Ave, Milwaukee, WI 53202", "update_details")
    assert talk.say("4/19/1980") == ["utter_confirm_address"]
    talk.say("yes", "affirm")
    with talk.database.reading() as session:
        assert [who.address for who in session.scalars(select(Patient))] == ["907 W Oak Ave, Milwaukee, WI 53202"]
