"""How somebody wants to be reached, in free words."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from actions import preferences
from scheduling_core import sending
from scheduling_core.models import Channel, Patient
from tests.actions.conftest import PHONE
from tests.actions.talk import Talk
from tests.factories import make_patient

RUTH = "ruth@home.example"


@pytest.mark.parametrize(
    ("words", "wished"),
    [
        ("email me instead", Channel.EMAIL),
        ("Can you e-mail me the reminders?", Channel.EMAIL),
        ("i'd rather get emails", Channel.EMAIL),
        ("please send my reminders by email", Channel.EMAIL),
        ("email me and don't text", Channel.EMAIL),
        ("prefiero por correo", Channel.EMAIL),
        ("mándenme los recordatorios por correo", Channel.EMAIL),
        ("mejor por correo", Channel.EMAIL),
        ("call me instead of texting", Channel.VOICE),
        ("I prefer phone calls", Channel.VOICE),
        ("prefiero que me llamen", Channel.VOICE),
        ("text me instead of calling", Channel.SMS),
        ("i prefer texts", Channel.SMS),
        ("prefiero mensajes de texto", Channel.SMS),
        # what is none
        ("please call me", None),
        ("can someone call me back?", None),
        ("call me instead", None),
        ("I prefer Dr. Ferreira", None),
        ("i prefer mornings", None),
        ("did you get my email", None),
        ("my email is ruth@home.example", None),
        ("email me the lab results", None),
        ("text me the address", None),
        ("prefiero por la tarde", None),
        ("i prefer a video call", None),
    ],
)
def test_a_way_is_read_from_free_words(words: str, wished: Channel | None) -> None:
    assert preferences.wish(words) is wished


def on_file(talk: Talk) -> list[Patient]:
    with talk.database.reading() as session:
        return list(session.scalars(select(Patient).order_by(Patient.birth_date)))


def give_address(talk: Talk) -> None:
    with talk.database.transaction() as session:
        session.scalars(select(Patient)).one().email = RUTH


@pytest.mark.parametrize("intent", ["request_info", "nlu_fallback", "out_of_scope"])
def test_who_wants_mail_is_reminded_by_mail(talk: Talk, clinic, intent: str) -> None:
    give_address(talk)
    assert talk.say("can you email me the reminders instead", intent) == ["utter_prefers_mail"]
    [ruth] = on_file(talk)
    assert ruth.prefers is Channel.EMAIL
    with talk.database.reading() as session:
        assert sending.way_to(session, clinic, ruth) == (Channel.EMAIL, RUTH)


def test_without_an_address_on_file_it_is_asked_for(talk: Talk) -> None:
    assert talk.say("email me instead", "nlu_fallback") == ["utter_prefers_no_address"]
    assert on_file(talk)[0].prefers is None


def test_a_way_can_be_chosen_anew(talk: Talk, clinic) -> None:
    give_address(talk)
    talk.say("email me instead", "nlu_fallback")
    assert talk.say("i prefer texts", "nlu_fallback") == ["utter_prefers_text"]
    with talk.database.reading() as session:
        assert sending.way_to(session, clinic, on_file(talk)[0]) == (Channel.SMS, PHONE)


def test_it_is_for_all_of_a_number(talk: Talk) -> None:
    with talk.database.transaction() as session:
        make_patient(session, given="Leo", birth_date="2015-03-02", phone=PHONE)
    talk.say("I prefer phone calls", "nlu_fallback")
    assert [one.prefers for one in on_file(talk)] == [Channel.VOICE] * 2


def test_a_number_that_nobody_has_chooses_nothing(stranger: Talk, talk: Talk) -> None:
    assert "utter_prefers_call" not in stranger.say("I prefer phone calls", "nlu_fallback")
    assert on_file(talk)[0].prefers is None


def test_a_way_that_the_clinic_does_not_go_stays_a_wish(talk: Talk, clinic) -> None:
    give_address(talk)
    talk.say("email me instead", "nlu_fallback")
    content = clinic.model_dump(by_alias=True)
    content["reminders"]["channels"] = ["sms"]
    with talk.database.reading() as session:
        assert sending.way_to(session, type(clinic).model_validate(content), on_file(talk)[0]) == (Channel.SMS, PHONE)
