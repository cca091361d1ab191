"""What a plan says: to patients by text, to staff in lines."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scheduling_core import handoff, messaging, patients, sending, times
from scheduling_core.calendar.requests import FreeTime
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import (
    Communication,
    Delivery,
    Mode,
    MoveStatus,
    Patient,
    Plan,
    PlanKind,
    PlanMove,
    Priority,
    Task,
    TaskStatus,
)

NEWS = "plan-news"  # the kind of message that tells how a plan ended


def ask(session: Session, clinic: ClinicFile, plan: Plan, move: PlanMove, due: dt.datetime) -> None:
    """Queue the question; who has no number is asked by staff. In quiet hours the text waits."""
    patient = patients.get(session, move.patient_id)
    phone = sending.first_phone(patient)
    if phone is None:
        task(session, clinic, move, "Ask the patient by phone or letter", "worker")
        return
    old, new = time_from_json(move.old), time_from_json(move.new or {})
    asked = messaging.queue(
        session,
        phone=phone,
        body=_question(session, clinic, plan, patient, phone, old, new),
        author="system",
        kind=sending.PLAN,
        patient_id=patient.id,
        appointment_id=move.appointment_id,
        due_at=sending.quiet_until(clinic, phone=phone, at=due, location_id=new.location_id) or due,
        key=sending.plan_key(move.plan_id, move.number),
    )
    if asked.status is Delivery.WITHHELD:
        task(session, clinic, move, "Ask the patient, who wants no texts, by phone", "worker")


def _question(session: Session, clinic: ClinicFile, plan: Plan, patient: Patient, phone: str, old: FreeTime, new: FreeTime) -> str:
    """Clinic, both times and why, nothing of the visit's kind: others may read along."""
    language = sending.language_of(session, clinic, patient, phone)
    name, who = sending.name_if_shared(session, patient, phone), clinic.clinic.name
    old_day, old_time = sending.start_in_words(old.start, clinic.zone_of(old.location_id), language)
    new_day, new_time = sending.start_in_words(new.start, clinic.zone_of(new.location_id), language)
    same_person, same_place = old.practitioner_id == new.practitioner_id, old.location_id == new.location_id
    whom, place = clinic.practitioners_by_id[new.practitioner_id].name, clinic.locations_by_id[new.location_id].name
    out = _who_is_out(clinic, plan, old)
    if language == "es":
        changed = f"{'' if same_person else f', con {whom}'}{'' if same_place else f', en {place}'}"
        what, ask_back = f"la cita de {name}" if name else "su cita", f"Díganos por aquí o al {clinic.clinic.phone}."
        if plan.kind is PlanKind.STORM:
            instead = f"¿Le viene bien el {new_day}, {new_time}{changed}, para {what} de las {old_time}?"
            text = f"{who}: {out} no estará el {old_day}. {instead}"
        else:
            instead = f"¿Podemos pasar {what} del {old_day}, {old_time}, al {new_day}, {new_time}?"
            text = f"{who}: tenemos que atender una urgencia. {instead}"
        return sending.shortest_needed(f"{text} {ask_back}", text)
    changed = f"{'' if same_person else f' with {whom}'}{'' if same_place else f' at {place}'}"
    what, ask_back = f"{name}'s" if name else "your", f"Tell us here, or call {clinic.clinic.phone}."
    if plan.kind is PlanKind.STORM:
        text = f"{who}: {out} is out on {old_day}. Would {new_day} at {new_time}{changed} do for {what} {old_time} visit instead?"
    else:
        instead = f"Could we move {what} visit of {old_day} at {old_time} to {new_day} at {new_time}?"
        text = f"{who}: somebody needs to be seen urgently. {instead}"
    return sending.shortest_needed(f"{text} {ask_back}", text)


def _who_is_out(clinic: ClinicFile, plan: Plan, old: FreeTime) -> str:
    if plan.kind is PlanKind.STORM and not plan.need["practitioners"]:
        return clinic.locations_by_id[old.location_id].name
    return clinic.practitioners_by_id[old.practitioner_id].name


def take_back(session: Session, move: PlanMove) -> bool:
    """Withhold a question that has not gone out yet; False when it has."""
    asked = session.scalars(
        select(Communication).where(Communication.idempotency_key == sending.plan_key(move.plan_id, move.number))
    ).one_or_none()
    if asked is None or asked.status is not Delivery.QUEUED:
        return False
    asked.status, asked.error = Delivery.WITHHELD, "superseded"
    return True


def tell_that_it_stays(session: Session, clinic: ClinicFile, move: PlanMove, key: str) -> None:
    """Tell who was asked that all stays as it was."""
    en = "{who}: your visit stays as it was, {day} at {time}. Thank you for your patience."
    es = "{who}: su cita queda como estaba, el {day}, {time}. Gracias por su paciencia."
    _tell(session, clinic, move, time_from_json(move.old), en, es, key, "Tell the patient that the visit stays as it was")


def tell_that_it_moved(session: Session, clinic: ClinicFile, move: PlanMove, key: str) -> None:
    """Tell who agreed that the visit has its new time."""
    en = "{who}: thank you for your help. Your visit is now on {day} at {time}."
    es = "{who}: gracias por su ayuda. Su cita es ahora el {day}, {time}."
    _tell(session, clinic, move, time_from_json(move.new or {}), en, es, key, "Tell the patient that the visit has its new time")


def _tell(session: Session, clinic: ClinicFile, move: PlanMove, at: FreeTime, en: str, es: str, key: str, for_staff: str) -> None:
    patient = patients.get(session, move.patient_id)
    phone = sending.first_phone(patient)
    if phone is None:
        task(session, clinic, move, for_staff, "worker", key)
        return
    language = sending.language_of(session, clinic, patient, phone)
    day, time = sending.start_in_words(at.start, clinic.zone_of(at.location_id), language)
    told = messaging.queue(
        session,
        phone=phone,
        body=(es if language == "es" else en).format(who=clinic.clinic.name, day=day, time=time),
        author="system",
        kind=NEWS,
        patient_id=patient.id,
        appointment_id=move.appointment_id,
        due_at=sending.quiet_until(clinic, phone=phone, at=times.now(), location_id=at.location_id),
        key=key,
    )
    if told.status is Delivery.WITHHELD:
        task(session, clinic, move, f"{for_staff}; they want no texts", "worker", key)


def task(session: Session, clinic: ClinicFile, move: PlanMove, what: str, agent: str, key: str | None = None) -> None:
    """Leave something about a move to the desk, once."""
    old = in_words(clinic, time_from_json(move.old))
    both = f"{old} -> {in_words(clinic, time_from_json(move.new))}" if move.new else old
    handoff.open_task(
        session,
        team="desk",
        reason="plan",
        description=f"{what}: {both}.",
        priority=Priority.URGENT,
        patient_id=move.patient_id,
        appointment_id=move.appointment_id,
        key=f"{key or sending.plan_key(move.plan_id, move.number)}:task",
        agent=agent,
    )


def close_task(session: Session, move: PlanMove, agent: str) -> None:
    """Close what was left to the desk about a move: there is nothing to do any more."""
    key = f"{sending.plan_key(move.plan_id, move.number)}:task"
    found = select(Task.id).where(Task.idempotency_key == key, Task.status.in_(handoff.OPEN))
    for task_id in session.scalars(found):
        handoff.close_task(session, task_id=task_id, agent=agent, status=TaskStatus.CANCELLED)


def describe(session: Session, clinic: ClinicFile, plan: Plan) -> list[str]:
    """A plan for staff, a line each: what for, then every move and where it stands, then the reasons."""
    lines = [f"Plan {plan.id}: {plan.kind}, {plan.status}" + (f" (decided by {plan.decided_by})" if plan.decided_by else "")]
    if plan.kind is PlanKind.URGENT:
        lines += [f"For: {in_words(clinic, time_from_json(visit['time']))}" for visit in plan.need["visits"]]
    else:
        lines.append(f"Out: {plan.need['words']}")
    moves = list(session.scalars(select(PlanMove).where(PlanMove.plan_id == plan.id).order_by(PlanMove.number)))
    for move in moves:
        old = time_from_json(move.old)
        where = f"{move.number}. {move.status}: {in_words(clinic, old)}"
        if move.new is None:
            lines.append(f"{where}: no time was found; for staff")
            continue
        new = time_from_json(move.new)
        lines.append(f"{where} -> {in_words(clinic, new)} ({_distance(old, new)})")
    lines += [f"   {reason}" for reason in plan.need.get("reasons", ())]
    found = ", ".join(f"{number} {status}" for status, number in sorted(counts(session, plan.id).items()))
    lines.append(f"{len(moves)} visit{'s' if len(moves) != 1 else ''}: {found}" if found else "No visit has to move.")
    return lines


def counts(session: Session, plan_id: str) -> dict[MoveStatus, int]:
    """How many moves stand where."""
    found = select(PlanMove.status, func.count()).where(PlanMove.plan_id == plan_id).group_by(PlanMove.status)
    return dict(session.execute(found).tuples().all())


def in_words(clinic: ClinicFile, time: FreeTime) -> str:
    service, practitioner = clinic.services_by_id.get(time.service_id), clinic.practitioners_by_id.get(time.practitioner_id)
    zone = clinic.zone_of(time.location_id) if time.location_id in clinic.locations_by_id else clinic.zone
    return (
        f"{service.name if service else time.service_id} with {practitioner.name if practitioner else time.practitioner_id}, "
        f"{times.to_wall(time.start, zone):%a, %b %-d, %-I:%M %p}"
    )


def time_as_json(time: FreeTime) -> dict[str, Any]:
    return asdict(time) | {"start": time.start.isoformat(), "end": time.end.isoformat()}


def time_from_json(raw: dict[str, Any]) -> FreeTime:
    start, end = dt.datetime.fromisoformat(raw["start"]), dt.datetime.fromisoformat(raw["end"])
    return FreeTime(**(raw | {"mode": Mode(raw["mode"]), "start": start, "end": end}))


def _distance(old: FreeTime, new: FreeTime) -> str:
    minutes = int((new.start - old.start).total_seconds()) // 60
    days, rest = divmod(abs(minutes), 24 * 60)
    parts = [f"{days} d"] * bool(days) + [f"{rest // 60} h"] * bool(rest // 60) + [f"{rest % 60} min"] * bool(rest % 60)
    return f"{' '.join(parts) or 'same time'}{' later' if minutes > 0 else ' earlier' if minutes < 0 else ''}"
