"""Reading an eligibility answer (271): every line as a fact, nothing concluded. `eligibility.facts` draws the conclusions.

Payers bend the guide, so that order and unknown codes are forgiven. What is not forgiven is what would make an amount wrong:
an answer that breaks off, and an amount or a share that is no number.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from scheduling_core.x12 import codes
from scheduling_core.x12.segments import Segment, X12Error, read


class Network(StrEnum):
    """Which network a line is about (EB12)."""

    IN = "in"
    OUT = "out"
    BOTH = "both"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Party:
    """Somebody named by an NM1: `code` is NM101, `id_kind` and `id` are NM108 and NM109. "" where nothing is said."""

    code: str
    name: str
    given: str = ""
    id_kind: str = ""
    id: str = ""
    birth_date: dt.date | None = None
    sex: str = ""
    phone: str = ""


@dataclass(frozen=True)
class Period:
    """Days, both ends included; None is open. `code` is DTP01."""

    code: str
    start: dt.date | None
    end: dt.date | None

    def __contains__(self, day: dt.date) -> bool:
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)


@dataclass(frozen=True)
class Reference:
    """A REF: `kind` is REF01 (6P group number, 18 plan number, N6 network, ...), `text` REF03."""

    kind: str
    value: str
    text: str = ""


@dataclass(frozen=True)
class Rejection:
    """An AAA: `code` is AAA03, `follow_up` AAA04, `where` payer, provider, subscriber, dependent or benefit."""

    code: str
    follow_up: str
    where: str
    segment: int

    @property
    def do(self) -> str:
        """What staff should do, a sentence."""
        return codes.what_to_do(self.code)

    @property
    def passes(self) -> bool:
        """Whether asking again later is of use."""
        return self.code in codes.TRY_AGAIN and self.follow_up != "N"


@dataclass(frozen=True)
class Benefit:
    """One EB with what hangs on it. Amounts in cents, `share` from 0 to 1; None where nothing is said."""

    segment: int
    kind: str  # EB01
    level: str = ""  # EB02: IND, FAM, ...
    service_types: tuple[str, ...] = ()  # EB03
    insurance_type: str = ""
    plan: str = ""
    period: str = ""  # EB06: 23 calendar year, 29 remaining, ...
    cents: int | None = None
    share: Decimal | None = None
    quantity_kind: str = ""
    quantity: str = ""
    authorization: bool | None = None
    network: Network = Network.UNKNOWN
    procedure: str = ""
    references: tuple[Reference, ...] = ()
    dates: tuple[Period, ...] = ()
    messages: tuple[str, ...] = ()
    places: tuple[str, ...] = ()  # place of service codes
    rejections: tuple[Rejection, ...] = ()
    parties: tuple[Party, ...] = ()


@dataclass(frozen=True)
class Member:
    """One patient of the answer: the `dependent`, or the subscriber where there is none.

    A dependent's `references` and `dates` are followed by the subscriber's, but for those of a code that it has itself.
    """

    subscriber: Party
    dependent: Party | None = None
    traces: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    dates: tuple[Period, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    benefits: tuple[Benefit, ...] = ()


@dataclass(frozen=True)
class Response:
    """An answer. `rejections` are those of the inquiry as a whole; `warnings` name what was odd, by segment."""

    control_number: str
    payer: Party | None
    receiver: Party | None
    rejections: tuple[Rejection, ...]
    members: tuple[Member, ...]
    warnings: tuple[str, ...] = ()


def parse_271(content: str | bytes) -> Response:
    """Read an answer, whatever came. Raises X12Error and nothing else."""
    interchange = read(content)
    segments = interchange.segments
    reader = _Reader(interchange.repetition, interchange.component)
    transaction = ""
    start = 0
    seen = False
    for segment in segments[1:]:
        name = segment.name
        if name == "ST":
            if transaction:
                raise X12Error(segment.number, "a transaction starts inside another")
            if segment[1] != "271":
                raise X12Error(segment.number, _other_kind(segment[1]))
            transaction, start, seen = segment[2] or "?", segment.number, True
        elif name == "SE":
            if not transaction:
                raise X12Error(segment.number, "SE without ST")
            if segment[2] not in (transaction, ""):
                raise X12Error(segment.number, "SE02 is not the number of its ST")
            if segment[1] != str(segment.number - start + 1):
                reader.warnings.append(f"segment {segment.number}: SE01 is not the count of segments")
            reader.end()
            transaction = ""
        elif transaction:
            reader.take(segment)
        elif name == "TA1":
            raise X12Error(segment.number, f"the interchange was refused: TA1 note {segment[5][:3]}")
    if transaction:
        raise X12Error(segments[-1].number, "breaks off before SE")
    if not seen:
        raise X12Error(segments[-1].number, "holds no 271")
    return Response(
        segments[0][13].strip(),
        reader.payer,
        reader.receiver,
        tuple(reader.rejections),
        tuple(reader.members),
        tuple(reader.warnings),
    )


def _other_kind(kind: str) -> str:
    if kind in ("999", "997"):
        return f"is an acknowledgement ({kind}): the inquiry was not taken as it stands"
    return "is no 271"


_LEVELS = {"20": "payer", "21": "provider", "22": "subscriber", "23": "dependent"}


@dataclass
class _Draft:
    subscriber: Party | None = None
    family: _Draft | None = None  # the subscriber's, of a dependent
    dependent: Party | None = None
    traces: list[str] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    dates: list[Period] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    benefits: list[Benefit] = field(default_factory=list)


@dataclass
class _Reader:
    """Where in the hierarchy the reading is."""

    repetition: str
    component: str
    payer: Party | None = None
    receiver: Party | None = None
    rejections: list[Rejection] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    _level: str = ""
    _draft: _Draft | None = None
    _family: _Draft | None = None  # the subscriber of the dependents that follow
    _benefit: dict[str, list[object]] | None = None
    _line: Benefit | None = None

    def take(self, segment: Segment) -> None:
        match segment.name:
            case "EB":
                self._close_line()
                self._open_line(segment)
            case "HL":
                self._new_level(segment)
            case "NM1":
                self._name(segment)
            case "AAA":
                self._reject(segment)
            case "MSG" if self._benefit is not None:
                self._benefit.setdefault("messages", []).append(segment[1])
            case "III" if self._benefit is not None and segment[1] == "ZZ":
                self._benefit.setdefault("places", []).append(segment[2])
            case "REF":
                self._add("references", Reference(segment[1], segment[2], segment[3]))
            case "DTP":
                if period := self._period(segment):
                    self._add("dates", period)
            case "TRN" if self._draft and segment[1] == "2":  # 2: ours come back; 1: the payer's own
                self._draft.traces.append(segment[2])
            case "DMG":
                self._demographics(segment)
            case "PER":
                self._phone(segment)

    def end(self) -> None:
        """The transaction is over."""
        self._close_member()
        self._level, self._family = "", None

    def _new_level(self, segment: Segment) -> None:
        level = _LEVELS.get(segment[3])
        if level is None:
            raise X12Error(segment.number, "HL03 is no level of an eligibility answer")
        if level == "dependent":
            family = self._draft if self._level == "subscriber" else self._family
            if family is None or family.subscriber is None:
                raise X12Error(segment.number, "a dependent without a subscriber")
            if self._level == "subscriber" and not (family.benefits or family.rejections or self._line):
                self._draft = None  # only there to carry the dependent
            self._close_member()
            self._family = family
            self._draft = _Draft(subscriber=family.subscriber, family=family)
        else:
            self._close_member()
            self._family = None
            self._draft = _Draft() if level == "subscriber" else None
        self._level = level

    def _close_member(self) -> None:
        self._close_line()
        draft, self._draft = self._draft, None
        if draft is None:
            return
        if draft.subscriber is None:
            if draft.benefits or draft.rejections:
                draft.subscriber = Party("IL", "")
            else:
                return
        above = draft.family or _Draft()
        kinds, dated = {one.kind for one in draft.references}, {one.code for one in draft.dates}
        self.members.append(
            Member(
                draft.subscriber,
                draft.dependent,
                tuple(draft.traces),
                (*draft.references, *(one for one in above.references if one.kind not in kinds)),
                (*draft.dates, *(one for one in above.dates if one.code not in dated)),
                tuple(draft.rejections),
                tuple(draft.benefits),
            )
        )

    def _open_line(self, segment: Segment) -> None:
        if self._draft is None:
            raise X12Error(segment.number, "EB outside of a subscriber or dependent")
        kinds = segment[3]
        self._benefit = {}
        self._line = Benefit(
            segment=segment.number,
            kind=segment[1],
            level=segment[2],
            service_types=tuple(kinds.split(self.repetition) if self.repetition else [kinds]) if kinds else (),
            insurance_type=segment[4],
            plan=segment[5],
            period=segment[6],
            cents=_cents(segment),
            share=_share(segment),
            quantity_kind=segment[9],
            quantity=segment[10],
            authorization=_AUTHORIZATION.get(segment[11]),
            network=_NETWORKS.get(segment[12], Network.UNKNOWN),
            procedure=segment[13],
        )

    def _close_line(self) -> None:
        if self._line is not None and self._benefit is not None and self._draft is not None:
            found = {name: tuple(values) for name, values in self._benefit.items()}
            self._draft.benefits.append(replace(self._line, **found) if found else self._line)  # type: ignore[arg-type]  # by name
        self._line = self._benefit = None

    def _name(self, segment: Segment) -> None:
        party = Party(segment[1], segment[3], segment[4], segment[8], segment[9])
        if self._benefit is not None:
            self._benefit.setdefault("parties", []).append(party)
        elif self._level == "payer":
            self.payer = party
        elif self._level == "provider":
            self.receiver = party
        elif self._draft and self._level == "subscriber":
            self._draft.subscriber = party
        elif self._draft:
            self._draft.dependent = party

    def _reject(self, segment: Segment) -> None:
        if self._benefit is not None:
            self._benefit.setdefault("rejections", []).append(Rejection(segment[3], segment[4], "benefit", segment.number))
            return
        found = Rejection(segment[3], segment[4], self._level or "payer", segment.number)
        (self._draft.rejections if self._draft else self.rejections).append(found)

    def _add(self, what: str, value: Reference | Period) -> None:
        if self._benefit is not None:
            self._benefit.setdefault(what, []).append(value)
        elif self._draft:
            getattr(self._draft, what).append(value)

    def _period(self, segment: Segment) -> Period | None:
        kind, written = segment[2], segment[3]
        try:
            if kind == "RD8":
                first, _, last = written.partition("-")
                return Period(segment[1], _day(first), _day(last))
            if kind == "D8":
                return _from_day(segment[1], _day(written))
        except ValueError:
            pass
        self.warnings.append(f"segment {segment.number}: DTP03 is no date")
        return None

    def _demographics(self, segment: Segment) -> None:
        if not self._draft or segment[1] != "D8":
            return
        try:
            born = _day(segment[2])
        except ValueError:
            self.warnings.append(f"segment {segment.number}: DMG02 is no date")
            return
        if self._level == "subscriber" and self._draft.subscriber:
            self._draft.subscriber = replace(self._draft.subscriber, birth_date=born, sex=segment[3])
        elif self._draft.dependent:
            self._draft.dependent = replace(self._draft.dependent, birth_date=born, sex=segment[3])

    def _phone(self, segment: Segment) -> None:
        number = next((segment[at + 1] for at in (3, 5, 7) if segment[at] == "TE"), "")
        if not number:
            return
        if self._benefit is not None:
            if parties := self._benefit.get("parties"):
                last = parties[-1]
                assert isinstance(last, Party)
                parties[-1] = replace(last, phone=number)
        elif self._level == "payer" and self.payer:
            self.payer = replace(self.payer, phone=number)


_AUTHORIZATION = {"Y": True, "N": False}
_NETWORKS = {"Y": Network.IN, "N": Network.OUT, "W": Network.BOTH}
_NUMBER = re.compile(r"(?=\.?\d)\d{0,12}(?:\.\d{0,9})?", re.ASCII)
_BEGINS = frozenset(("346", "348", "356", "007", "102", "193", "384"))  # a single day is the first of more
_ENDS = frozenset(("347", "349", "357", "194", "385"))


def _cents(segment: Segment) -> int | None:
    if not (written := segment[7]):
        return None
    if not _NUMBER.fullmatch(written):
        raise X12Error(segment.number, "EB07 is no amount")
    return int((Decimal(written) * 100).quantize(Decimal(1), ROUND_HALF_UP))


def _share(segment: Segment) -> Decimal | None:
    """EB08 is a decimal from 0 to 1; a payer that writes 20 means the same as one that writes .2."""
    if not (written := segment[8]):
        return None
    share = Decimal(written) if _NUMBER.fullmatch(written) else Decimal(-1)
    share = share / 100 if share > 1 else share
    if not 0 <= share <= 1:
        raise X12Error(segment.number, "EB08 is no share")
    return share


def _day(written: str) -> dt.date | None:
    """None for zeros, as some payers write an open end. Raises ValueError."""
    if not re.fullmatch(r"\d{8}", written, re.ASCII):
        raise ValueError
    return None if written == "00000000" else dt.date(int(written[:4]), int(written[4:6]), int(written[6:]))


def _from_day(code: str, day: dt.date | None) -> Period:
    if code in _ENDS:
        return Period(code, None, day)
    if code in _BEGINS or code in ("291", "292", "307", "295", "290"):
        return Period(code, day, None)
    return Period(code, day, day)
