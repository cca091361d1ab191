"""Corrections by staff: against what they saw, with old and new."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from scheduling_core import messaging, patient_edits, patients
from scheduling_core.db import Database
from scheduling_core.errors import NotFoundError, UnfitError
from scheduling_core.models import AuditEvent, Channel, Communication, Delivery, Patient
from scheduling_core.patient_edits import ChangedMeanwhileError, Edit
from tests.factories import make_patient


def _change(session: Session, patient: Patient, agent: str = "staff:nora", **edits: tuple[Any, Any]) -> Patient:
    whole = {name: Edit(seen, wanted) for name, (seen, wanted) in edits.items()}
    return patient_edits.change(session, patient_id=patient.id, edits=whole, agent=agent)


def test_an_edit_keeps_old_and_new(loaded: Database) -> None:
    with loaded.transaction() as session:
        patient = make_patient(session, phone="+14145550142")
        _change(
            session,
            patient,
            family=("Novak", "Adler"),
            birth_date=("1980-04-19", "1980-04-20"),
            phones=(["+14145550142"], ["+14145550188", "+14145550142"]),
            needs=([], ["wheelchair"]),
            language=("", "es"),
            given=("Ruth", "Ruth"),
        )
        assert patient_edits.values_of(patient) == {
            "given": "Ruth",
            "family": "Adler",
            "birth_date": "1980-04-20",
            "sex": "female",
            "email": "",
            "address": "",
            "language": "es",
            "needs": ["wheelchair"],
            "phones": ["+14145550188", "+14145550142"],
            "new": False,
        }
        row = session.scalars(select(AuditEvent).order_by(AuditEvent.sequence.desc()).limit(1)).one()
        assert row.detail["family"] == {"old": "Novak", "new": "Adler"}
        assert "given" not in row.detail


def test_the_second_of_two_editors_of_a_field_sees_the_first(loaded: Database) -> None:
    with loaded.transaction() as session:
        patient = make_patient(session)
        _change(session, patient, agent="staff:nora", email=("", "ruth@one.example"))
        with pytest.raises(ChangedMeanwhileError) as caught:
            _change(session, patient, agent="staff:paul", email=("", "ruth@two.example"), address=("", "1 Elm St"))
        [conflict] = caught.value.conflicts
        assert (conflict.field, conflict.seen, conflict.now, conflict.wanted, conflict.agent) == (
            "email",
            "",
            "ruth@one.example",
            "ruth@two.example",
            "staff:nora",
        )
        assert patient.address is None, "nothing of a refused edit is kept"
        _change(session, patient, email=("ruth@one.example", "ruth@two.example"), address=("", "1 Elm St"))
        assert (patient.email, patient.address) == ("ruth@two.example", "1 Elm St")


def test_two_editors_of_different_fields_both_win_and_the_same_change_twice_is_no_conflict(loaded: Database) -> None:
    with loaded.transaction() as session:
        patient = make_patient(session)
        _change(session, patient, email=("", "ruth@one.example"))
        _change(session, patient, address=("", "1 Elm St"), email=("", ""))
        _change(session, patient, email=("", "ruth@one.example"))
        assert (patient.email, patient.address) == ("ruth@one.example", "1 Elm St")


def test_of_editors_at_the_same_moment_one_wins_and_the_others_are_told(loaded: Database) -> None:
    with loaded.transaction() as session:
        patient = make_patient(session)
    told: list[str] = []
    at_once = threading.Barrier(4)

    def edit(number: int) -> None:
        at_once.wait()
        try:
            with loaded.transaction() as session:
                _change(session, patient, email=("", f"{number}@x.example"))
        except ChangedMeanwhileError as refused:
            told.append(refused.conflicts[0].now)

    editors = [threading.Thread(target=edit, args=(number,)) for number in range(4)]
    for one in editors:
        one.start()
    for one in editors:
        one.join()
    with loaded.reading() as session:
        assert told == [patients.get(session, patient.id).email] * 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("given", ""),
        ("family", "x" * 201),
        ("birth_date", "1980-02-30"),
        ("birth_date", "2190-01-01"),
        ("email", "no address"),
        ("email", "a@["),
        ("email", "a@b,c@d"),
        ("sex", "robot"),
        ("phones", ["+14145550142", "+14145550142"]),
        ("address", "x" * 1_000_000),
    ],
)
def test_what_no_record_may_hold_is_refused_with_its_field(sqlite_loaded: Database, name: str, value: Any) -> None:
    with sqlite_loaded.transaction() as session:
        patient = make_patient(session)
        with pytest.raises(UnfitError) as caught:
            _change(session, patient, **{name: (patient_edits.values_of(patient)[name], value)})
        assert caught.value.field == name


def test_consent_is_by_number_and_channel_and_holds_up_what_waits(loaded: Database) -> None:
    with loaded.transaction() as session:
        patient = make_patient(session, phone="+14145550142")
        patients.update(session, patient_id=patient.id, email="ruth@x.example", agent="t")
        messaging.queue(session, phone="+14145550142", body="hi", author="system", kind="reminder", patient_id=patient.id)
        patient_edits.set_consent(
            session, patient, channel=Channel.SMS, address="+14145550142", out=True, seen=False, agent="staff:nora"
        )
        found = {(one.channel, one.address): (one.out, one.source) for one in patient_edits.consents(session, patient)}
        assert found == {
            (Channel.SMS, "+14145550142"): (True, "staff"),
            (Channel.VOICE, "+14145550142"): (False, None),
            (Channel.EMAIL, "ruth@x.example"): (False, None),
        }
        assert session.scalars(select(Communication)).one().status is Delivery.WITHHELD
        with pytest.raises(NotFoundError):
            patient_edits.set_consent(
                session, patient, channel=Channel.SMS, address="+13125550000", out=True, seen=False, agent="t"
            )


def test_consent_that_changed_meanwhile_is_shown_before_it_is_changed_again(loaded: Database) -> None:
    with loaded.transaction() as session:
        patient = make_patient(session, phone="+14145550142")
        messaging.record_opt_out(session, "+14145550142", out=True, source="keyword")
        with pytest.raises(ChangedMeanwhileError):
            patient_edits.set_consent(
                session, patient, channel=Channel.SMS, address="+14145550142", out=False, seen=False, agent="t"
            )
