"""What a visit would cost: the price to anybody, the plan's terms to who has proved who they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from bot import payer_simulator
from bot.clearinghouse import Asker, Clearinghouse
from bot.settings import Settings
from scheduling_core import coverage
from scheduling_core.clinic_file import loading
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.eligibility import checks
from scheduling_core.models import EligibilityCheck, Patient, Task
from tests.actions.talk import Talk


@pytest.fixture(scope="module")
def payer_url() -> str:
    return payer_simulator.serve_beside()


@pytest.fixture
def insured(talk: Talk, payer_url: str) -> Iterator[Insured]:
    settings = replace(Settings.from_env({"FRONTDESK_ENV": "test"}), clearinghouse_url=payer_url)
    clearinghouse = Clearinghouse(settings, url=payer_url, timeout=5.0)
    yield Insured(talk, Asker(talk.database, clearinghouse, checks.Sender("FRONTDESK", "CLEARINGHOUSE", False), "w"))
    clearinghouse.close()


class Insured:
    """Ruth with a plan of the invented payer, which has been asked."""

    def __init__(self, talk: Talk, asker: Asker) -> None:
        self.talk, self.asker = talk, asker

    def by(self, member_id: str) -> Talk:
        with self.talk.database.transaction() as session:
            ruth = session.scalars(select(Patient)).one()
            coverage.record(
                session,
                patient_id=ruth.id,
                payer_id="greatlakes",
                payer_name="Great Lakes Mutual",
                subscriber_id=member_id,
                agent="t",
            )
        for _ in range(20):
            if not self.asker.step():
                break
        return self.talk


def test_anybody_hears_the_price_for_who_pays_alone(stranger: Talk) -> None:
    assert stranger.say("how much is a follow-up", "ask_cost") == ["utter_self_pay_price"]
    assert stranger.last().values["price"] == "105.00"


@pytest.mark.parametrize(
    "words",
    [
        "I don't have insurance, how much is a follow-up?",
        "price of a follow-up w/o insurance",
        "what does a follow-up cost if I pay cash",
        "cuánto cuesta un follow-up sin seguro",
        "what do you charge for a follow-up out of pocket?",
    ],
)
def test_who_has_no_insurance_hears_the_price(talk: Talk, words: str) -> None:
    assert talk.say(words, "ask_cost") == ["utter_self_pay_price"]


def test_nothing_of_a_plan_is_told_before_the_birth_date(insured: Insured) -> None:
    talk = insured.by("TEST0000001")
    assert talk.say("what would a follow-up cost me with my insurance", "ask_cost") == [
        "utter_cost_of_plan",
        "utter_request_birth_date",
    ]


@pytest.mark.parametrize(
    ("member_id", "told"),
    [
        ("TEST0000001", "With Great Lakes Mutual in network you would pay about $21 for Follow-up visit: $21 coinsurance."),
        (
            "TEST0000002",
            "With Great Lakes Mutual in network you would pay about $105 for Follow-up visit: $105 of your deductible.",
        ),
        ("TEST0000003", "Great Lakes Mutual tells us that your plan is not active."),
    ],
)
def test_the_cost_is_what_the_payer_says_of_this_member(insured: Insured, member_id: str, told: str) -> None:
    talk = insured.by(member_id)
    talk.say("do you take Great Lakes, and what would a follow-up cost me", "insurance")
    assert talk.heard[0].response == "utter_payer_taken"
    said = talk.say("4/19/1980")
    assert said[0].startswith(told)
    assert said[-1] == "utter_cost_book"
    talk.say("yes", "affirm")
    assert talk.form == "booking_form"
    assert talk.slots["service"] == "follow-up"


def test_billing_has_a_task_when_the_plan_is_not_active(insured: Insured) -> None:
    talk = insured.by("TEST0000003")
    with talk.database.reading() as session:
        assert [task.team for task in session.scalars(select(Task))] == ["billing"]


def test_a_patient_without_insurance_on_file_hears_the_price_and_can_tell_the_insurance(talk: Talk) -> None:
    talk.say("what's my copay for a follow-up", "ask_cost")
    said = talk.say("4/19/1980")
    assert "$105" in said[0]
    assert said[-1] == "utter_cost_without_plan"
    talk.say("yes", "affirm")
    assert talk.form == "coverage_form"


def test_who_asked_the_cost_of_a_visit_books_that_visit_with_any_wish(insured: Insured) -> None:
    talk = insured.by("TEST0000001")
    talk.say("what's my copay for a follow-up", "ask_cost")
    assert talk.say("4/19/1980")[-1] == "utter_cost_book"
    assert "utter_offers" in talk.say("yes please, with Dr. Ferreira tomorrow", "book_appointment")
    assert talk.slots["service"] == "follow-up"


def test_the_visit_is_asked_for_where_none_was_named(insured: Insured) -> None:
    talk = insured.by("TEST0000001")
    talk.say("what is my copay", "insurance")
    assert talk.say("4/19/1980") == ["utter_request_cost_service"]
    assert talk.say("a follow-up")[0].startswith("With Great Lakes Mutual")


def test_in_the_middle_of_a_booking_the_cost_is_told_and_the_booking_goes_on(insured: Insured) -> None:
    talk = insured.by("TEST0000001")
    talk.say("a follow-up tomorrow", "book_appointment")
    talk.say("4/19/1980")
    said = talk.say("what will it cost me?", "ask_cost")
    assert said[0].startswith("With Great Lakes Mutual")
    assert talk.form == "booking_form"
    assert "utter_cost_book" not in said


def test_a_plan_that_is_not_active_is_told_before_the_read_back(insured: Insured) -> None:
    talk = insured.by("TEST0000003")
    talk.say("a follow-up with Dr. Ferreira tomorrow", "book_appointment")
    talk.say("4/19/1980")
    told, asked = talk.say("1", "select")
    assert told.startswith("Great Lakes Mutual tells us that your plan is not active. You can give us another insurance.")
    assert asked == "utter_confirm_booking"
    assert talk.say("2", "select") == ["utter_confirm_booking"], "once is enough"


def test_the_payer_is_asked_about_a_fresh_booking(insured: Insured) -> None:
    talk = insured.by("TEST0000001")
    for text, intent in (("a follow-up tomorrow", "book_appointment"), ("4/19/1980", "inform"), ("1", "select"), ("yes", "affirm")):
        talk.say(text, intent)
    with talk.database.reading() as session:
        asked = session.scalars(select(EligibilityCheck).where(EligibilityCheck.appointment_id.is_not(None))).all()
        assert [(one.service_id, one.status) for one in asked] == [("follow-up", "queued")]


def load(insured: Insured, content: dict[str, Any]) -> None:
    with insured.talk.database.transaction() as session:
        loading.load(session, ClinicFile.model_validate(content), agent="load")


def test_billing_hears_of_another_insurer_that_the_payer_knows_of(insured: Insured) -> None:
    talk = insured.by("TEST0000010")
    with talk.database.reading() as session:
        (task,) = session.scalars(select(Task))
    assert (task.team, task.reason) == ("billing", "coverage-other-payer")
    assert "SECOND MUTUAL" in task.description


def test_the_cost_is_told_and_billing_asked_where_a_visit_that_wants_authorization_stops(
    insured: Insured, clinic: ClinicFile
) -> None:
    content = clinic.model_dump(by_alias=True)
    content["eligibility"]["rules"]["authorization"] = "stop"
    next(payer for payer in content["payers"] if payer["id"] == "greatlakes")["needs_authorization"] = ["follow-up"]
    load(insured, content)
    talk = insured.by("TEST0000001")
    talk.say("what's my copay for a follow-up", "ask_cost")
    assert talk.say("4/19/1980")[0].startswith("With Great Lakes Mutual")
    with talk.database.reading() as session:
        assert "coverage-stops-visit" in [task.reason for task in session.scalars(select(Task))]


def test_a_payer_without_a_list_of_its_network_is_not_told_as_out_of_network(insured: Insured, clinic: ClinicFile) -> None:
    content = clinic.model_dump(by_alias=True)
    next(payer for payer in content["payers"] if payer["id"] == "greatlakes")["in_network"] = []
    load(insured, content)
    talk = insured.by("TEST0000001")
    assert talk.say("do you take Great Lakes Mutual", "insurance") == ["utter_payer_taken_network_unknown"]
    talk.say("a follow-up tomorrow", "book_appointment")
    talk.say("4/19/1980")
    assert talk.say("1", "select")[0] == "utter_network_unconfirmed"


def test_where_the_clinic_file_says_stop_a_person_books(insured: Insured, clinic: ClinicFile) -> None:
    content = clinic.model_dump(by_alias=True)
    content["eligibility"]["rules"]["inactive"] = "stop"
    load(insured, content)
    talk = insured.by("TEST0000003")
    talk.say("a follow-up tomorrow", "book_appointment")
    talk.say("4/19/1980")
    assert talk.say("1", "select")[-1] == "utter_insurance_first"
    assert talk.form is None
    with talk.database.reading() as session:
        assert "coverage-stops-visit" in [task.reason for task in session.scalars(select(Task))]
