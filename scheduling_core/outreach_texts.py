"""What the clinic writes to bring a visit about. Others may read along: no diagnosis, no field of medicine, no practitioner."""

from __future__ import annotations

from sqlalchemy.orm import Session

from scheduling_core import sending
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.models import Outreach, OutreachKind, Patient

_YEARLY = {6: ("half-yearly visit", "visita semestral"), 12: ("yearly visit", "visita anual")}


def ask(session: Session, clinic: ClinicFile, one: Outreach, patient: Patient, phone: str) -> str:
    """The message that asks for a day, in the patient's language, at most two segments."""
    language = sending.language_of(session, clinic, patient, phone)
    name, who = sending.name_if_shared(session, patient, phone), clinic.clinic.name
    reason = _reason(clinic, one, name, language)
    if language == "es":
        day = '¿Qué día le viene bien? También puede decir "ahora no".'
        stop = " STOP para no recibir textos."
    else:
        day = 'Which day would suit you? You can also say "not now".'
        stop = " Text STOP to end texts."
    return sending.shortest_needed(f"{who}: {reason} {day}{stop}", f"{who}: {reason} {day}", f"{who}: {reason}")


def _reason(clinic: ClinicFile, one: Outreach, name: str | None, language: str) -> str:
    service = clinic.services_by_id[one.service_id]
    if one.kind is OutreachKind.RECALL and service.recall:
        if service.recall.say and language == clinic.clinic.languages[0][:2]:
            return f"{service.recall.say} ({name})" if name else service.recall.say
        english, spanish = _YEARLY.get(service.recall.every_months, ("next visit", "próxima visita"))
        if language == "es":
            return f"ya es tiempo de la {spanish} de {name}." if name else f"ya es tiempo de su {spanish}."
        return f"it is time for {name}'s {english}." if name else f"it is time for your {english}."
    if one.kind is OutreachKind.REFERRAL_IN:
        if language == "es":
            return f"otro consultorio nos pidió una cita para {name or 'usted'}."
        return f"another practice asked us to see {name or 'you'}."
    if language == "es":
        return f"ya es tiempo de la próxima cita{f' de {name}' if name else ''}, como acordamos en la última."
    whose = f"{name}'s" if name else "your"
    return f"it is time for {whose} next visit, as agreed at the last one."
