"""What a visit costs the patient, line by line: an estimate, not a bill. docs/coverage.md states the rules.

Pure arithmetic on cents: prices and terms in, an estimate out. `estimates` finds both for a patient.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from scheduling_core.eligibility.facts import Range, Status, Terms
from scheduling_core.x12 import Network


class Basis(StrEnum):
    """Where the amount that the rest is worked out from comes from."""

    ALLOWED = "allowed-amount"
    PRICE_LIST = "price-list"
    UNKNOWN = "unknown"


class Kind(StrEnum):
    """What a line of an estimate is."""

    PRICE = "price"  # of the visit
    NOT_COVERED = "not-covered"
    DEDUCTIBLE = "deductible"
    COPAY = "copay"
    COINSURANCE = "coinsurance"
    MAXIMUM = "out-of-pocket-maximum"  # taken off
    DIFFERENCE = "above-allowed"  # out of network: what the plan may not allow
    SECONDARY = "secondary-payer"  # taken off


class Unknown(StrEnum):
    """A fact that is missing."""

    PRICE = "price"
    COVERAGE = "coverage"
    NETWORK = "network"
    COPAY = "copay"
    DEDUCTIBLE = "deductible-left"
    COINSURANCE = "coinsurance"
    MAXIMUM = "out-of-pocket-left"
    ALLOWED = "allowed-amount"
    SECONDARY = "secondary-payer"


@dataclass(frozen=True)
class Price:
    """What a service costs: the payer's allowed amount and the price list, in cents; None where the clinic file has none."""

    allowed: int | None
    listed: int | None


_NO_TERMS = Terms()


@dataclass(frozen=True)
class Plan:
    """One insurer's part in a visit. `inside` and `outside` are its terms in and out of network."""

    status: Status
    network: Network  # of the practitioner: in, out or unknown
    inside: Terms = _NO_TERMS
    outside: Terms = _NO_TERMS


@dataclass(frozen=True)
class Line:
    """From `low` to `high` cents; `high` None: nobody knows. What is taken off is negative."""

    kind: Kind
    low: int
    high: int | None


@dataclass(frozen=True)
class Estimate:
    """What the patient pays: from `low` to `high` cents, `high` None where nobody can tell."""

    low: int
    high: int | None
    lines: tuple[Line, ...]
    unknown: tuple[Unknown, ...]
    basis: Basis

    @property
    def exact(self) -> bool:
        return self.low == self.high


@dataclass(frozen=True)
class _Parts:
    """One payer's visit worked out with one set of facts, in cents."""

    deductible: int = 0
    copay: int = 0
    coinsurance: int = 0
    over: int = 0  # above the out-of-pocket maximum
    not_covered: int = 0
    difference: int = 0

    @property
    def total(self) -> int:
        return self.deductible + self.copay + self.coinsurance + self.not_covered + self.difference - self.over


@dataclass(frozen=True)
class _Share:
    """The patient's part with one payer; `most` None: nobody can tell."""

    least: _Parts
    most: _Parts | None
    unknown: frozenset[Unknown]


def estimate(price: Price, primary: Plan | None, secondary: Plan | None = None) -> Estimate:
    """The patient's part of the price. Without a plan the patient pays it alone."""
    if primary is None:
        return _alone(price)
    amount, basis = (price.allowed, Basis.ALLOWED) if price.allowed is not None else (price.listed, Basis.PRICE_LIST)
    if primary.network is Network.OUT and price.listed is not None:
        amount, basis = price.listed, Basis.PRICE_LIST
    if amount is None:
        basis = Basis.UNKNOWN
    first = _with_plan(price, primary)
    low = first.least.total
    high = first.most.total if first.most else None
    lines = [Line(Kind.PRICE, amount or 0, amount), *_lines(first)]
    unknown = set(first.unknown)
    if secondary is not None and high != 0:
        paid, missing = _paid_by_second(amount, secondary, low, high)
        lines.append(paid)
        unknown |= missing
        low = max(low + paid.low, 0)
        high = None if high is None else max(high + (paid.high or 0), 0)
    return Estimate(low, high, tuple(lines), tuple(one for one in Unknown if one in unknown), basis)


def _alone(price: Price) -> Estimate:
    if price.listed is None:
        return Estimate(0, None, (Line(Kind.PRICE, 0, None),), (Unknown.PRICE,), Basis.UNKNOWN)
    return Estimate(price.listed, price.listed, (Line(Kind.PRICE, price.listed, price.listed),), (), Basis.PRICE_LIST)


def _with_plan(price: Price, plan: Plan) -> _Share:
    listed = price.listed if price.listed is not None else price.allowed
    allowed = price.allowed if price.allowed is not None else price.listed
    if plan.status is Status.INACTIVE:
        return _whole(listed)
    if plan.network is Network.IN:
        return _in_network(allowed, listed, plan)
    if plan.network is Network.OUT:
        return _out_of_network(listed, plan)
    inside, outside = _in_network(allowed, listed, plan), _out_of_network(listed, plan)
    least = min(inside.least, outside.least, key=lambda parts: parts.total)
    most = max(inside.most, outside.most, key=lambda parts: parts.total) if inside.most and outside.most else None
    missing = inside.unknown | outside.unknown
    if most is None or least.total != most.total:
        missing |= {Unknown.NETWORK}
    return _Share(least, most, missing)


def _whole(listed: int | None) -> _Share:
    if listed is None:
        return _Share(_Parts(), None, frozenset({Unknown.PRICE}))
    return _Share(_Parts(not_covered=listed), _Parts(not_covered=listed), frozenset())


def _in_network(amount: int | None, listed: int | None, plan: Plan) -> _Share:
    if plan.inside.covered is False:
        return _whole(listed)
    return _by_terms(amount, plan.inside, plan.status)


def _out_of_network(listed: int | None, plan: Plan) -> _Share:
    """The plan may allow less than our price, and the patient owes the difference."""
    if plan.outside.covered is False:
        return _whole(listed)
    share = _by_terms(listed, plan.outside, plan.status)
    if listed is None:
        return _Share(share.least, None, share.unknown | {Unknown.ALLOWED, Unknown.PRICE})
    if share.most and share.least.total == share.most.total == listed:
        return share
    most = share.most or _Parts()
    return _Share(share.least, _Parts(**vars(most) | {"difference": listed - most.total}), share.unknown | {Unknown.ALLOWED})


def _by_terms(amount: int | None, terms: Terms, status: Status) -> _Share:
    missing: set[Unknown] = {Unknown.COVERAGE} if status is Status.UNKNOWN else set()
    if terms.copay_alone and terms.copay:
        least, most = (_copay(amount, terms, end) for end in (_low, _high))
        if not terms.copay.exact and least.total != most.total:
            missing.add(Unknown.COPAY)
        return _Share(least, most, frozenset(missing | _maximum_missing(terms, most)))
    if amount is None:
        return _Share(_Parts(), None, frozenset(missing | {Unknown.PRICE}))
    least, most = _deductible_first(amount, terms, _low), _deductible_first(amount, terms, _high)
    if least.total != most.total:
        missing |= {
            name
            for name, fact in (
                (Unknown.DEDUCTIBLE, terms.deductible_left),
                (Unknown.COINSURANCE, terms.share),
                (Unknown.COPAY, terms.copay or Range(Decimal(0), Decimal(0))),
            )
            if fact is None or not fact.exact
        }
    return _Share(least, most, frozenset(missing | _maximum_missing(terms, most)))


def _maximum_missing(terms: Terms, most: _Parts) -> set[Unknown]:
    return {Unknown.MAXIMUM} if terms.out_of_pocket_left is None and most.total else set()


_End = Callable[[Range | None, int], Decimal]


def _low(fact: Range | None, otherwise: int) -> Decimal:
    return Decimal(0) if fact is None else fact.low


def _high(fact: Range | None, otherwise: int) -> Decimal:
    return Decimal(otherwise) if fact is None or fact.high is None else fact.high


def _copay(amount: int | None, terms: Terms, end: _End) -> _Parts:
    copay = int(end(terms.copay, 0))
    return _capped(_Parts(copay=copay if amount is None else min(copay, amount)), terms, end)


def _deductible_first(amount: int, terms: Terms, end: _End) -> _Parts:
    deductible = min(amount, int(end(terms.deductible_left, amount)))
    copay = min(int(end(terms.copay, 0)), amount - deductible)
    rest = amount - deductible - copay
    coinsurance = int((end(terms.share, 1) * rest).quantize(Decimal(1), ROUND_HALF_UP))
    return _capped(_Parts(deductible, copay, coinsurance), terms, end)


def _capped(parts: _Parts, terms: Terms, end: _End) -> _Parts:
    left = terms.out_of_pocket_left or terms.out_of_pocket
    if left is None or left.high is None:
        return parts
    return _Parts(**vars(parts) | {"over": max(parts.total - int(end(left, 0)), 0)})


def _lines(share: _Share) -> list[Line]:
    """A line for each part that is there at either end."""
    names = (
        (Kind.NOT_COVERED, "not_covered", 1),
        (Kind.DEDUCTIBLE, "deductible", 1),
        (Kind.COPAY, "copay", 1),
        (Kind.COINSURANCE, "coinsurance", 1),
        (Kind.MAXIMUM, "over", -1),
        (Kind.DIFFERENCE, "difference", 1),
    )
    found = []
    for kind, name, sign in names:
        one = sign * getattr(share.least, name)
        other = sign * getattr(share.most, name) if share.most else None
        if one or other:
            found.append(Line(kind, one, other))
    return found


def _paid_by_second(amount: int | None, plan: Plan, low: int, high: int | None) -> tuple[Line, set[Unknown]]:
    """What the second insurer takes off: its own benefit of the same amount, no more than what the first one left.

    `low` of the line goes with the least that the patient may owe, `high` with the most.
    """
    if plan.status is Status.INACTIVE:
        return Line(Kind.SECONDARY, 0, 0), set()
    if amount is None or plan.status is Status.UNKNOWN:
        return Line(Kind.SECONDARY, -low, 0), {Unknown.SECONDARY}
    share = _with_plan(Price(amount, amount), plan)
    most_paid = amount - share.least.total
    least_paid = amount - share.most.total if share.most else 0
    off_low, off_high = -min(max(most_paid, 0), low), -min(max(least_paid, 0), high or 0)
    return Line(Kind.SECONDARY, off_low, off_high), {Unknown.SECONDARY} if share.unknown - {Unknown.MAXIMUM} else set()
