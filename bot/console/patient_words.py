"""A patient's card in words: fields, states, what insurers said, what was done."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from babel.dates import format_date, format_timedelta
from flask_babel import get_locale
from flask_babel import gettext as _

from bot.console.inbox_words import language_word, phone_word
from bot.console.task_words import reason_word
from scheduling_core import times
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.eligibility.facts import Range, Terms
from scheduling_core.eligibility.meaning import Finding, Obstacle
from scheduling_core.eligibility.words import money
from scheduling_core.models import (
    Appointment,
    AppointmentStatus,
    Channel,
    CheckStatus,
    Delivery,
    EligibilityCheck,
    Outreach,
    OutreachKind,
    OutreachStatus,
    ParticipationStatus,
    Patient,
    ReferralStatus,
    Sex,
    StatementKind,
    TaskStatus,
)
from scheduling_core.x12 import Network
from scheduling_core.x12.codes import what_to_do


def name_of(patient: Patient | None) -> str:
    """Of a restricted record the initials: the name is behind its glass."""
    if patient is None:
        return _("Nobody on file")
    if patient.restricted:
        return f"{patient.given[:1]}. {patient.family[:1]}."
    return f"{patient.given} {patient.family}"


def field_word(name: str) -> str:
    return {
        "given": _("Given names"),
        "family": _("Family name"),
        "birth_date": _("Birth date"),
        "sex": _("Sex"),
        "email": _("Email address"),
        "address": _("Address"),
        "language": _("Language"),
        "needs": _("Needs"),
        "phones": _("Phone numbers"),
        "new": _("New here"),
        "restricted": _("Restricted"),
        "status": _("Status"),
        "out": _("No messages"),
        "subscriber_id": _("Member id"),
        "group_number": _("Group number"),
        "relationship": _("Patient is the holder's"),
        "subscriber_given": _("Holder's given names"),
        "subscriber_family": _("Holder's family name"),
        "subscriber_birth_date": _("Holder's birth date"),
        "owner": _("Owner"),
        "team": _("Team"),
        "due": _("Due"),
    }.get(name, name.replace("_", " ").capitalize())


def sex_word(sex: Sex) -> str:
    return {Sex.FEMALE: _("Female"), Sex.MALE: _("Male"), Sex.OTHER: _("Other"), Sex.UNKNOWN: _("Not known")}[sex]


def value_word(name: str, value: Any) -> str:
    """A field's value as people read it."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name == "phones":
        return ", ".join(phone_word(phone) for phone in value)
    if isinstance(value, list):
        return ", ".join(map(need_word, value)) if value else _("nothing")
    if name == "sex" and value in list(Sex):
        return sex_word(Sex(value))
    if name == "birth_date" and value:
        return str(format_date(dt.date.fromisoformat(value), "medium", locale=get_locale()))
    if name == "language" and value:
        return language_word(value)
    return str(value) if value else _("nothing")


def need_word(need: str) -> str:
    """interpreter:pl is an interpreter for Polish."""
    kind, _colon, more = need.partition(":")
    if kind == "interpreter":
        return _("Interpreter: %(language)s", language=language_word(more)) if more else _("Interpreter")
    known = {"wheelchair": _("Wheelchair"), "hearing": _("Hard of hearing"), "transport": _("Transport")}.get(
        kind, kind.capitalize()
    )
    return f"{known}: {more}" if more else known


def relationship_word(word: str) -> str:
    return {"self": _("holder (self)"), "spouse": _("spouse"), "child": _("child"), "other": _("other")}.get(word, word)


def statement_word(kind: StatementKind) -> str:
    return {
        StatementKind.ALLERGIES: _("Allergies"),
        StatementKind.MEDICINES: _("Medicines"),
        StatementKind.HISTORY: _("Illnesses and operations"),
    }[kind]


def channel_word(channel: Channel) -> str:
    return {Channel.SMS: _("Texts"), Channel.VOICE: _("Calls"), Channel.EMAIL: _("Mail")}[channel]


def source_word(source: str) -> str:
    return {
        "keyword": _("by the word STOP or the like"),
        "words": _("in their own words"),
        "carrier": _("told by the carrier"),
        "staff": _("told to staff"),
        "bounced": _("mail came back"),
    }.get(source, source)


def visit_state(visit: Appointment) -> tuple[str, str]:
    """Where a visit stands, and the kind of badge for it."""
    if visit.status is AppointmentStatus.BOOKED and visit.confirmation is ParticipationStatus.ACCEPTED:
        return _("Confirmed"), "good"
    return {
        AppointmentStatus.BOOKED: (_("Booked"), ""),
        AppointmentStatus.PENDING: (_("To be approved"), "warn"),
        AppointmentStatus.ARRIVED: (_("Arrived"), "good"),
        AppointmentStatus.CHECKED_IN: (_("In room"), "good"),
        AppointmentStatus.FULFILLED: (_("Took place"), ""),
        AppointmentStatus.CANCELLED: (_("Cancelled"), "warn"),
        AppointmentStatus.NOSHOW: (_("Did not come"), "wrong"),
    }.get(visit.status, (str(visit.status), ""))


def delivery_word(status: Delivery) -> tuple[str, str]:
    return {
        Delivery.RECEIVED: (_("received"), ""),
        Delivery.ANSWERED: (_("received"), ""),
        Delivery.INBOX: (_("in the inbox"), "warn"),
        Delivery.QUEUED: (_("waits to go out"), ""),
        Delivery.SENDING: (_("going out"), ""),
        Delivery.SENT: (_("sent"), ""),
        Delivery.DELIVERED: (_("delivered"), "good"),
        Delivery.UNKNOWN: (_("fate unknown"), "warn"),
        Delivery.FAILED: (_("not delivered"), "wrong"),
        Delivery.WITHHELD: (_("held back"), "warn"),
    }[status]


def kind_word(kind: str) -> str:
    """What a message is, beside a word of a conversation."""
    return {
        "reminder": _("Reminder"),
        "offer": _("Waitlist offer"),
        "plan": _("Asked to move"),
        "plan-news": _("News of a move"),
        "recall": _("Recall"),
        "follow-up": _("Follow-up"),
        "referral-in": _("Referral"),
        "referral-news": _("News of a referral"),
        "after-visit": _("After a visit"),
        "running-late": _("Running late"),
        "emergency": _("Emergency"),
        "opt-out": _("Opt-out"),
    }.get(kind, "")


def told(description: str) -> str:
    """A task's words without what only a terminal needs: ids, and the command that writes an estimate."""
    return _FOR_A_TERMINAL.sub("", description).strip()


_FOR_A_TERMINAL = re.compile(r"\s*(Referral/\w{8,}|`frontdesk [^`]*`[^.]*\.)")


def since_word(instant: dt.datetime) -> str:
    """How long something waits."""
    age = times.now() - instant
    if age < dt.timedelta(minutes=1):
        return _("just came")
    return _("since %(age)s", age=format_timedelta(age, locale=get_locale()))


def task_state(status: TaskStatus) -> str:
    return {
        TaskStatus.REQUESTED: _("Open"),
        TaskStatus.ACCEPTED: _("Taken"),
        TaskStatus.IN_PROGRESS: _("Being done"),
        TaskStatus.COMPLETED: _("Done"),
        TaskStatus.CANCELLED: _("Not needed any more"),
    }[status]


def referral_word(status: ReferralStatus) -> tuple[str, str]:
    return {
        ReferralStatus.NEW: (_("To be sent"), "warn"),
        ReferralStatus.SENT: (_("Sent"), ""),
        ReferralStatus.SCHEDULED: (_("Has an appointment there"), ""),
        ReferralStatus.SEEN: (_("Was seen, report missing"), "warn"),
        ReferralStatus.CLOSED: (_("Closed"), "good"),
        ReferralStatus.CANCELLED: (_("Cancelled"), ""),
    }[status]


def network_word(network: Network | str) -> tuple[str, str]:
    return {"in": (_("In network"), "good"), "out": (_("Out of network"), "wrong")}.get(
        str(network), (_("Network not confirmed"), "warn")
    )


def outreach_word(one: Outreach, clinic: ClinicFile) -> str:
    service = clinic.services_by_id.get(one.service_id)
    what = {
        OutreachKind.RECALL: _("Due again: %(service)s", service=service.name if service else one.service_id),
        OutreachKind.FOLLOW_UP: _("Ordered: %(service)s", service=service.name if service else one.service_id),
        OutreachKind.REFERRAL_IN: _("Referred here: %(service)s", service=service.name if service else one.service_id),
    }[one.kind]
    return f"{what}: {outreach_state(one.status)}"


def outreach_state(status: OutreachStatus) -> str:
    return {
        OutreachStatus.OPEN: _("being asked"),
        OutreachStatus.BOOKED: _("booked"),
        OutreachStatus.DONE: _("took place"),
        OutreachStatus.DECLINED: _("not now, asked again later"),
        OutreachStatus.ELSEWHERE: _("had it elsewhere"),
        OutreachStatus.STOPPED: _("wants no more of these"),
        OutreachStatus.FOR_STAFF: _("to be called"),
        OutreachStatus.OVER: _("over"),
    }[status]


# insurance


def check_word(check: EligibilityCheck) -> tuple[str, str]:
    """What became of a question to the payer."""
    if check.status is CheckStatus.ANSWERED:
        if check.in_force is None:
            return _("The payer does not say whether the plan is in force"), "warn"
        return (_("In force"), "good") if check.in_force else (_("Not in force"), "wrong")
    if check.status is CheckStatus.REJECTED:
        return _("The payer refused the question"), "wrong"
    return _("No answer that can be used"), "warn"


def check_advice(check: EligibilityCheck) -> str:
    """What to do after a refusal or no answer."""
    if check.status is CheckStatus.REJECTED:
        return what_to_do(check.error or "")
    if check.status is CheckStatus.FAILED:
        return _("Please verify the coverage by phone or on the payer's portal.")
    return ""


def terms_lines(terms: Terms) -> list[tuple[str, str]]:
    """What a member pays, a line each; what the payer does not say says so."""
    unknown = _("the payer does not say")
    deductible = f"{_range(terms.deductible_left)} {_('of')} {_range(terms.deductible)}" if terms.deductible else unknown
    most = f"{_range(terms.out_of_pocket_left)} {_('of')} {_range(terms.out_of_pocket)}" if terms.out_of_pocket else unknown
    found = [
        (_("Copay"), _range(terms.copay) if terms.copay else unknown),
        (_("Coinsurance"), _percent(terms.share) if terms.share else unknown),
        (_("Deductible left"), deductible),
        (_("Out-of-pocket maximum left"), most),
    ]
    if terms.authorization is not None:
        found.append((_("Prior authorization"), _("needed") if terms.authorization else _("not needed")))
    return found


def _range(amount: Range | None) -> str:
    if amount is None:
        return _("unknown")
    low = money(int(amount.low))
    if amount.exact:
        return low
    return _("%(low)s to %(high)s", low=low, high=money(int(amount.high)) if amount.high is not None else _("unknown"))


def _percent(share: Range) -> str:
    low = f"{share.low * 100:.0f}%"
    return low if share.exact or share.high is None else f"{low} - {share.high * 100:.0f}%"


def obstacle_word(finding: Finding, clinic: ClinicFile) -> str:
    """What stands in the way of the next visit, for staff."""
    service = clinic.services_by_id.get(finding.service_id)
    who = clinic.practitioners_by_id.get(finding.practitioner_id or "")
    words = {
        "payer": finding.payer_name,
        "service": service.name if service else finding.service_id,
        "who": who.name if who else _("this practitioner"),
    }
    said = {
        Obstacle.INACTIVE: _("%(payer)s says that the plan is not in force.", **words),
        Obstacle.NOT_FOUND: _("%(payer)s could not find the patient with these details.", **words),
        Obstacle.UNANSWERED: _("%(payer)s has not confirmed the coverage yet.", **words),
        Obstacle.OUT_OF_NETWORK: _("%(who)s is not in network with %(payer)s.", **words),
        Obstacle.NETWORK_UNKNOWN: _("It is not confirmed that %(who)s is in network with %(payer)s.", **words),
        Obstacle.NOT_COVERED: _("%(payer)s does not cover %(service)s.", **words),
        Obstacle.REFERRAL: _("%(payer)s wants a referral for %(service)s, and none is on file.", **words),
        Obstacle.AUTHORIZATION: _("%(payer)s has to authorize %(service)s beforehand.", **words),
    }[finding.obstacle]
    if finding.obstacle is Obstacle.OUT_OF_NETWORK and finding.in_network:
        names = ", ".join(clinic.practitioners_by_id[one].name for one in finding.in_network[:3])
        said = f"{said} {_('In network: %(names)s.', names=names)}"
    return said


# the trail


def action_word(action: str) -> str:
    return {"C": _("made"), "R": _("read"), "U": _("changed"), "D": _("deleted"), "E": _("did")}.get(action, action)


def entity_word(entity: str) -> str:
    return {
        "Patient": _("the record"),
        "Appointment": _("a visit"),
        "Coverage": _("an insurance"),
        "CoverageEligibilityRequest": _("a question to the payer"),
        "CoverageEligibilityResponse": _("a payer's answer"),
        "Communication": _("a message"),
        "Conversation": _("a conversation"),
        "Task": _("a task"),
        "Statement": _("what the patient said of their health"),
        "ServiceRequest": _("an order"),
        "Referral": _("a referral"),
        "Outreach": _("a recall"),
        "AuditEvent": _("who saw the record"),
        "Consent": _("consent to messages"),
        "BrokenGlass": _("opened a restricted record"),
    }.get(entity, entity)


def who_word(who: str) -> str:
    return {
        "assistant": _("the assistant"),
        "worker": _("the clinic's worker"),
        "token": _("another system"),
        "load": _("loading the clinic file"),
    }.get(who, who)


def unfit_word(why: str) -> str:
    return {
        "empty": _("This cannot be empty."),
        "too-long": _("This is too long."),
        "too-many": _("Too many, or one of them twice."),
        "no-date": _("This is no birth date: write it as month/day/year."),
        "no-address": _("This is no email address."),
        "no-phone": _("This is no phone number; write for example (312) 555-0100."),
        "unknown": _("This is not one of the choices."),
    }.get(why, _("This cannot be kept so."))


WORDS: dict[str, Any] = {
    word.__name__: word
    for word in (
        name_of,
        field_word,
        sex_word,
        value_word,
        need_word,
        relationship_word,
        statement_word,
        channel_word,
        source_word,
        visit_state,
        delivery_word,
        kind_word,
        told,
        since_word,
        task_state,
        referral_word,
        network_word,
        outreach_word,
        check_word,
        check_advice,
        terms_lines,
        obstacle_word,
        action_word,
        entity_word,
        who_word,
        unfit_word,
        phone_word,
        language_word,
        reason_word,
    )
}
