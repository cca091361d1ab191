"""The clinic file as typed values: what a practice manager writes, checked in shape.

`checking` looks at what the parts say together. The sentence below each key is its documentation: `describing` makes the page and
the JSON schema for editors out of it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    Tag,
    WithJsonSchema,
)

from scheduling_core import mail_addresses
from scheduling_core.clinic_file.mistakes import did_you_mean

LONGEST_STAFF_EMAIL = 190  # characters: rows that say who did it have room for staff:EMAIL
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def weekdays(value: Any) -> frozenset[int]:
    """ "mon-fri", "tue,thu", "mon,wed-fri" or [tue, thu] as a set of 0 (Monday) to 6; "fri-mon" runs over the weekend."""
    if isinstance(value, frozenset):
        return value
    written = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    found: set[int] = set()
    for part in written.replace(" ", "").lower().split(","):
        first, dash, last = part.partition("-")
        if first not in WEEKDAYS or (dash and last not in WEEKDAYS):
            raise ValueError(f'"{part}" is no weekday or range of weekdays; write for example "mon-fri" or "tue,thu"')
        a, b = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        found |= set(range(a, b + 1)) if a <= b else set(range(a, 7)) | set(range(b + 1))
    return frozenset(found)


def _weekdays_as_written(value: str) -> str:
    weekdays(value)
    return value


def _write_weekdays(days: frozenset[int]) -> str:
    return ",".join(WEEKDAYS[day] for day in sorted(days))


class Span(BaseModel):
    """A stretch of wall time in a day, "08:00-12:00"; an end before the start runs over midnight (quiet hours alone)."""

    model_config = ConfigDict(frozen=True)
    start: dt.time
    end: dt.time

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"


def _span(value: Any) -> Span:
    if isinstance(value, Span):
        return value
    match = re.fullmatch(r"\s*(\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d)\s*", str(value))
    if not match:
        raise ValueError(f'"{value}" is no time span; write for example "08:00-12:00"')
    numbers = [int(group) for group in match.groups()]
    try:
        return Span(start=dt.time(numbers[0], numbers[1]), end=dt.time(numbers[2], numbers[3]))
    except ValueError:
        raise ValueError(f'"{value}" has a time that no clock shows; write for example "08:00-12:00"') from None


class Ages(BaseModel):
    """Whole years, both ends included."""

    model_config = ConfigDict(frozen=True)
    youngest: int
    oldest: int | None

    def __contains__(self, years: int) -> bool:
        return self.youngest <= years and (self.oldest is None or years <= self.oldest)

    def __str__(self) -> str:
        return f"{self.youngest}+" if self.oldest is None else f"{self.youngest}-{self.oldest}"


def _ages(value: Any) -> Ages:
    if isinstance(value, Ages):
        return value
    match = re.fullmatch(r"\s*(\d{1,3})\s*(?:\+|-\s*(\d{1,3}))\s*", str(value))
    if not match:
        raise ValueError(f'"{value}" is no range of ages; write for example "0-17" or "18+"')
    youngest, oldest = int(match[1]), int(match[2]) if match[2] else None
    if oldest is not None and oldest < youngest:
        raise ValueError(f'"{value}" ends before it starts; write for example "{oldest}-{youngest}"')
    return Ages(youngest=youngest, oldest=oldest)


def _time_of_day(value: Any) -> dt.time:
    if isinstance(value, dt.time):
        return value
    match = re.fullmatch(r"\s*(\d{1,2}):(\d\d)\s*", str(value))
    if not match or int(match[1]) > 23 or int(match[2]) > 59:
        raise ValueError(f'"{value}" is no time of day; write for example "06:30"')
    return dt.time(int(match[1]), int(match[2]))


def _address_with(placeholder: str) -> Callable[[str], str]:
    """Checks an address of the web that names the placeholder and no other."""

    def check(value: str) -> str:
        if not re.fullmatch(r"https://[^\s{}]+(\{\w+\}[^\s{}]*)?", value) or re.findall(r"\{\w+\}", value) != [placeholder]:
            raise ValueError(f'"{value}" must begin with https:// and have {placeholder} in it once')
        return value

    return check


def _web_address(value: str) -> str:
    if not re.fullmatch(r"https://[^\s{}]+", value):
        raise ValueError(f'"{value}" is no address of the web; write for example "https://video.example/test"')
    return value


def _fax_gateway(value: str) -> str:
    if not re.fullmatch(r"[^@\s{}]*\{fax\}[^@\s{}]*@[^@\s{}]+", value):
        raise ValueError(f'"{value}" is no mail address with {{fax}} in it; write for example "{{fax}}@fax.example"')
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        right = did_you_mean(value, sorted(available_timezones())) or 'write for example "America/Chicago"'
        raise ValueError(f'"{value}" is no time zone; {right}') from None
    return value


def _phone(value: str) -> str:
    if not re.fullmatch(r"\+[1-9]\d{6,14}", value):
        raise ValueError(f'"{value}" is no phone number in international form; write for example "+13125550100"')
    return value


def _email(value: str) -> str:
    if not mail_addresses.is_one(value):
        raise ValueError(f'"{value}" is no mail address; write for example "desk@clinic.example"')
    return value


def _staff_email(value: str) -> str:
    if len(value) > LONGEST_STAFF_EMAIL:
        raise ValueError(f"the address of staff may have up to {LONGEST_STAFF_EMAIL} characters")
    return value


def _language(value: str) -> str:
    if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", value):
        raise ValueError(f'"{value}" is no language code; write for example "en" or "es"')
    return value


def _id(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", value):
        better = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")[:64]
        raise ValueError(
            f'"{value}" is no id; use small letters, digits and hyphens' + (f', for example "{better}"' if better else "")
        )
    return value


def _npi(value: str) -> str:
    digits = [int(digit) for digit in "80840" + value] if re.fullmatch(r"\d{10}", value, re.ASCII) else [1]
    doubled = [digit if at % 2 == 0 else digit * 2 - 9 * (digit > 4) for at, digit in enumerate(reversed(digits))]
    if sum(doubled) % 10:
        raise ValueError(f'"{value}" is no NPI; it has ten digits, the last of which checks the others')
    return value


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f'"{value}" is no regular expression: {error}') from None
    return value


def _words(value: str) -> str:
    if not value.strip():
        raise ValueError("nothing is written here")
    return value


def _json(description: str, pattern: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "description": description, "pattern": pattern, "examples": list(examples)})


_DAY_PATTERN = r"^\s*(mon|tue|wed|thu|fri|sat|sun)(\s*[-,]\s*(mon|tue|wed|thu|fri|sat|sun))*\s*$"
_TIME_PATTERN = r"^\s*\d{1,2}:\d\d\s*-\s*\d{1,2}:\d\d\s*$"

Weekdays = Annotated[
    frozenset[int],
    BeforeValidator(weekdays),
    PlainSerializer(_write_weekdays),
    _json("Weekdays.", _DAY_PATTERN, "mon-fri", "tue,thu"),
]
WeekdayKey = Annotated[str, AfterValidator(_weekdays_as_written)]
TimeSpan = Annotated[
    Span,
    BeforeValidator(_span),
    PlainSerializer(str),
    _json("From and to, by the clock on the wall.", _TIME_PATTERN, "08:00-12:00"),
]
TimeOfDay = Annotated[
    dt.time,
    BeforeValidator(_time_of_day),
    PlainSerializer(lambda value: f"{value:%H:%M}"),
    _json("A time by the clock on the wall.", r"^\s*\d{1,2}:\d\d\s*$", "06:30"),
]
AgeRange = Annotated[
    Ages,
    BeforeValidator(_ages),
    PlainSerializer(str),
    _json("Whole years, both ends included.", r"^\s*\d+\s*(\+|-\s*\d+)\s*$", "0-17", "18+"),
]
Zone = Annotated[str, AfterValidator(_zone)]
Phone = Annotated[str, AfterValidator(_phone)]
Email = Annotated[str, AfterValidator(_email)]
StaffEmail = Annotated[Email, AfterValidator(_staff_email)]
Language = Annotated[str, AfterValidator(_language)]
Id = Annotated[str, AfterValidator(_id)]
Npi = Annotated[str, AfterValidator(_npi)]
Pattern = Annotated[str, AfterValidator(_pattern)]
ServiceType = Annotated[str, Field(pattern=r"^[A-Z0-9]{1,2}$")]
Words = Annotated[str, AfterValidator(_words)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
RoomAddress = Annotated[str, AfterValidator(_address_with("{room}"))]
FaxGateway = Annotated[str, AfterValidator(_fax_gateway)]
Flag = Annotated[bool, Field(strict=True)]
Whole = Annotated[int, Field(strict=True)]
Minutes = Annotated[int, Field(strict=True, ge=1, le=24 * 60)]
Buffer = Annotated[int, Field(strict=True, ge=0, le=24 * 60)]
Money = Annotated[Decimal, Field(ge=0, decimal_places=2)]
Weight = Annotated[float, Field(ge=0, le=1000)]
ModeName = Literal["in-person", "video"]
WeeklyHours = dict[WeekdayKey, TimeSpan]  # "mon-fri": "08:00-17:00"


def _kind_of_use(value: Any) -> str:
    return "services" if isinstance(value, (list, tuple)) else "urgent"


KeepFor = Annotated[
    Annotated[Literal["urgent"], Tag("urgent")] | Annotated[list[Id], Field(min_length=1), Tag("services")],
    Discriminator(_kind_of_use),
]


class Part(BaseModel):
    """A part of the clinic file: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class ClinicInfo(Part):
    """The clinic itself, and the rules of its calendar."""

    name: Words
    """What patients call the clinic."""
    timezone: Zone
    """The zone of every location that names none of its own."""
    languages: list[Language] = Field(["en"], min_length=1)
    """Languages spoken here, as codes."""
    phone: Phone
    """The number that patients text and call."""
    main_email: Email | None = None
    """Where mail to the desk goes."""
    npi: Npi | None = None
    """The National Provider Identifier with which insurers are asked."""
    tax_id: Words | None = None
    """The taxpayer identification number, printed on good faith estimates."""
    grid_minutes: Literal[5, 10, 15, 20, 30, 60] = 5
    """Every duration and every start is a multiple of this."""
    booking_horizon_days: Whole = Field(120, ge=1, le=730)
    """Visits are booked no later than this many days ahead."""
    booking_notice_minutes: Whole = Field(60, ge=0)
    """Visits are booked no sooner than this from now, urgent visits aside."""
    cancellation_notice_hours: Whole = Field(24, ge=0)
    """Cancellations later than this are accepted, noted and told to staff."""
    hold_minutes: Whole = Field(8, ge=1, le=24 * 60)
    """How long an offered time is kept while the patient decides."""
    back_to_back_minutes: Whole = Field(15, ge=0, le=120)
    """Visits in one go or of one family follow each other with no longer wait than this."""


class Room(Part):
    """A room that a visit can need for itself."""

    id: Id
    """Unique among the rooms of the clinic."""
    name: Words
    """What staff call it."""
    kind: Words
    """What a service asks for in its `room`."""


class LocationPart(Part):
    """A place where patients are seen."""

    id: Id
    """A short name that never changes: visits keep it."""
    name: Words
    """What patients call it."""
    aliases: list[Words] = []
    """Other words for it."""
    address: str = ""
    """The postal address, told to patients who ask."""
    directions: str = ""
    """How to find it, told word for word."""
    parking: str = ""
    """Where to park, told word for word."""
    timezone: Zone | None = None
    """Its own zone, where it is not the clinic's."""
    hours: WeeklyHours
    """When it is open, by weekday."""
    rooms: list[Room] = []
    """Rooms that are booked along with a visit. Ordinary consulting rooms need not be listed."""

    def hours_on(self, weekday: int) -> list[Span]:
        """Its opening hours on a weekday, 0 is Monday."""
        return self._hours_by_weekday[weekday]

    @cached_property
    def _hours_by_weekday(self) -> tuple[list[Span], ...]:
        return tuple([span for days, span in self.hours.items() if weekday in weekdays(days)] for weekday in range(7))


class Closure(Part):
    """A whole day on which the clinic is closed."""

    date: dt.date
    """The day."""
    name: Words
    """Why, told to patients who ask for that day."""
    locations: list[Id] | None = Field(None, min_length=1)
    """The locations that close; all of them where it is left out."""


class Recall(Part):
    """When a patient is due for this service again."""

    every_months: Whole = Field(ge=1, le=240)
    """How often."""
    ages: AgeRange | None = None
    """For whom by age; everybody where it is left out."""
    sex: Literal["female", "male"] | None = None
    """For whom by sex; everybody where it is left out."""
    also_never_had: Flag = False
    """Whether patients on file who never had it are due as well."""
    say: Words | None = None
    """What the text says it is time for, in the clinic's first language. Others may read along."""


class AfterVisit(Part):
    """What is sent after a visit. Others may read along: it should not tell what the visit was about."""

    hours: Whole = Field(24, ge=1, le=24 * 30)
    """How long after the visit."""
    say: Words | None = None
    """Instructions, told word for word."""
    ask: Words | None = None
    """A question, as in "How are you today?"; answers go to the clinical team."""


class ServicePart(Part):
    """Something that can be booked."""

    id: Id
    """A short name that never changes: visits and orders keep it."""
    name: Words
    """What patients call it."""
    aliases: list[Words] = []
    """Other words that patients use for it."""
    minutes: Minutes
    """How long the patient is seen."""
    buffer_before_minutes: Buffer = 0
    """Kept free before it, for the practitioner and the room."""
    buffer_after_minutes: Buffer = 0
    """Kept free after it, for the practitioner and the room."""
    who: Literal["new", "established", "any"] = "any"
    """Which patients may book it."""
    ages: AgeRange | None = None
    """Which ages may book it; all where it is left out."""
    modes: list[ModeName] = Field(["in-person"], min_length=1)
    """How it can take place."""
    specialty: Words
    """The field of medicine it belongs to."""
    room: Words | None = None
    """The kind of room that it needs for itself."""
    urgency: Literal["routine", "urgent"] = "routine"
    """An urgent service may use the times kept for urgent visits, and needs no notice."""
    needs_order: Flag = False
    """Only with an order on file."""
    needs_referral: Flag = False
    """Only with a referral on file."""
    service_type: ServiceType = "98"
    """What insurers are asked about, an X12 service type: 98 office visit, 81 routine physical, 80 immunizations, 5 laboratory."""
    procedure_codes: list[Words] = []
    """Codes of what is expected to be done, printed on good faith estimates."""
    diagnosis_codes: list[Words] = []
    """Codes of why, where they are known at booking, printed on good faith estimates."""
    paperwork: list[Words] = []
    """What the patient brings."""
    prep: str = ""
    """How the patient prepares, told word for word."""
    prep_in_texts: Words | None = None
    """What reminders say of the preparation; nothing where it is left out. Others may read along."""
    recall: Recall | None = None
    """When a patient is due again."""
    after_visit: AfterVisit | None = None
    """What is sent after the visit."""


class Session(Part):
    """A weekly stretch in which a practitioner sees patients at a location."""

    days: Weekdays
    """The weekdays."""
    at: Id
    """The location."""
    time: TimeSpan
    """From and to."""


class Block(Part):
    """A part of the schedule kept for one use."""

    days: Weekdays
    """The weekdays."""
    time: TimeSpan
    """From and to, within the schedule."""
    keep_for: KeepFor
    """`urgent`, or the services that alone may use it."""
    release_hours: Whole = Field(0, ge=0)
    """What is still free is given back to all this many hours before the block starts."""
    at: Id | None = None
    """The location, where the schedule has several at this time of the week."""


class Absence(Part):
    """Days on which a practitioner sees nobody."""

    from_: dt.date = Field(alias="from")
    """The first day."""
    to: dt.date
    """The last day."""
    reason: str = ""
    """For staff; patients are not told."""


class PractitionerPart(Part):
    """Somebody who sees patients."""

    id: Id
    """A short name that never changes: visits keep it."""
    name: Words
    """The full name with its title, as patients say it."""
    aliases: list[Words] = []
    """Other names that patients use."""
    gender: Literal["female", "male", "other"] | None = None
    """For patients who ask for a woman or a man."""
    languages: list[Language] = ["en"]
    """Languages spoken, as codes."""
    specialties: list[Words] = []
    """Fields of medicine."""
    services: list[Id]
    """The services given."""
    max_visits_per_day: Whole | None = Field(None, ge=1)
    """No more visits than this on a day."""
    npi: Npi | None = None
    """The National Provider Identifier, printed on good faith estimates."""
    email: Email | None = None
    """Where the day sheet and changes of the day go; nothing is mailed where it is left out."""
    schedule: list[Session]
    """The weekly hours."""
    blocks: list[Block] = []
    """Parts of the schedule kept for one use."""
    absences: list[Absence] = []
    """Vacations and other days away."""

    @cached_property
    def location_ids(self) -> tuple[str, ...]:
        """Where there are sessions, in the order of the schedule."""
        return tuple(dict.fromkeys(session.at for session in self.schedule))

    @property
    def family(self) -> str:
        """The last name: of "Dr. Ann Roe" and "Sam Poe, NP" the words Roe and Poe."""
        return self.name.split(",")[0].split()[-1]


class PayerPart(Part):
    """An insurer whose patients are seen."""

    id: Id
    """A short name that never changes: coverages keep it."""
    name: Words
    """The full name."""
    aliases: list[Words] = []
    """Other words that patients use for it."""
    payer_id: Words
    """The X12 payer identifier."""
    in_network: list[Id] = []
    """The practitioners who are in its network."""
    allowed_amounts: dict[Id, Money] = {}
    """What it pays for a service in all, the patient's part included; the price list counts where it is left out."""
    needs_referral: list[Id] = []
    """Services that it pays only with a referral."""
    needs_authorization: list[Id] = []
    """Services that it pays only with its authorization beforehand."""
    not_covered: list[Id] = []
    """Services that it never pays."""
    member_id_format: Pattern | None = None
    """A regular expression that its member numbers match; another number is only asked about once more."""


class SelfPay(Part):
    """Patients who pay themselves."""

    allowed: Flag = True
    """Whether they are seen."""
    price_list: dict[Id, Money] = {}
    """What a service costs them."""


Rule = Literal["tell", "ask", "stop"]


class CoverageRules(Part):
    """What an obstacle in the insurance does to a booking: `tell` the patient and go on, `ask` first, `stop` for a person."""

    inactive: Rule = "ask"
    """The insurer says that the plan is not in force."""
    not_found: Rule = "tell"
    """The insurer does not find the member, or refuses to answer."""
    unanswered: Rule = "tell"
    """The insurer has not answered yet."""
    out_of_network: Rule = "ask"
    """The practitioner is not in the plan's network."""
    network_unknown: Rule = "tell"
    """Nobody knows whether the practitioner is in the plan's network."""
    not_covered: Rule = "ask"
    """The plan does not pay this service."""
    referral: Rule = "tell"
    """The plan wants a referral and none is on file."""
    authorization: Rule = "tell"
    """The plan wants to authorize the visit beforehand."""


class Eligibility(Part):
    """Asking insurers whether a coverage is in force."""

    check_days_before: Whole = Field(3, ge=0)
    """Asked this many days before a visit."""
    recheck_after_days: Whole = Field(30, ge=1)
    """An answer older than this is asked for again."""
    rules: CoverageRules = CoverageRules()
    """What an obstacle does to a booking."""


class ReferralPartner(Part):
    """Where this clinic sends patients."""

    id: Id
    """A short name that never changes: referrals keep it."""
    name: Words
    """What it is called."""
    specialty: Words
    """Its field of medicine."""
    phone: Phone | None = None
    """Its phone."""
    fax: Phone | None = None
    """Its fax."""
    email: Email | None = None
    """Where packets may be mailed to."""
    accepts: list[Id] = []
    """The payers that it takes."""


class Reminders(Part):
    """Reminding patients of their visits."""

    send_before_hours: list[Annotated[int, Field(strict=True, ge=1)]] = [72, 24]
    """When, in hours before the visit."""
    channels: list[Literal["sms", "call", "email"]] = ["sms"]
    """How, in order of preference unless the patient chose."""
    quiet_hours: TimeSpan = Span(start=dt.time(21), end=dt.time(8))
    """Nothing that the clinic starts goes out at these hours of the patient's zone."""
    cancel_if_unconfirmed: Literal["never"] = "never"
    """A visit that is not confirmed stays on the books."""
    calendar_link: Flag = False
    """Whether reminders by text hold the link to the calendar file; many then take two segments instead of one."""


class OutreachPart(Part):
    """Writing to patients so that a visit comes about: recalls, follow-ups that were ordered, referrals from outside."""

    per_hour: Whole = Field(30, ge=1)
    """No more recalls than this in an hour."""
    per_day: Whole = Field(150, ge=1)
    """No more recalls than this on a day."""
    tries: Whole = Field(3, ge=1, le=10)
    """Messages without an answer after which staff are asked to call."""
    pause_days: Whole = Field(10, ge=1)
    """Days between one message and the next."""
    ahead_days: Whole = Field(21, ge=0)
    """The first message goes out this many days before the visit is due."""
    not_now_days: Whole = Field(60, ge=1)
    """Who says "not now" is asked again after this many days."""
    referral_days: Whole = Field(5, ge=1)
    """Days that each step of a referral to another practice may take."""
    packet: list[Literal["birth_date", "address", "phone", "email", "insurance", "language", "needs", "note"]] = [
        "birth_date",
        "phone",
        "insurance",
        "note",
    ]
    """What a referral's packet tells of the patient besides the name."""
    fax_by_mail: FaxGateway | None = None
    """The address of a mail-to-fax service, `{fax}` for the digits of the fax; packets to partners without mail go there."""


class Ranking(Part):
    """Which of the times that fit a patient's wish are offered first: those with the fewest points."""

    soonest: Weight = 1.0
    """Points for each hour that a time is later."""
    fragmentation: Weight = 0.4
    """Points for each minute before or after it that no visits could fill any more; twice in a gap too short for any visit."""
    balance: Weight = 0.04
    """Points for a practitioner whose session is full; half of them where it is half full."""


class Waitlist(Part):
    """Offering a time that came free to those who wait for one."""

    offer_minutes: Whole = Field(20, ge=1)
    """How long an offer stands before another is asked."""
    offer_at_once: Whole = Field(10, ge=1)
    """How many are asked at the same time; the first yes gets it. With 1 the time is kept for who is asked."""
    min_notice_hours: Whole = Field(2, ge=0)
    """Times sooner than this are not offered."""


class Overbooking(Part):
    """Putting a visit over another on purpose. Only schedulers and managers may; the assistant never does."""

    extra_at_once: Whole = Field(1, ge=0, le=5)
    """How many visits one practitioner may have at one time besides the regular one; 0 forbids overbooking."""


class NoShows(Part):
    """Estimating who may not come, from the clinic's own history."""

    estimate: Flag = False
    """Whether the risk is estimated: it says whom to call first, and where an overbooked visit hurts least."""


class Video(Part):
    """Visits by video."""

    link: RoomAddress
    """Where a visit takes place, as in `https://video.example/{room}`; `{room}` becomes a word that nobody can guess."""
    test: WebAddress | None = None
    """Where patients try camera and sound before the visit."""
    if_it_fails: Words | None = None
    """What to do when the video fails, word for word; a call to the clinic where it is left out."""


class StaffMail(Part):
    """What is mailed to those who work here. Each mail names what has to be done, not why a patient comes."""

    day_sheet_at: TimeOfDay = dt.time(6, 30)
    """When practitioners with an address are mailed the visits of the day; later changes of the day follow at once."""
    patients: Literal["initials", "names"] = "initials"
    """How these mails name patients."""
    teams: dict[Words, Email] = {}
    """Where teams are mailed that a task waits for them."""


class Emergency(Part):
    """What is said when life may be in danger."""

    say: Words
    """The sentence, told word for word."""
    after_hours_line: Phone | None = None
    """Who answers at night."""


class Handoff(Part):
    """People who take over from the assistant."""

    hours: WeeklyHours
    """When they are there."""
    transfer_to: Phone
    """The desk's phone."""
    teams: list[Words] = Field(["desk", "billing", "clinical", "language-access", "mobility"], min_length=1)
    """The teams that work is given to."""

    def hours_on(self, weekday: int) -> list[Span]:
        """Its opening hours on a weekday, 0 is Monday."""
        return [span for days, span in self.hours.items() if weekday in weekdays(days)]


class Question(Part):
    """A question that patients ask, and its answer."""

    ask: list[Words] = Field(min_length=1)
    """Ways of asking."""
    say: Words
    """The answer, told word for word."""


StaffRole = Literal["scheduler", "billing", "clinician", "manager", "auditor"]


class StaffPart(Part):
    """A first account; its password is set at the first sign-in."""

    name: Words
    """The full name."""
    email: StaffEmail
    """The address that the account signs in with."""
    role: StaffRole
    """What the account may do."""


class ConsolePart(Part):
    """The doors of the staff console."""

    idle_minutes: Whole = Field(15, ge=1, le=240)
    """How long a browser may lie idle before it is signed off; what was typed is kept."""
    second_factor: list[StaffRole] = ["scheduler", "billing", "clinician", "manager", "auditor"]
    """The roles that need an authenticator app or a passkey besides the password."""


class ClinicFile(Part):
    """All that a practice manager writes: who works where and when, what is offered, who pays, and the house rules."""

    clinic: ClinicInfo
    """The clinic itself, and the rules of its calendar."""
    locations: list[LocationPart] = Field(min_length=1)
    """The places where patients are seen."""
    closures: list[Closure] = []
    """Whole days on which the clinic, or a location, is closed."""
    holiday_calendar: Words | None = None
    """Public holidays, closed too: a country and a subdivision, as in `US-IL` or `DE-BY`."""
    services: list[ServicePart] = Field(min_length=1)
    """What can be booked."""
    practitioners: list[PractitionerPart] = Field(min_length=1)
    """Who sees patients."""
    payers: list[PayerPart] = []
    """Insurers, and who is in their networks."""
    self_pay: SelfPay = SelfPay()
    """Patients who pay themselves."""
    eligibility: Eligibility = Eligibility()
    """Asking insurers whether a coverage is in force."""
    referral_partners: list[ReferralPartner] = []
    """Where this clinic sends patients."""
    reminders: Reminders = Reminders()
    """Reminding patients of their visits."""
    outreach: OutreachPart = OutreachPart()
    """Writing to patients so that a visit comes about."""
    ranking: Ranking = Ranking()
    """Which of the times that fit a patient's wish are offered first."""
    waitlist: Waitlist = Waitlist()
    """Offering a time that came free to those who wait for one."""
    overbooking: Overbooking = Overbooking()
    """Putting a visit over another on purpose."""
    no_shows: NoShows = NoShows()
    """Estimating who may not come."""
    video: Video | None = None
    """Visits by video; without it the desk sends the link."""
    staff_mail: StaffMail = StaffMail()
    """What is mailed to those who work here."""
    emergency: Emergency
    """What is said when life may be in danger."""
    handoff: Handoff
    """People who take over from the assistant."""
    questions: list[Question] = []
    """Questions that are answered word for word."""
    staff: list[StaffPart] = []
    """First accounts."""
    console: ConsolePart = ConsolePart()
    """The doors of the staff console."""

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
