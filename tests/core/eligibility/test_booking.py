"""What insurance means for a visit: obstacles, ways on, tasks for billing, and when payers are asked."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core import coverage, times
from scheduling_core.clinic_file import loading
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.eligibility import checks, consequences, estimates, good_faith, meaning, words
from scheduling_core.eligibility.meaning import Decision, Obstacle
from scheduling_core.models import (
    Appointment,
    AppointmentStatus,
    CheckReason,
    CheckStatus,
    Coverage,
    EligibilityCheck,
    Patient,
    Task,
    new_id,
)
from scheduling_core.x12 import Network
from tests.conftest import Clock
from tests.core.x12.answers import answer
from tests.factories import make_patient

SHORTEST = "EB*1**30"


@pytest.fixture
def payers(clinic: ClinicFile) -> ClinicFile:
    """Maple Grove with a payer that wants much."""
    content = clinic.model_dump(by_alias=True)
    first, second = content["payers"]
    first |= {
        "allowed_amounts": {"physical": "180.00"},
        "needs_referral": ["minor-procedure"],
        "needs_authorization": ["minor-procedure"],
        "not_covered": ["vaccine"],
        "member_id_format": "GLM[0-9]{4}",
    }
    content["self_pay"]["price_list"] |= {"physical": "240.00", "vaccine": "45.00"}
    return ClinicFile.model_validate(content | {"payers": [first, second]})


@pytest.fixture
def known(database: Database, payers: ClinicFile, clock: Clock) -> Database:
    with database.transaction() as session:
        loading.load(session, payers, agent="load")
    return database


def insure(session: Session, payer: str | None = "greatlakes", *, member_id: str | None = "GLM1234", **more: Any) -> Coverage:
    ruth = make_patient(session)
    return coverage.record(
        session, patient_id=ruth.id, payer_id=payer, payer_name="Somebody Else", subscriber_id=member_id, agent="t", **more
    )


def let_answer(session: Session, *lines: str) -> EligibilityCheck:
    """The payer answers the one check that waits."""
    (check,) = checks.claim(session, worker="w", limit=1, lease_seconds=60.0)
    checks.keep_answer(session, check, answer(*lines))
    return check


def visit(
    session: Session, patient: Patient | str, start: str, *, service_id: str = "physical", booked: str | None = None
) -> Appointment:
    begins = dt.datetime.fromisoformat(start)
    made = Appointment(
        id=new_id(),
        status=AppointmentStatus.BOOKED,
        service_id=service_id,
        patient_id=patient if isinstance(patient, str) else patient.id,
        practitioner_id="ferreira",
        location_id="north",
        start=begins,
        end=begins + dt.timedelta(minutes=40),
        created_at=dt.datetime.fromisoformat(booked) if booked else times.now(),
        updated_at=times.now(),
    )
    session.add(made)
    session.flush()
    return made


def obstacles(
    session: Session, clinic: ClinicFile, given: Coverage, service_id: str = "physical", who: str | None = "ferreira"
) -> list[Obstacle]:
    found = meaning.findings(session, clinic, patient_id=given.patient_id, service_id=service_id, practitioner_id=who)
    return [one.obstacle for one in found]


def test_a_covered_visit_in_network_meets_no_obstacle(known: Database, payers: ClinicFile) -> None:
    with known.transaction() as session:
        given = insure(session)
        let_answer(session, SHORTEST)
        assert obstacles(session, payers, given) == []


@pytest.mark.parametrize(
    ("lines", "service", "who", "found"),
    [
        (["EB*6**30"], "physical", "ferreira", [Obstacle.INACTIVE]),
        (["AAA*N**72*C"], "physical", "ferreira", [Obstacle.NOT_FOUND]),
        ([SHORTEST, "EB*I**98"], "physical", "ferreira", [Obstacle.NOT_COVERED]),
        ([SHORTEST], "vaccine", "nurse-abara", [Obstacle.NOT_COVERED]),
        ([SHORTEST, "EB*1**98********Y"], "physical", "ferreira", [Obstacle.AUTHORIZATION]),
        ([SHORTEST], "minor-procedure", "brandt", [Obstacle.REFERRAL, Obstacle.AUTHORIZATION]),
    ],
)
def test_obstacles_come_from_the_answer_and_from_the_clinic_file(
    known: Database, payers: ClinicFile, lines: list[str], service: str, who: str, found: list[Obstacle]
) -> None:
    with known.transaction() as session:
        given = insure(session)
        let_answer(session, *lines)
        assert obstacles(session, payers, given, service, who) == found


def test_the_network_is_the_clinic_files(known: Database, payers: ClinicFile) -> None:
    with known.transaction() as session:
        given = insure(session, "pinecrest")
        let_answer(session, "EB*1**30*********Y")
        assert obstacles(session, payers, given, who="tanaka") == [Obstacle.OUT_OF_NETWORK]
        assert obstacles(session, payers, given, who=None) == []
        unlisted = insure(session, None)
        assert obstacles(session, payers, unlisted) == [Obstacle.NETWORK_UNKNOWN]


def test_a_payer_that_has_not_answered_is_said_so(known: Database, payers: ClinicFile) -> None:
    with known.transaction() as session:
        assert obstacles(session, payers, insure(session)) == [Obstacle.UNANSWERED]


def test_the_strictest_rule_of_the_clinic_file_decides(known: Database, payers: ClinicFile) -> None:
    rules = payers.model_dump(by_alias=True)
    rules["eligibility"]["rules"]["inactive"] = "stop"
    strict = ClinicFile.model_validate(rules)
    with known.transaction() as session:
        given = insure(session)
        let_answer(session, "EB*6**30")
        for clinic, wanted in ((payers, Decision.ASK), (strict, Decision.STOP)):
            found = meaning.findings(session, clinic, patient_id=given.patient_id, service_id="physical")
            assert meaning.decision(found) is wanted
    assert meaning.decision([]) is None


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("obstacle", list(Obstacle))
def test_every_obstacle_has_a_sentence_of_two_texts_at_most(payers: ClinicFile, obstacle: Obstacle, language: str) -> None:
    finding = meaning.Finding(
        obstacle, Decision.TELL, "Great Lakes Mutual", "minor-procedure", "ferreira", ("ferreira", "tanaka"), 24000, "Robin Alder"
    )
    said = words.about(finding, payers, language)
    assert len(said) <= 306
    assert said.endswith(".")
    assert "{" not in said


def test_out_of_network_names_who_is_in_it_and_the_price(known: Database, payers: ClinicFile) -> None:
    with known.transaction() as session:
        given = insure(session, "pinecrest")
        let_answer(session, SHORTEST)
        (found,) = meaning.findings(session, payers, patient_id=given.patient_id, service_id="physical", practitioner_id="tanaka")
    assert words.about(found, payers) == (
        "Dr. Kenji Tanaka is not in network with Pinecrest Health Plan, so your plan may pay less or nothing. "
        "In network: Dr. Joana Ferreira. If you pay yourself it is $240."
    )


def test_billing_gets_a_task_for_each_thing_to_settle_once(known: Database, payers: ClinicFile) -> None:
    with known.transaction() as session:
        given = insure(session)
        booked = visit(session, given.patient_id, "2026-12-02T15:00:00+00:00", service_id="minor-procedure")
        check = let_answer(session, SHORTEST)
        for _ in range(2):
            consequences.tell_billing(session, payers, check.id)
            consequences.note_visit(session, payers, booked)
        found = session.scalars(select(Task).order_by(Task.reason)).all()
    assert [(task.team, task.reason) for task in found] == [("billing", "coverage-authorization"), ("billing", "coverage-referral")]


def test_a_booking_has_every_payer_asked_about_its_service(known: Database, payers: ClinicFile) -> None:
    with known.transaction() as session:
        given = insure(session)
        insure_again = coverage.record(
            session, patient_id=given.patient_id, payer_id="pinecrest", payer_name="P", subscriber_id="X", rank=2, agent="t"
        )
        booked = visit(session, given.patient_id, "2026-12-02T15:00:00+00:00")
        asked = consequences.after_booking(session, payers, appointment_id=booked.id, agent="t")
        assert consequences.after_booking(session, payers, appointment_id=booked.id, agent="t") == []
    assert {check.coverage_id for check in asked} == {given.id, insure_again.id}
    assert {(check.service_type, check.on_date) for check in asked} == {("98", dt.date(2026, 12, 2))}


def test_a_visit_is_checked_days_before_and_only_once(known: Database, payers: ClinicFile, clock: Clock) -> None:
    with known.transaction() as session:
        given = insure(session)
        let_answer(session, SHORTEST)
        visit(session, given.patient_id, "2026-12-02T15:00:00+00:00")
        assert not checks.any_due(session, payers)
    clock.set("2026-11-29T00:10:00-06:00")
    with known.transaction() as session:
        assert checks.any_due(session, payers)
        checks.request_due(session, payers)
        assert not checks.any_due(session, payers)
        last = session.scalars(select(EligibilityCheck).where(EligibilityCheck.status == CheckStatus.QUEUED)).one()
        assert (last.reason, last.on_date) == (CheckReason.BEFORE_VISIT, dt.date(2026, 12, 2))


def test_a_visit_moved_to_another_day_is_asked_about_again(known: Database, payers: ClinicFile, clock: Clock) -> None:
    clock.set("2026-12-01T09:00:00-06:00")
    with known.transaction() as session:
        given = insure(session)
        let_answer(session, SHORTEST)
        booked = visit(session, given.patient_id, "2026-12-02T15:00:00+00:00")
        checks.request_due(session, payers)
        for later in ("2026-12-02T20:00:00+00:00", "2026-12-03T15:00:00+00:00", "2026-12-02T15:00:00+00:00"):
            booked.start = dt.datetime.fromisoformat(later)
            booked.end = booked.start + dt.timedelta(minutes=40)
            session.flush()
            checks.request_due(session, payers)
            assert not checks.any_due(session, payers)
        asked = session.scalars(select(EligibilityCheck).where(EligibilityCheck.reason == CheckReason.BEFORE_VISIT)).all()
    assert sorted(check.on_date for check in asked) == [dt.date(2026, 12, 2), dt.date(2026, 12, 3)]


def test_an_old_answer_is_asked_for_again_while_a_visit_is_ahead(known: Database, payers: ClinicFile, clock: Clock) -> None:
    with known.transaction() as session:
        given, nobody = insure(session), insure(session)
        let_answer(session, SHORTEST)
        let_answer(session, SHORTEST)
        visit(session, given.patient_id, "2027-02-02T15:00:00+00:00")
    clock.set("2026-12-20T09:00:00-06:00")
    with known.transaction() as session:
        checks.request_due(session, payers)
        assert not checks.any_due(session, payers)
        asked = session.scalars(select(EligibilityCheck).where(EligibilityCheck.reason == CheckReason.AGED)).all()
    assert [check.coverage_id for check in asked] == [given.id] != [nobody.id]


def test_no_more_checks_are_claimed_than_there_is_room_for(known: Database) -> None:
    with known.transaction() as session:
        given = insure(session)
        for number in range(59):
            checks.request(session, coverage=given, reason=CheckReason.DEMAND, agent="t", key=str(number))
    claimed: list[str] = []
    for _ in range(5):
        with known.transaction() as session:
            found = checks.claim(session, worker="w", limit=12, lease_seconds=60.0)
        assert len(found) == 12
        claimed += [check.id for check in found]
    assert len(set(claimed)) == 60


def test_a_changed_member_number_is_asked_about_and_kept_with_the_old(known: Database) -> None:
    with known.transaction() as session:
        given = insure(session)
        coverage.change(session, coverage_id=given.id, subscriber_id="GLM9999", agent="desk")
        coverage.change(session, coverage_id=given.id, subscriber_id="GLM9999", agent="desk")
        assert len(session.scalars(select(EligibilityCheck)).all()) == 2


@pytest.mark.parametrize(
    ("payer", "number", "doubted"),
    [("greatlakes", "glm 1234", False), ("greatlakes", "GLM12", True), ("pinecrest", "x", False), (None, "x", False)],
)
def test_a_member_number_that_looks_odd_is_only_doubted(payers: ClinicFile, payer: str | None, number: str, doubted: bool) -> None:
    assert coverage.doubts_member_id(payers, payer, number) is doubted


@pytest.mark.parametrize(
    ("lines", "low", "high", "said"),
    [
        (
            [SHORTEST, "EB*C*IND*30***29*0*****Y", "EB*A*IND*30*****.2****Y"],
            3600,
            3600,
            "about $36 for Annual physical: $36 coinsurance.",
        ),
        ([SHORTEST, "EB*C*IND*30***29*500*****Y", "EB*A*IND*30*****.2****Y"], 18000, 18000, "$180 of your deductible"),
        ([SHORTEST, "EB*B*IND*98***27*30*****Y"], 3000, 3000, "$30 copay"),
        (["EB*6**30"], 24000, 24000, "your plan does not pay for it"),
        ([SHORTEST, "EB*A*IND*30*****.2****Y"], 3600, 18000, "between $36 and $180"),
    ],
)
def test_a_patient_hears_what_a_visit_costs_and_why(
    known: Database, payers: ClinicFile, lines: list[str], low: int, high: int, said: str
) -> None:
    with known.transaction() as session:
        given = insure(session)
        let_answer(session, *lines)
        found = estimates.for_patient(session, payers, patient_id=given.patient_id, service_id="physical", agent="t")
    assert (found.estimate.low, found.estimate.high, found.network) == (low, high, Network.IN)
    sentence = words.cost(found, payers)
    assert said in sentence
    assert sentence.endswith("This is an estimate, not a bill.")
    assert len(words.cost(found, payers, "es")) <= 306


@pytest.mark.parametrize(
    ("language", "said"), [("en", "less if you have met your yearly maximum"), ("es", "menos si ya alcanzó su máximo anual")]
)
def test_a_maximum_whose_rest_nobody_stated_is_told(known: Database, payers: ClinicFile, language: str, said: str) -> None:
    for stated, told in (("23*6000", True), ("29*6000", False)):
        with known.transaction() as session:
            given = insure(session)
            let_answer(session, SHORTEST, "EB*B*IND*98***27*30*****Y", f"EB*G*IND*30***{stated}*****Y")
            found = estimates.for_patient(session, payers, patient_id=given.patient_id, service_id="physical", agent="t")
        sentence = words.cost(found, payers, language)
        assert (said in sentence) is told
        assert len(sentence) <= 306


def test_who_has_no_insurance_hears_the_price(known: Database, payers: ClinicFile) -> None:
    with known.transaction() as session:
        ruth = make_patient(session)
        found = estimates.for_patient(session, payers, patient_id=ruth.id, service_id="physical", agent="t")
    assert words.cost(found, payers) == "Annual physical is $240 if you pay yourself. This is an estimate, not a bill."


@pytest.mark.parametrize(
    ("scheduled", "service", "due"),
    [
        ("2026-11-16", "2026-11-18", None),
        ("2026-11-16", "2026-11-19", "2026-11-17"),
        ("2026-11-16", "2026-11-30", "2026-11-17"),  # Thanksgiving is no business day: nine ahead
        ("2026-11-16", "2026-12-01", "2026-11-19"),
        ("2026-11-20", "2026-11-25", "2026-11-23"),
        ("2026-11-25", "2026-12-14", "2026-12-01"),
    ],
)
def test_the_good_faith_estimate_is_due_on_the_laws_day(scheduled: str, service: str, due: str | None) -> None:
    found = good_faith.due_day(dt.date.fromisoformat(scheduled), dt.date.fromisoformat(service))
    assert found == (dt.date.fromisoformat(due) if due else None)


def test_a_visit_of_who_pays_alone_gets_a_task_with_the_laws_day_once(known: Database, payers: ClinicFile) -> None:
    with known.transaction() as session:
        ruth, sam = make_patient(session), make_patient(session)
        coverage.record_self_pay(session, patient_id=ruth.id, agent="t")
        visit(session, ruth, "2026-12-02T15:00:00+00:00")
        visit(session, sam, "2026-12-02T15:00:00+00:00")
        assert good_faith.any_due(session, payers)
        good_faith.open_tasks(session, payers)
        assert not good_faith.any_due(session, payers)
        (task,) = session.scalars(select(Task))
    assert (task.team, task.reason, task.patient_id) == ("billing", "good-faith-estimate", ruth.id)
    assert task.due_at == dt.datetime(2026, 11, 20, 5, 59, tzinfo=dt.UTC)


def test_the_page_holds_what_the_law_wants(known: Database, payers: ClinicFile) -> None:
    with known.transaction() as session:
        ruth = make_patient(session)
        booked = visit(session, ruth, "2026-12-02T15:00:00+00:00")
        found = good_faith.content(session, payers, appointment_id=booked.id, agent="t")
    assert (found.patient_name, found.total, found.practitioner.name) == ("Ruth Novak", 24000, "Dr. Joana Ferreira")
    assert found.visit_at.isoformat() == "2026-12-02T09:00:00-06:00"
