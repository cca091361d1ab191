"""The clinic file as typed values: what a practice manager writes, checked in shape. `checking` looks at what the parts say together."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _weekdays(value: Any) -> Any:
    """ "mon-fri", "tue,thu", "mon,wed-fri" as a set of 0 (Monday) to 6."""
    if not isinstance(value, str):
        return value
    found: set[int] = set()
    for part in value.replace(" ", "").lower().split(","):
        first, _, last = part.partition("-")
        if first not in WEEKDAYS or (last and last not in WEEKDAYS):
            raise ValueError(f'"{part}" is no weekday or range of weekdays; write for example "mon-fri" or "tue,thu"')
        a, b = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        found |= set(range(a, b + 1)) if a <= b else set(range(a, 7)) | set(range(b + 1))
    return frozenset(found)


def _write_weekdays(days: frozenset[int]) -> str:
    return ",".join(WEEKDAYS[day] for day in sorted(days))


class Span(BaseModel):
    """A stretch of wall time in a day, "08:00-12:00"; an end before the start runs over midnight (quiet hours alone)."""

    model_config = ConfigDict(frozen=True)
    start: dt.time
    end: dt.time


def _span(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if not (match := re.fullmatch(r"\s*(\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d)\s*", value)):
        raise ValueError(f'"{value}" is no time span; write for example "08:00-12:00"')
    numbers = [int(group) for group in match.groups()]
    try:
        return Span(start=dt.time(numbers[0], numbers[1]), end=dt.time(numbers[2], numbers[3]))
    except ValueError:
        raise ValueError(f'"{value}" has a time that no clock shows; write for example "08:00-12:00"') from None


def _write_span(span: Span) -> str:
    return f"{span.start:%H:%M}-{span.end:%H:%M}"


def _ages(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if match := re.fullmatch(r"\s*(\d+)\s*\+\s*", value):
        return Ages(youngest=int(match[1]), oldest=None)
    if match := re.fullmatch(r"\s*(\d+)\s*-\s*(\d+)\s*", value):
        return Ages(youngest=int(match[1]), oldest=int(match[2]))
    raise ValueError(f'"{value}" is no range of ages; write for example "0-17" or "18+"')


class Ages(BaseModel):
    """Whole years, both ends included."""

    model_config = ConfigDict(frozen=True)
    youngest: int
    oldest: int | None

    def __contains__(self, years: int) -> bool:
        return self.youngest <= years and (self.oldest is None or years <= self.oldest)


def _write_ages(ages: Ages) -> str:
    return f"{ages.youngest}+" if ages.oldest is None else f"{ages.youngest}-{ages.oldest}"


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(f'"{value}" is no time zone; write for example "America/Chicago"') from None
    return value


def _phone(value: str) -> str:
    if not re.fullmatch(r"\+[1-9]\d{6,14}", value):
        raise ValueError(f'"{value}" is no phone number in international form; write for example "+13125550100"')
    return value


Weekdays = Annotated[frozenset[int], BeforeValidator(_weekdays), PlainSerializer(_write_weekdays)]
TimeSpan = Annotated[Span, BeforeValidator(_span), PlainSerializer(_write_span)]
AgeRange = Annotated[Ages, BeforeValidator(_ages), PlainSerializer(_write_ages)]
Zone = Annotated[str, AfterValidator(_zone)]
Phone = Annotated[str, AfterValidator(_phone)]
Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Minutes = Annotated[int, Field(ge=1, le=24 * 60)]
ModeName = Literal["in-person", "video"]
WeeklyHours = dict[str, TimeSpan]  # "mon-fri": "08:00-17:00"


class Part(BaseModel):
    """A part of the clinic file: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ClinicInfo(Part):
    name: str
    timezone: Zone
    languages: list[str] = ["en"]
    phone: Phone
    main_email: str | None = None
    grid_minutes: Literal[5, 10, 15, 20, 30, 60] = 5
    booking_horizon_days: int = Field(120, ge=1, le=730)
    booking_notice_minutes: int = Field(60, ge=0)
    cancellation_notice_hours: int = Field(24, ge=0)
    hold_minutes: int = Field(8, ge=1, le=24 * 60)


class Room(Part):
    id: Id
    name: str
    kind: str


class LocationPart(Part):
    id: Id
    name: str
    aliases: list[str] = []
    address: str = ""
    directions: str = ""
    parking: str = ""
    timezone: Zone | None = None  # the clinic's where it is left out
    hours: WeeklyHours
    rooms: list[Room] = []

    def hours_on(self, weekday: int) -> list[Span]:
        return [span for days, span in self.hours.items() if weekday in _weekdays(days)]


class Closure(Part):
    date: dt.date
    name: str
    locations: list[Id] | None = None  # every location where it is left out


class Recall(Part):
    every_months: int = Field(ge=1)
    ages: AgeRange | None = None
    sex: Literal["female", "male"] | None = None


class ServicePart(Part):
    id: Id
    name: str
    aliases: list[str] = []
    minutes: Minutes
    buffer_before_minutes: int = Field(0, ge=0)
    buffer_after_minutes: int = Field(0, ge=0)
    who: Literal["new", "established", "any"] = "any"
    ages: AgeRange | None = None
    modes: list[ModeName] = ["in-person"]
    specialty: str
    room: str | None = None  # the kind of room that the visit needs
    urgency: Literal["routine", "urgent"] = "routine"
    needs_order: bool = False
    needs_referral: bool = False
    paperwork: list[str] = []
    prep: str = ""
    recall: Recall | None = None


class Session(Part):
    """A weekly stretch in which a practitioner sees patients at a location."""

    days: Weekdays
    at: Id
    time: TimeSpan


class Block(Part):
    """A part of the schedule kept for one use until `release_hours` before the block starts."""

    days: Weekdays
    time: TimeSpan
    keep_for: Literal["urgent"] | list[Id]
    release_hours: int = Field(0, ge=0)
    at: Id | None = None


class Absence(Part):
    from_: dt.date = Field(alias="from")
    to: dt.date
    reason: str = ""


class PractitionerPart(Part):
    id: Id
    name: str
    aliases: list[str] = []
    gender: Literal["female", "male", "other"] | None = None
    languages: list[str] = ["en"]
    specialties: list[str] = []
    services: list[Id]
    max_visits_per_day: int | None = Field(None, ge=1)
    schedule: list[Session]
    blocks: list[Block] = []
    absences: list[Absence] = []

    @property
    def family(self) -> str:
        """The last name: of "Dr. Ann Roe" and "Sam Poe, NP" the words Roe and Poe."""
        return self.name.split(",")[0].split()[-1]


class PayerPart(Part):
    id: Id
    name: str
    aliases: list[str] = []
    payer_id: str
    in_network: list[Id] = []


class SelfPay(Part):
    allowed: bool = True
    price_list: dict[Id, Decimal] = {}


class Eligibility(Part):
    check_days_before: int = Field(3, ge=0)
    recheck_after_days: int = Field(30, ge=1)


class ReferralPartner(Part):
    id: Id
    name: str
    specialty: str
    phone: Phone | None = None
    fax: Phone | None = None
    accepts: list[Id] = []


class Reminders(Part):
    send_before_hours: list[Annotated[int, Field(ge=1)]] = [72, 24]
    channels: list[Literal["sms", "call", "email"]] = ["sms"]
    quiet_hours: TimeSpan = Span(start=dt.time(21), end=dt.time(8))
    cancel_if_unconfirmed: Literal["never"] = "never"


class Waitlist(Part):
    offer_minutes: int = Field(20, ge=1)
    offer_at_once: int = Field(1, ge=1)
    min_notice_hours: int = Field(2, ge=0)


class Emergency(Part):
    say: str
    after_hours_line: Phone | None = None


class Handoff(Part):
    hours: WeeklyHours
    transfer_to: Phone
    teams: list[str] = ["desk", "billing", "clinical", "language-access", "mobility"]


class Question(Part):
    ask: list[str]
    say: str


class StaffPart(Part):
    name: str
    email: str
    role: Literal["scheduler", "billing", "clinician", "manager", "auditor"]


class ClinicFile(Part):
    """A whole clinic. `zone` and the by-id look-ups are derived."""

    clinic: ClinicInfo
    locations: list[LocationPart] = Field(min_length=1)
    closures: list[Closure] = []
    holiday_calendar: str | None = None  # "US-IL": country and subdivision of the holidays library
    services: list[ServicePart] = Field(min_length=1)
    practitioners: list[PractitionerPart] = Field(min_length=1)
    payers: list[PayerPart] = []
    self_pay: SelfPay = SelfPay()
    eligibility: Eligibility = Eligibility()
    referral_partners: list[ReferralPartner] = []
    reminders: Reminders = Reminders()
    waitlist: Waitlist = Waitlist()
    emergency: Emergency
    handoff: Handoff
    questions: list[Question] = []
    staff: list[StaffPart] = []

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.clinic.timezone)

    @cached_property
    def locations_by_id(self) -> dict[str, LocationPart]:
        return {item.id: item for item in self.locations}

    @cached_property
    def services_by_id(self) -> dict[str, ServicePart]:
        return {item.id: item for item in self.services}

    @cached_property
    def practitioners_by_id(self) -> dict[str, PractitionerPart]:
        return {item.id: item for item in self.practitioners}

    @cached_property
    def payers_by_id(self) -> dict[str, PayerPart]:
        return {item.id: item for item in self.payers}

    def zone_of(self, location_id: str) -> ZoneInfo:
        return ZoneInfo(self.locations_by_id[location_id].timezone or self.clinic.timezone)
