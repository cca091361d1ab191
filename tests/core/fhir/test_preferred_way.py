"""How a patient wants to be reached, as FHIR says it: the contact point with the lowest rank."""

from __future__ import annotations

import pytest

from scheduling_core.fhir.people import read_patient
from scheduling_core.fhir.writing import create_patient
from scheduling_core.models import Channel

PHONE = {"system": "phone", "value": "+14145550142"}
MAIL = {"system": "email", "value": "ruth@home.example"}


def resource(*telecom):
    return {
        "resourceType": "Patient",
        "name": [{"family": "Novak", "given": ["Ruth"]}],
        "birthDate": "1980-04-19",
        "telecom": list(telecom),
    }


@pytest.mark.parametrize(
    ("telecom", "prefers"),
    [
        ([PHONE, MAIL], None),
        ([MAIL, PHONE], None),
        ([PHONE | {"rank": 1}, MAIL | {"rank": 2}], None),
        ([PHONE | {"rank": 2}, MAIL | {"rank": 1}], Channel.EMAIL),
        ([PHONE, MAIL | {"rank": 1}], None),  # the number's rank is 1 by its place
        ([MAIL | {"rank": 1}], Channel.EMAIL),
        ([MAIL | {"rank": "first"}, PHONE], None),
    ],
)
def test_mail_is_preferred_where_its_rank_comes_before_every_numbers(clock, telecom, prefers):
    assert read_patient(resource(*telecom), region="US").prefers is prefers


def test_what_was_chosen_comes_back_as_ranks(sqlite_loaded, clinic):
    with sqlite_loaded.transaction() as session:
        made = create_patient(session, clinic, resource(PHONE | {"rank": 2}, MAIL | {"rank": 1}), "test", "key")
    assert {point["system"]: point["rank"] for point in made["telecom"]} == {"phone": 2, "email": 1}
    assert read_patient(made, region="US").prefers is Channel.EMAIL


def test_who_chose_nothing_has_a_mail_address_without_a_rank(sqlite_loaded, clinic):
    with sqlite_loaded.transaction() as session:
        made = create_patient(session, clinic, resource(PHONE, MAIL), "test", "key")
    assert [point.get("rank") for point in made["telecom"]] == [1, None]
