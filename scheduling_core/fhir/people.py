"""Patient, and what patients say of their health as QuestionnaireResponse."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from scheduling_core import mail_addresses, times
from scheduling_core.fhir import codes, reading
from scheduling_core.fhir.codes import Resource
from scheduling_core.fhir.directory import Directory
from scheduling_core.fhir.reading import MalformedError
from scheduling_core.models import Channel, Patient, Sex, Statement


def to_patient(patient: Patient) -> Resource:
    by_mail = patient.email is not None and patient.prefers is Channel.EMAIL
    telecom: list[Resource] = [
        {"system": "phone", "value": number.phone, "use": "mobile", "rank": place}
        for place, number in enumerate(patient.phones, 2 if by_mail else 1)
    ]
    if patient.email:
        telecom.append({"system": "email", "value": patient.email} | ({"rank": 1} if by_mail else {}))
    language = {"language": codes.coded(codes.LANGUAGE, patient.language), "preferred": True} if patient.language else {}
    kept = [codes.reference("Patient", patient.merged_into)] if patient.merged_into else []
    return codes.without_nothing(
        {
            "resourceType": "Patient",
            "id": patient.id,
            "meta": {"lastUpdated": patient.updated_at.isoformat()},
            "extension": [{"url": codes.NEED_EXTENSION, "valueString": need} for need in patient.needs],
            "identifier": [{"system": codes.PATIENT_ID, "value": patient.id}],
            "active": patient.active,
            "name": [{"use": "official", "text": full_name(patient), "family": patient.family, "given": patient.given.split()}],
            "telecom": telecom,
            "gender": patient.sex.value,
            "birthDate": patient.birth_date.isoformat(),
            "address": [{"use": "home", "text": patient.address}] if patient.address else [],
            "communication": [language] if language else [],
            "link": [{"other": other, "type": "replaced-by"} for other in kept],
        }
    )


def full_name(patient: Patient) -> str:
    return f"{patient.given} {patient.family}".strip()


@dataclass(frozen=True)
class PatientValues:
    """What a Patient resource says, in the words of the core. Phones are E.164, the preferred first."""

    given: str
    family: str
    birth_date: dt.date
    sex: Sex
    phones: tuple[str, ...]
    email: str | None
    address: str | None
    language: str | None
    prefers: Channel | None


def read_patient(resource: Resource, *, region: str, where: str = "Patient") -> PatientValues:
    """Raises MalformedError for what is missing (a name, a whole birth date) or cannot be read."""
    reading.of_type(resource, "Patient", where)
    given, family = _name(resource, where)
    birth_date = reading.day(reading.text(resource, "birthDate", where), f"{where}.birthDate")
    if birth_date > times.now().date() + dt.timedelta(days=1):  # a day of grace for clinics east of Greenwich
        raise MalformedError(f"{where}.birthDate", "must not be in the future")
    phones, email, prefers = _telecom(resource, region, where)
    return PatientValues(
        given=given,
        family=family,
        birth_date=birth_date,
        sex=_sex(resource, where),
        phones=phones,
        email=email,
        address=_address(resource, where),
        language=_language(resource, where),
        prefers=prefers,
    )


def _name(resource: Resource, where: str) -> tuple[str, str]:
    names = sorted(reading.objects(resource, "name", where), key=lambda name: name.get("use") not in ("official", "usual", None))
    for name in names:
        first = " ".join(" ".join(reading.texts(name, "given", f"{where}.name")).split())
        last = reading.text(name, "family", f"{where}.name", longest=200) or ""
        if not (first and last) and (whole := reading.text(name, "text", f"{where}.name", longest=400)):
            first, _, last = whole.rpartition(" ")
        if len(first) > 200:
            raise MalformedError(f"{where}.name.given", "must not be longer than 200 characters")
        if first and last:
            return first.strip(), last
    raise MalformedError(f"{where}.name", "needs a given and a family name")


def _telecom(resource: Resource, region: str, where: str) -> tuple[tuple[str, ...], str | None, Channel | None]:
    """Numbers, the preferred first; a mail address; and mail as the way to be reached where its rank is before every number's."""
    found: list[tuple[int, str]] = []
    email, mail_rank = None, None
    for place, contact in enumerate(reading.objects(resource, "telecom", where)):
        path = f"{where}.telecom[{place}]"
        value = reading.text(contact, "value", path, longest=320)
        system = contact.get("system")
        if not value or contact.get("use") == "old":
            continue
        if system in ("phone", "sms"):
            number = reading.phone(value, region)
            if not number:
                raise MalformedError(f"{path}.value", "is no phone number; write for example +13125550100")
            rank = contact.get("rank")
            found.append((rank if isinstance(rank, int) else place + 1, number))
        elif system == "email" and email is None:
            if not mail_addresses.is_one(value):
                raise MalformedError(f"{path}.value", "is no mail address; write for example ruth@home.example")
            email, mail_rank = value, contact.get("rank")
    by_mail = isinstance(mail_rank, int) and all(mail_rank < rank for rank, _ in found)
    numbers = tuple(dict.fromkeys(number for _, number in sorted(found, key=lambda item: item[0])))
    return numbers, email, Channel.EMAIL if by_mail else None


def _sex(resource: Resource, where: str) -> Sex:
    gender = reading.text(resource, "gender", where)
    try:
        return Sex(gender or "unknown")
    except ValueError:
        raise MalformedError(f"{where}.gender", "must be male, female, other or unknown") from None


def _address(resource: Resource, where: str) -> str | None:
    for place, address in enumerate(reading.objects(resource, "address", where)):
        path = f"{where}.address[{place}]"
        if address.get("use") == "old":
            continue
        if whole := reading.text(address, "text", path):
            return whole
        lines = reading.texts(address, "line", path)
        state = " ".join(filter(None, (reading.text(address, "state", path), reading.text(address, "postalCode", path))))
        parts = [*lines, reading.text(address, "city", path), state, reading.text(address, "country", path)]
        if joined := ", ".join(part for part in parts if part):
            if len(joined) > 500:
                raise MalformedError(path, "must not be longer than 500 characters")
            return joined
    return None


def _language(resource: Resource, where: str) -> str | None:
    spoken = reading.objects(resource, "communication", where)
    for entry in sorted(spoken, key=lambda entry: entry.get("preferred") is not True):
        said = reading.codes_in([reading.child(entry, "language", f"{where}.communication")], f"{where}.communication.language")
        if said:
            if len(said[0]) > 16:
                raise MalformedError(f"{where}.communication.language", "must be a language tag, as in en or es-MX")
            return said[0]
    return None


def to_statement(statement: Statement, known: Directory) -> Resource:
    """The patient's own words, one answer each: codes would be a conclusion."""
    return {
        "resourceType": "QuestionnaireResponse",
        "id": statement.id,
        "questionnaire": codes.INTAKE,
        "status": "completed",
        "subject": codes.reference("Patient", statement.patient_id, known.patients.get(statement.patient_id)),
        "authored": statement.created_at.isoformat(),
        "item": [{"linkId": statement.kind.value, "answer": [{"valueString": statement.said}]}],
    }
