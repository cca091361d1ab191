"""Writing an eligibility inquiry: one patient, one payer, one service type. The segments are x12sdk's."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass
from typing import Any, Literal

from scheduling_core.x12.codes import HEALTH_PLAN, RELATIONSHIPS


@dataclass(frozen=True)
class Person:
    """The patient or the subscriber, as on the insurance card. `sex` is "F", "M" or None."""

    family: str
    given: str
    birth_date: dt.date | None = None
    sex: Literal["F", "M"] | None = None


@dataclass(frozen=True)
class Inquiry:
    """What is asked. Without a `dependent` the subscriber is the patient.

    `control_number` is 1 to 999,999,999; `trace` comes back in the answer, in capitals. `asked_at` is aware, `on` the day of
    service. `provider_npi` None: the clinic is named by `provider_number`.
    """

    control_number: int
    trace: str
    asked_at: dt.datetime
    on: dt.date
    sender: str
    receiver: str
    payer_name: str
    payer_id: str
    provider_name: str
    provider_npi: str | None
    provider_number: str
    subscriber: Person
    member_id: str | None
    group_number: str | None = None
    dependent: Person | None = None
    relationship: str = "self"  # of the patient to the subscriber: self, spouse, child, other
    service_type: str = HEALTH_PLAN
    production: bool = False


def write_270(inquiry: Inquiry) -> str:
    """The whole interchange, ISA to IEA. Raises ValueError where a value does not fit into its segment."""
    # x12sdk takes a second and 30 MB to load, and only workers write inquiries
    from x12sdk.io import write_transactions
    from x12sdk.v5010.x12_270_005010X279A1 import EligibilityInquiry

    inner = _transaction(inquiry)
    return write_transactions(
        [EligibilityInquiry.model_validate(inner)],
        sender_id=_clean(inquiry.sender, 15),
        receiver_id=_clean(inquiry.receiver, 15),
        sender_qualifier="ZZ",
        receiver_qualifier="ZZ",
        interchange_control_number=f"{inquiry.control_number:09d}",
        group_control_number=str(inquiry.control_number),
        created=inquiry.asked_at.replace(tzinfo=None),
        usage_indicator="P" if inquiry.production else "T",
    ).replace("\n", "")


def _transaction(inquiry: Inquiry) -> dict[str, Any]:
    number = f"{inquiry.control_number:09d}"
    patient: dict[str, Any] = {
        "dtp_segment": {
            "segment_name": "DTP",
            "date_time_qualifier": "291",
            "date_time_period_format_qualifier": "D8",
            "date_time_period": f"{inquiry.on:%Y%m%d}",
        },
    }
    question = [{"eq_segment": {"segment_name": "EQ", "service_type_code": [inquiry.service_type]}}]
    trace = {
        "segment_name": "TRN",
        "trace_type_code": "1",
        "reference_identification_1": _clean(inquiry.trace, 50),
        "originating_company_identifier": "9" + _clean(inquiry.sender, 9).ljust(9, "0"),
    }
    subscriber: dict[str, Any] = {
        "hl_segment": _hl("3", "2", "22", "1" if inquiry.dependent else "0"),
        "loop_2100c": _person("IL", inquiry.subscriber, inquiry.member_id) | _group(inquiry),
    }
    if inquiry.dependent is None:
        subscriber["trn_segment"] = [trace]
        subscriber["loop_2100c"] |= patient | {"loop_2110c": question}
    else:
        relation = RELATIONSHIPS.get(inquiry.relationship, RELATIONSHIPS["other"])
        ins = {"segment_name": "INS", "member_indicator": "N", "individual_relationship_code": relation}
        name = _person("03", inquiry.dependent, None) | patient | {"ins_segment": ins, "loop_2110d": question}
        subscriber["loop_2000d"] = [{"hl_segment": _hl("4", "3", "23", "0"), "trn_segment": [trace], "loop_2100d": name}]
    provider_id = ("XX", inquiry.provider_npi) if inquiry.provider_npi else ("SV", _clean(inquiry.provider_number, 80))
    return {
        "header": {
            "st_segment": {
                "segment_name": "ST",
                "transaction_set_identifier_code": "270",
                "transaction_set_control_number": number,
                "implementation_convention_reference": "005010X279A1",
            },
            "bht_segment": {
                "segment_name": "BHT",
                "hierarchical_structure_code": "0022",
                "transaction_set_purpose_code": "13",
                "submitter_transactional_identifier": _clean(inquiry.trace, 50),
                "transaction_set_creation_date": f"{inquiry.asked_at:%Y%m%d}",
                "transaction_set_creation_time": f"{inquiry.asked_at:%H%M}",
            },
        },
        "loop_2000a": [
            {
                "hl_segment": _hl("1", None, "20", "1"),
                "loop_2100a": {"nm1_segment": _organization("PR", inquiry.payer_name, "PI", _clean(inquiry.payer_id, 80))},
                "loop_2000b": [
                    {
                        "hl_segment": _hl("2", "1", "21", "1"),
                        "loop_2100b": {"nm1_segment": _organization("1P", inquiry.provider_name, *provider_id)},
                        "loop_2000c": [subscriber],
                    }
                ],
            }
        ],
        "footer": {
            "se_segment": {
                "segment_name": "SE",
                "transaction_segment_count": _count(inquiry),
                "transaction_set_control_number": number,
            }
        },
    }


def _hl(number: str, parent: str | None, level: str, child: str) -> dict[str, Any]:
    return {
        "segment_name": "HL",
        "hierarchical_id_number": number,
        "hierarchical_parent_id_number": parent,
        "hierarchical_level_code": level,
        "hierarchical_child_code": child,
    }


def _organization(code: str, name: str, id_kind: str, id_: str) -> dict[str, Any]:
    return {
        "segment_name": "NM1",
        "entity_identifier_code": code,
        "entity_type_qualifier": "2",
        "name_last_or_organization_name": _clean(name, 60),
        "identification_code_qualifier": id_kind,
        "identification_code": id_,
    }


def _person(code: str, person: Person, member_id: str | None) -> dict[str, Any]:
    name = {
        "segment_name": "NM1",
        "entity_identifier_code": code,
        "entity_type_qualifier": "1",
        "name_last_or_organization_name": _clean(person.family, 60),
        "name_first": _clean(person.given, 35),
    }
    if number := _clean(member_id or "", 80):
        name |= {"identification_code_qualifier": "MI", "identification_code": number}
    found: dict[str, Any] = {"nm1_segment": name}
    if person.birth_date:
        found["dmg_segment"] = {
            "segment_name": "DMG",
            "date_time_period_format_qualifier": "D8",
            "date_time_period": f"{person.birth_date:%Y%m%d}",
        } | ({"gender_code": person.sex} if person.sex else {})
    return found


def _group(inquiry: Inquiry) -> dict[str, Any]:
    number = _clean(inquiry.group_number or "", 50)
    if not number:
        return {}
    return {
        "ref_segment": [{"segment_name": "REF", "reference_identification_qualifier": "6P", "reference_identification": number}]
    }


def _count(inquiry: Inquiry) -> int:
    """ST, BHT, two levels of two; the subscriber's HL and NM1; TRN, DTP, EQ of whoever is the patient; SE."""
    count = 2 + 4 + 2 + 3 + 1
    count += bool(inquiry.subscriber.birth_date) + bool(_clean(inquiry.group_number or "", 50))
    if inquiry.dependent:
        count += 3 + bool(inquiry.dependent.birth_date)  # HL, NM1, INS
    return count


def _clean(value: str, longest: int) -> str:
    """Capitals of the basic character set: no accents, no delimiters, no line breaks."""
    plain = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode().upper()
    return re.sub(r"\s+", " ", re.sub(r"[^A-Z0-9 &()+,./\-'\"!?;=%@_#$]", " ", plain)).strip()[:longest].strip()
