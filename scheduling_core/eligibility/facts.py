"""What an answer says of one visit: whether the member is covered, and on which terms. docs/coverage.md states the rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from scheduling_core.x12 import Benefit, Member, Network, Party, Period, codes

_USED, _LEFT = "24", "29"
_NOT_BASE = frozenset(("24", "29", "32", "33"))
_ADMISSION = "36"
_OFFICE = "11"
_PLAN_DATES = frozenset(("291", "307", "346", "347", "356", "357"))
_LINE_DATES = _PLAN_DATES | {"292", "348", "349"}


class Status(StrEnum):
    ACTIVE = "active"
    INACTIVE = "inactive"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Range:
    """What an amount (cents) or a share lies between, ends included; `high` None: nobody knows how much."""

    low: Decimal
    high: Decimal | None

    @property
    def exact(self) -> bool:
        return self.low == self.high

    @classmethod
    def of(cls, values: Iterable[Decimal | int]) -> Range | None:
        """From the smallest to the largest; None where there is none."""
        found = sorted(Decimal(value) for value in values)
        return cls(found[0], found[-1]) if found else None


@dataclass(frozen=True)
class Terms:
    """What a member pays for one service type in one network; None is unknown. `copay_alone`: the copay takes the place of
    deductible and coinsurance.
    """

    covered: bool | None = None
    copay: Range | None = None
    share: Range | None = None  # the coinsurance, the member's part
    deductible: Range | None = None
    deductible_left: Range | None = None
    out_of_pocket: Range | None = None
    out_of_pocket_left: Range | None = None
    authorization: bool | None = None
    copay_alone: bool = False


def status_on(member: Member, day: dt.date) -> Status:
    """Whether the plan is in force on a day."""
    if member.rejections:
        return Status.UNKNOWN
    if not _include(member.dates, _PLAN_DATES, day):
        return Status.INACTIVE
    lines = [line for line in member.benefits if line.kind in codes.ACTIVE | codes.INACTIVE]
    lines = [line for line in lines if not line.service_types or codes.HEALTH_PLAN in line.service_types] or lines
    active = [line for line in lines if line.kind in codes.ACTIVE]
    if any(_include(line.dates, _LINE_DATES, day) for line in active):
        return Status.ACTIVE
    if active or any(_include(line.dates, _LINE_DATES, day) for line in lines):
        return Status.INACTIVE
    return Status.UNKNOWN


def _include(periods: Sequence[Period], kinds: frozenset[str], day: dt.date) -> bool:
    """Whether of each of these kinds that is given a period includes the day: this year's and the next are two of one kind."""
    given = {period.code for period in periods} & kinds
    return all(any(day in period for period in periods if period.code == kind) for kind in given)


def plan_name(member: Member) -> str:
    """The plan as the payer calls it, "" where it says none."""
    named = [line.plan for line in member.benefits if line.kind in codes.ACTIVE and line.plan]
    return named[0] if named else next((ref.text for ref in member.references if ref.kind == "18" and ref.text), "")


def primary_care(member: Member) -> Party | None:
    """The primary care physician on file with the payer."""
    named = (party for line in member.benefits for party in line.parties if line.kind == "L" or party.code == "P3")
    return next(named, None)


def other_payers(member: Member) -> tuple[Party, ...]:
    """Other insurers that the payer knows of."""
    named = [party for line in member.benefits if line.kind == "R" for party in line.parties]
    return tuple(party for party in named if party.code in ("PR", "PRP", "SEP", "TTP", "IN"))


def terms(member: Member, service_type: str, network: Network, on: dt.date) -> Terms:
    """The terms of a service type in a network (`in` or `out`) on a day."""
    usable = [line for line in member.benefits if _counts(line, on)]
    own = [line for line in usable if service_type in line.service_types]
    plan = [line for line in usable if not line.service_types or codes.HEALTH_PLAN in line.service_types]
    if service_type == codes.HEALTH_PLAN:
        own = plan

    def of(lines: Sequence[Benefit], fits: Callable[[Benefit], bool]) -> list[Benefit]:
        """Those of the network, else those that are silent about it."""
        found = [line for line in lines if fits(line)]
        there = [line for line in found if line.network in (network, Network.BOTH)]
        return there or [line for line in found if line.network is Network.UNKNOWN]

    def first(fits: Callable[[Benefit], bool]) -> list[Benefit]:
        return of(own, fits) or of(plan, fits)

    copays = of(own, lambda line: line.kind == "B" and line.cents is not None and line.period != _ADMISSION)
    own_shares = of(own, _has_share)
    shares = own_shares or ([] if copays else of(plan, _has_share))
    share = Range.of(line.share for line in shares if line.share is not None)
    deductible, deductible_left = _amount(first(lambda line: line.kind == "C" and line.cents is not None))
    if deductible and deductible_left is None:
        deductible_left = Range(Decimal(0), deductible.high)
    most, most_left = _amount(first(lambda line: line.kind == "G" and line.cents is not None))
    return Terms(
        covered=_covered(of(own, lambda line: line.kind in codes.ACTIVE | codes.INACTIVE | {"I"})),
        copay=Range.of(line.cents for line in copays if line.cents is not None),
        share=Range.of((0,)) if copays and share is None else share,
        deductible=deductible,
        deductible_left=deductible_left,
        out_of_pocket=most,
        out_of_pocket_left=most_left,
        authorization=_authorization(of(own, lambda line: line.authorization is not None)),
        copay_alone=bool(copays)
        and not any(line.share for line in own_shares)
        and not of(own, lambda line: line.kind == "C" and line.cents is not None),
    )


def _has_share(line: Benefit) -> bool:
    return line.kind == "A" and line.share is not None


def _counts(line: Benefit, on: dt.date) -> bool:
    if line.procedure or (line.places and _OFFICE not in line.places):
        return False
    return _include(line.dates, _LINE_DATES, on)


def _covered(lines: Sequence[Benefit]) -> bool | None:
    if not lines:
        return None
    return any(line.kind in codes.ACTIVE for line in lines)


def _authorization(lines: Sequence[Benefit]) -> bool | None:
    return any(line.authorization for line in lines) if lines else None


def _amount(lines: Sequence[Benefit]) -> tuple[Range | None, Range | None]:
    """A deductible or a maximum, and what is left of it where that is stated: of the individual and of the family, the smaller."""
    own, own_left = _of_level(line for line in lines if line.level != "FAM")
    family, family_left = _of_level(line for line in lines if line.level == "FAM")
    if own and own.high is not None and family_left and family_left.low > own.high:
        family_left = None  # nobody owes more than their own, and of that it tells nothing
    left = _smaller(own_left, family_left)
    return _smaller(own, family), _smaller(own, left) if left else None


def _of_level(lines: Iterable[Benefit]) -> tuple[Range | None, Range | None]:
    of_level = list(lines)
    base = _cents(line for line in of_level if line.period not in _NOT_BASE)
    rest = _cents(line for line in of_level if line.period == _LEFT)
    used = _cents(line for line in of_level if line.period == _USED)
    if rest is None and base is not None and used is not None:
        rest = _less(base, used)
    return base, rest


def _cents(lines: Iterable[Benefit]) -> Range | None:
    return Range.of(line.cents for line in lines if line.cents is not None)


def _less(base: Range, used: Range) -> Range:
    assert base.high is not None
    assert used.high is not None
    return Range(max(base.low - used.high, Decimal(0)), max(base.high - used.low, Decimal(0)))


def _smaller(*either: Range | None) -> Range | None:
    ranges = [one for one in either if one]
    if not ranges:
        return None
    return Range(min(one.low for one in ranges), min(one.high for one in ranges if one.high is not None))
