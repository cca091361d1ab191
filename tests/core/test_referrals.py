"""Referrals to other practices: a partner, a packet, steps with an owner and a time, and the end of the loop."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from bot import referral_page
from scheduling_core import coverage, messaging, orders, patients, referrals
from scheduling_core.errors import NotFoundError, WrongStateError
from scheduling_core.fhir.writing import create_service_request
from scheduling_core.models import (
    AuditEvent,
    Communication,
    Network,
    Referral,
    ReferralStatus,
    RequestStatus,
    ServiceRequest,
    TaskStatus,
)
from tests.core.test_recalls import tasks
from tests.factories import make_patient

PHONE = "+14145550142"
REFERRAL = [{"coding": [{"system": "http://snomed.info/sct", "code": "3457005"}]}]
WHEN = dt.datetime(2026, 12, 3, 16, 0, tzinfo=dt.UTC)


@pytest.fixture
def patient(loaded):
    with loaded.transaction() as session:
        return make_patient(session, phone=PHONE).id


def insure(database, patient_id, payer_id):
    with database.transaction() as session:
        coverage.record(
            session, patient_id=patient_id, payer_id=payer_id, payer_name="A Plan", subscriber_id="GLM 44", agent="test"
        )


def refer(database, clinic, patient_id, **more):
    resource = {
        "resourceType": "ServiceRequest",
        "category": REFERRAL,
        "subject": {"reference": f"Patient/{patient_id}"},
        "code": {"coding": [{"code": "cardiology"}]},
        "note": [{"text": "Murmur <since> June"}],
    }
    with database.transaction() as session:
        return create_service_request(session, clinic, resource | more, "test", "key")


def referral(database):
    with database.reading() as session:
        return session.scalars(select(Referral)).one()


def go(database, clinic, to, **more):
    one = referral(database)
    with database.transaction() as session:
        referrals.move_on(session, clinic, referral_id=one.id, to=to, agent="staff:nora", **more)


def texts(database):
    with database.reading() as session:
        return list(session.scalars(select(Communication.body).order_by(Communication.sequence)))


def open_tasks(database):
    return [task for task in tasks(database) if task.status is TaskStatus.REQUESTED]


def test_a_referral_has_an_owner_a_next_step_and_a_time_from_the_start(loaded, clinic, patient):
    insure(loaded, patient, "greatlakes")
    said = refer(loaded, clinic, patient)
    assert said["category"][0]["coding"][0]["code"] == "3457005"
    one = referral(loaded)
    assert (one.partner_id, one.network, one.owner, one.next_step) == ("lakefront-heart", Network.IN, "desk", "Send the packet")
    assert one.due_at - one.created_at == dt.timedelta(days=clinic.outreach.referral_days)
    [task] = tasks(loaded)
    assert (task.team, task.reason, task.due_at) == ("desk", "referral", one.due_at)
    assert "Lakefront Heart, fax +14145550189" in task.description
    refer(loaded, clinic, patient)
    assert len(tasks(loaded)) == 1


@pytest.mark.parametrize(("payer", "network"), [("greatlakes", "in"), ("pinecrest", "out"), (None, "unknown"), ("none", "unknown")])
def test_the_network_is_checked_against_the_partners_payers(loaded, clinic, patient, payer, network):
    if payer != "none":
        insure(loaded, patient, payer)
    refer(loaded, clinic, patient)
    assert referral(loaded).network == network


def test_who_pays_alone_is_welcome(loaded, clinic, patient):
    with loaded.transaction() as session:
        coverage.record_self_pay(session, patient_id=patient, agent="test")
    refer(loaded, clinic, patient)
    assert referral(loaded).network is Network.IN


def test_a_referral_elsewhere_is_no_order_for_a_visit_here(loaded, clinic, patient):
    refer(loaded, clinic, patient)
    with loaded.reading() as session:
        assert not orders.on_file(session, patient_id=patient, service_id="cardiology")


def test_the_whole_way_to_the_report(loaded, clinic, clock, patient):
    refer(loaded, clinic, patient)
    go(loaded, clinic, ReferralStatus.SENT)
    assert open_tasks(loaded) == []
    go(loaded, clinic, ReferralStatus.SCHEDULED, appointment_at=WHEN)
    assert referral(loaded).due_at == WHEN + dt.timedelta(days=clinic.outreach.referral_days)
    assert texts(loaded) == [
        "Maple Grove Clinic: we have sent the referral for you to the other practice. They will call you. "
        "Their number: +14145550188.",
        "Maple Grove Clinic: the other practice has a visit for you on Thursday, December 3 at 10:00 AM. "
        "Their number: +14145550188.",
    ]
    go(loaded, clinic, ReferralStatus.SEEN)
    assert referral(loaded).next_step == "Ask for the report"
    go(loaded, clinic, ReferralStatus.CLOSED, outcome="Report is back")
    with loaded.reading() as session:
        assert session.scalars(select(ServiceRequest.status)).one() is RequestStatus.COMPLETED
    clock.set("2027-06-01T10:00:00-06:00")
    with loaded.reading() as session:
        assert referrals.overdue(session) == []
    with pytest.raises(WrongStateError):
        go(loaded, clinic, ReferralStatus.SENT)


def test_the_same_step_twice_tells_the_patient_once(loaded, clinic, patient):
    refer(loaded, clinic, patient)
    for _ in range(2):
        go(loaded, clinic, ReferralStatus.SENT)
    for _ in range(2):
        go(loaded, clinic, ReferralStatus.SCHEDULED, appointment_at=WHEN)
    assert len(texts(loaded)) == 2


@pytest.mark.parametrize(
    ("to", "more"),
    [
        (ReferralStatus.SEEN, {}),
        (ReferralStatus.NEW, {}),
        (ReferralStatus.SCHEDULED, {}),
        (ReferralStatus.SENT, {"appointment_at": WHEN}),
    ],
)
def test_a_step_that_does_not_follow_is_refused(loaded, clinic, patient, to, more):
    refer(loaded, clinic, patient)
    with pytest.raises(WrongStateError):
        go(loaded, clinic, to, **more)


def test_late_steps_become_a_task_once_for_each_time(loaded, clinic, clock, patient):
    def chase():
        with loaded.transaction() as session:
            return referrals.chase(session, clinic) if referrals.any_to_chase(session) else 0

    refer(loaded, clinic, patient)
    go(loaded, clinic, ReferralStatus.SENT)
    assert chase() == 0
    clock.set("2026-11-21T10:00:00-06:00")
    assert [chase(), chase()] == [1, 0]
    [task] = open_tasks(loaded)
    assert task.description.startswith("Ask whether the patient has an appointment there")
    with loaded.reading() as session:
        assert [one.id for one in referrals.overdue(session)] == [referral(loaded).id]
    go(loaded, clinic, ReferralStatus.SENT)
    assert open_tasks(loaded) == []
    clock.set("2026-11-26T10:01:00-06:00")
    assert chase() == 1


def test_who_wants_no_texts_is_told_by_staff(loaded, clinic, patient):
    with loaded.transaction() as session:
        messaging.record_opt_out(session, PHONE, out=True, source="keyword")
    refer(loaded, clinic, patient)
    go(loaded, clinic, ReferralStatus.SENT)
    assert texts(loaded) == []
    assert [task.description.split(" (")[0] for task in open_tasks(loaded)] == ["Tell the patient by phone how the referral stands"]


def test_the_packet_tells_what_the_clinic_file_allows_and_is_audited(loaded, clinic, patient):
    insure(loaded, patient, "greatlakes")
    with loaded.transaction() as session:
        patients.get(session, patient).email = "ruth@example.org"
    refer(loaded, clinic, patient)
    with loaded.transaction() as session:
        made = referrals.packet(session, clinic, referral_id=referral(loaded).id, agent="staff:nora")
    resources = [entry["resource"] for entry in made.bundle["entry"]]
    assert [one["resourceType"] for one in resources] == ["Patient", "ServiceRequest", "Coverage", "Organization"]
    assert [point["value"] for point in resources[0]["telecom"]] == [PHONE]
    assert "gender" not in resources[0]
    assert dict(made.facts)["Insurance"] == "A Plan GLM 44"
    page = referral_page.render(made)
    assert "Murmur &lt;since&gt; June" in page
    assert "ruth@example.org" not in page + str(made.bundle)
    with loaded.reading() as session:
        read = session.scalars(select(AuditEvent).where(AuditEvent.entity == "Referral", AuditEvent.action == "R")).one()
        assert (read.agent, read.patient_id) == ("staff:nora", patient)


def test_a_smaller_packet_tells_less(loaded, clinic, patient):
    changed = clinic.model_copy(update={"outreach": clinic.outreach.model_copy(update={"packet": []})})
    refer(loaded, clinic, patient)
    with loaded.transaction() as session:
        made = referrals.packet(session, changed, referral_id=referral(loaded).id, agent="staff:nora")
    assert [word for word, _ in made.facts] == ["Patient", "Referred for", "Referred by"]
    assert set(made.bundle["entry"][0]["resource"]) == {"resourceType", "id", "name"}


def test_another_partner_can_be_chosen_and_somebody_else_may_own_it(loaded, clinic, patient):
    refer(loaded, clinic, patient)
    one = referral(loaded)
    with loaded.transaction() as session, pytest.raises(NotFoundError):
        referrals.choose(session, clinic, referral_id=one.id, partner_id="nobody", agent="staff:nora")
    with loaded.transaction() as session:
        referrals.choose(session, clinic, referral_id=one.id, partner_id="lakefront-heart", agent="staff:nora")
        referrals.give_to(
            session, clinic, referral_id=one.id, owner="clinical", next_step="Add the letter", due_at=WHEN, agent="staff:nora"
        )
    assert (referral(loaded).owner, referral(loaded).next_step) == ("clinical", "Add the letter")
    [task] = open_tasks(loaded)
    assert (task.team, task.due_at, task.description.split(" (")[0]) == ("clinical", WHEN, "Add the letter")
