"""The database follows the clinic file, and nobody's visit is lost over it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from scheduling_core import handoff, times
from scheduling_core.clinic_file import loading
from scheduling_core.clinic_file.loading import Changes, NotLoadedError
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.db import Database
from scheduling_core.models import (
    Appointment,
    AppointmentStatus,
    AuditEvent,
    ClinicVersion,
    HealthcareService,
    Location,
    Payer,
    Practitioner,
    StaffAccount,
)
from tests.conftest import Clock
from tests.factories import make_patient


def _edited(clinic: ClinicFile, /, **sections: Any) -> ClinicFile:
    return ClinicFile.model_validate(clinic.model_dump(mode="json", by_alias=True) | sections)


def _section(clinic: ClinicFile, name: str) -> Any:
    return clinic.model_dump(mode="json", by_alias=True)[name]


def _without(clinic: ClinicFile, practitioner_id: str) -> ClinicFile:
    return _edited(clinic, practitioners=[p for p in _section(clinic, "practitioners") if p["id"] != practitioner_id])


def _load(database: Database, clinic: ClinicFile) -> Changes:
    with database.transaction() as session:
        return loading.load(session, clinic, agent="load")


def _visit(
    database: Database, *, days: int, practitioner_id: str = "ferreira", status: AppointmentStatus = AppointmentStatus.BOOKED
) -> str:
    with database.transaction() as session:
        start = times.now().replace(minute=0) + dt.timedelta(days=days)
        visit = Appointment(
            status=status,
            service_id="follow-up",
            patient_id=make_patient(session).id,
            practitioner_id=practitioner_id,
            location_id="north",
            start=start,
            end=start + dt.timedelta(minutes=20),
            created_at=times.now(),
            updated_at=times.now(),
        )
        session.add(visit)
        session.flush()
        return visit.id


def test_before_the_first_load_there_is_no_clinic(database: Database) -> None:
    with database.reading() as session, pytest.raises(NotLoadedError):
        loading.current(session)


def test_what_was_loaded_is_the_clinic_that_holds(database: Database, clinic: ClinicFile) -> None:
    changes = _load(database, clinic)
    assert changes.sentences == (
        "Loaded Maple Grove Clinic for the first time: 2 locations, 8 services, 5 practitioners, 2 payers.",
    )
    with database.reading() as session:
        assert loading.current(session) == clinic
        for table, parts in (
            (Location, clinic.locations),
            (HealthcareService, clinic.services),
            (Practitioner, clinic.practitioners),
            (Payer, clinic.payers),
        ):
            rows = {(row.id, row.name, row.active) for row in session.scalars(select(table))}  # type: ignore[var-annotated]
            assert rows == {(part.id, part.name, True) for part in parts}
        accounts = {(row.email, row.role.value, row.active) for row in session.scalars(select(StaffAccount))}
        assert accounts == {(person.email, person.role, True) for person in clinic.staff}


def test_loading_the_same_file_again_changes_nothing(loaded: Database, clinic: ClinicFile) -> None:
    with loaded.reading() as session:
        before = session.scalars(select(AuditEvent.sequence)).all()
    assert not _load(loaded, _edited(clinic))
    with loaded.reading() as session:
        assert session.scalars(select(AuditEvent.sequence)).all() == before
        assert session.scalars(select(ClinicVersion.number)).all() == [1]


def test_a_changed_file_says_what_changed(loaded: Database, clinic: ClinicFile) -> None:
    services = _section(clinic, "services")
    services[1]["minutes"] = 30
    services.append(services[1] | {"id": "long-follow-up", "name": "Long follow-up", "minutes": 60})
    changed = _edited(
        clinic,
        clinic=_section(clinic, "clinic") | {"hold_minutes": 10},
        closures=[],
        services=services,
        payers=_section(clinic, "payers")[:1],
    )
    assert _load(loaded, changed).sentences == (
        "clinic.hold_minutes was 8, is now 10.",
        "closures changed.",
        "service long-follow-up (Long follow-up) is new.",
        "service follow-up: minutes changed.",
        "payer pinecrest (Pinecrest Health Plan) is no longer in the file.",
    )
    with loaded.reading() as session:
        assert loading.current(session) == changed
        assert session.scalars(select(Payer.active).where(Payer.id == "pinecrest")).one() is False
        assert session.scalars(select(HealthcareService.active).where(HealthcareService.id == "long-follow-up")).one()


def test_visits_with_a_practitioner_who_left_become_tasks_once(loaded: Database, clinic: ClinicFile) -> None:
    future = [_visit(loaded, days=1), _visit(loaded, days=40)]
    _visit(loaded, days=-1)
    _visit(loaded, days=2, status=AppointmentStatus.CANCELLED)
    _visit(loaded, days=3, practitioner_id="brandt")

    changes = _load(loaded, _without(clinic, "ferreira"))
    assert changes.visits_for_staff == 2
    assert "practitioner ferreira (Dr. Joana Ferreira) is no longer in the file." in changes.sentences

    with loaded.reading() as session:
        tasks = handoff.open_tasks(session)
        assert sorted(str(task.appointment_id) for task in tasks) == sorted(future)
        assert {(task.team, task.reason) for task in tasks} == {("desk", "practitioner-left")}
        visits = session.scalars(select(Appointment).where(Appointment.id.in_(future)))
        assert {(visit.status, visit.practitioner_id) for visit in visits} == {(AppointmentStatus.BOOKED, "ferreira")}
        assert session.scalars(select(Practitioner.active).where(Practitioner.id == "ferreira")).one() is False

    _load(loaded, clinic)
    _load(loaded, _without(clinic, "ferreira"))
    with loaded.reading() as session:
        assert len(handoff.open_tasks(session)) == 2


def test_who_comes_back_is_active_again(loaded: Database, clinic: ClinicFile) -> None:
    _load(loaded, _without(clinic, "brandt"))
    _load(loaded, clinic)
    with loaded.reading() as session:
        assert session.scalars(select(Practitioner.active).where(Practitioner.id == "brandt")).one()


def test_staff_who_leave_the_file_may_no_longer_sign_in_and_others_stay(loaded: Database, clinic: ClinicFile) -> None:
    with loaded.transaction() as session:
        nora = session.scalars(select(StaffAccount).where(StaffAccount.email == "nora@maplegrove.example")).one()
        session.add(StaffAccount(email="extra@maplegrove.example", name="E", role=nora.role, created_at=times.now()))
        nora.name = "Nora Ellis-Reed"  # changed by hand; the file said nothing new about her
    _load(loaded, _edited(clinic, staff=_section(clinic, "staff")[:1]))
    with loaded.reading() as session:
        accounts = {row.email.split("@")[0]: (row.name, row.active) for row in session.scalars(select(StaffAccount))}
    assert accounts == {"nora": ("Nora Ellis-Reed", True), "paul": ("Paul Adeyemi", False), "extra": ("E", True)}


def test_a_load_is_audited(loaded: Database) -> None:
    with loaded.reading() as session:
        row = session.scalars(select(AuditEvent)).one()
        assert (row.agent, row.action, row.entity, row.entity_id) == ("load", "E", "ClinicVersion", "1")


def test_asking_for_the_clinic_again_costs_one_small_query(loaded: Database, clock: Clock) -> None:
    asked: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        asked.append(statement)

    with loaded.reading() as session:
        first = loading.current(session)
        engine = session.get_bind()
        assert isinstance(engine, Engine)
        event.listen(engine, "before_cursor_execute", note)
        assert loading.current(session) is first
        event.remove(engine, "before_cursor_execute", note)
    assert len(asked) == 1
    assert "content" not in asked[0]
