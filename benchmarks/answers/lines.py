"""What an answer says, as plain facts: the generator builds these, render.py writes them as X12, expected.py works out amounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

NETWORKS = {"Y": "in", "N": "out", "W": "both"}


@dataclass(frozen=True)
class Dates:
    """A DTP: both days for RD8; one of them for D8, the end where the code is one of an end."""

    code: str
    start: date | None = None
    end: date | None = None

    def include(self, on: date) -> bool:
        return (self.start is None or self.start <= on) and (self.end is None or on <= self.end)


@dataclass(frozen=True)
class Person:
    """An NM1 with what stands beside it (DMG, PER): also an organisation, which has no given name."""

    code: str
    name: str
    given: str | None = None
    id_kind: str | None = None
    id: str | None = None
    birth_date: date | None = None
    sex: str | None = None
    phone: str | None = None


@dataclass(frozen=True)
class Refusal:
    """An AAA and the level that it stands at."""

    where: str
    code: str
    follow_up: str = "C"


@dataclass(frozen=True)
class Line:
    """One EB with its loop. `network` is EB12 as written; `share` is EB08 as written, so that no digit is lost."""

    kind: str
    types: tuple[str, ...] = ()
    level: str | None = None
    insurance: str | None = None
    plan: str | None = None
    period: str | None = None
    cents: int | None = None
    share: str | None = None
    quantity_kind: str | None = None
    quantity: str | None = None
    authorization: str | None = None
    network: str | None = None
    procedure: str | None = None
    references: tuple[tuple[str, str], ...] = ()
    dates: tuple[Dates, ...] = ()
    messages: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    parties: tuple[Person, ...] = ()

    @property
    def side(self) -> str:
        return NETWORKS.get(self.network or "", "unknown")


@dataclass(frozen=True)
class Insured:
    """A patient of the answer: the subscriber, or a dependent of it."""

    subscriber: Person
    dependent: Person | None = None
    traces: tuple[str, ...] = ()
    references: tuple[tuple[str, str], ...] = ()
    dates: tuple[Dates, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Answer:
    """A whole 271; no patients where the payer refused before it came to one."""

    payer: Person
    receiver: Person | None
    insured: tuple[Insured, ...] = ()
    refusals: tuple[Refusal, ...] = ()
