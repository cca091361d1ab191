"""What a patient owes by the rules of docs/coverage.md, worked out from the facts of an answer and from nothing of the project."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from benchmarks.answers.lines import Dates, Insured, Line

ACTIVE, INACTIVE = frozenset("12345"), frozenset("678")
PLAN_DATES = frozenset({"291", "307", "346", "347", "356", "357"})
LINE_DATES = PLAN_DATES | {"292", "348", "349"}
COVERAGE = ACTIVE | INACTIVE | {"I"}
NOT_A_TOTAL = frozenset({"24", "29", "32", "33"})
WHOLE_PLAN = "30"

Range = tuple[int, int]
Shares = tuple[Decimal, Decimal]
NOTHING: Shares = (Decimal(0), Decimal(0))


@dataclass(frozen=True)
class Terms:
    """What the lines say of one visit; None is unknown. `own_deductible`: a C line names the service type itself."""

    covered: bool | None
    copay: Range | None
    coinsurance: Shares | None
    deductible: Range | None
    deductible_left: Range | None
    maximum: Range | None
    maximum_left: Range | None
    authorization: bool | None
    own_deductible: bool
    own_coinsurance: bool


@dataclass(frozen=True)
class Visit:
    """A visit to be paid for: money in cents, `network` in, out or unknown."""

    service_type: str
    network: str
    allowed: int | None
    price: int | None
    on: date


def status(insured: Insured, on: date) -> str:
    """active, inactive or unknown on a day."""
    if any(refusal.where != "benefit" for refusal in insured.refusals):
        return "unknown"
    if not _within(insured.dates, PLAN_DATES, on):
        return "inactive"
    stated = [line for line in insured.lines if line.kind in ACTIVE | INACTIVE]
    general = [line for line in stated if not line.types or WHOLE_PLAN in line.types]
    said = {(line.kind in ACTIVE, _within(line.dates, LINE_DATES, on)) for line in general or stated}
    if (True, True) in said:
        return "active"
    return "inactive" if said & {(True, False), (False, True)} else "unknown"


def _within(dates: tuple[Dates, ...], codes: frozenset[str], on: date) -> bool:
    """Not left out by the dates of any code; of several of one code, one is enough."""
    out = {one.code for one in dates if one.code in codes and not one.include(on)}
    return out <= {one.code for one in dates if one.include(on)}


def terms(insured: Insured, service_type: str, network: str, on: date) -> Terms:
    """What counts for a service type in one network (in or out) on a day."""
    usable = [line for line in insured.lines if _is_usable(line, on)]
    own = [line for line in usable if service_type in line.types]
    general = [line for line in usable if not line.types or WHOLE_PLAN in line.types]

    def of_type(kind: str) -> list[Line]:
        return _in_network([line for line in own if line.kind == kind and _states(line)], network)

    def of_type_or_plan(kind: str) -> list[Line]:
        return of_type(kind) or _in_network([line for line in general if line.kind == kind and _states(line)], network)

    copay = _between([line.cents for line in of_type("B") if line.cents is not None])
    own_shares = _shares(of_type("A"))
    coinsurance = own_shares or (NOTHING if copay else _shares(of_type_or_plan("A")))
    deductible, deductible_left = _total_and_left(of_type_or_plan("C"))
    if deductible_left is None and deductible is not None:
        deductible_left = (0, deductible[1])
    maximum, maximum_left = _total_and_left(of_type_or_plan("G"))
    said = {line.authorization for line in _in_network([line for line in own if line.authorization in ("Y", "N")], network)}
    kinds = {line.kind for line in _in_network([line for line in own if line.kind in COVERAGE], network)}
    return Terms(
        covered=True if kinds & ACTIVE else False if kinds else None,
        copay=copay,
        coinsurance=coinsurance,
        deductible=deductible,
        deductible_left=deductible_left,
        maximum=maximum,
        maximum_left=maximum_left,
        authorization=True if "Y" in said else False if "N" in said else None,
        own_deductible=bool(of_type("C")),
        own_coinsurance=own_shares is not None and own_shares[1] > 0,
    )


def _is_usable(line: Line, on: date) -> bool:
    return line.procedure is None and (not line.places or "11" in line.places) and _within(line.dates, LINE_DATES, on)


def _states(line: Line) -> bool:
    """Whether the line states the amount or share that its kind is about; an admission's copay is none of a visit."""
    if line.kind == "A":
        return line.share is not None
    return line.cents is not None and not (line.kind == "B" and line.period == "36")


def _in_network(feeding: list[Line], network: str) -> list[Line]:
    """Of the lines that feed one fact, those of the network, else the silent ones."""
    return [line for line in feeding if line.side in (network, "both")] or [line for line in feeding if line.side == "unknown"]


def _between(amounts: list[int]) -> Range | None:
    return (min(amounts), max(amounts)) if amounts else None


def _shares(lines: list[Line]) -> Shares | None:
    shares = [Decimal(line.share) for line in lines if line.share is not None]
    return (min(shares), max(shares)) if shares else None


def _total_and_left(lines: list[Line]) -> tuple[Range | None, Range | None]:
    """The smaller of the person's and the family's, each with what is left of it where that is stated.

    What the family has left above the person's total says nothing of the person."""
    totals: list[Range] = []
    lefts: list[Range] = []
    most: Range | None = None
    for family in (False, True):
        level = [line for line in lines if (line.level == "FAM") is family and line.cents is not None]
        total = _between([line.cents or 0 for line in level if line.period not in NOT_A_TOTAL])
        left = _between([line.cents or 0 for line in level if line.period == "29"])
        met = _between([line.cents or 0 for line in level if line.period == "24"])
        if left is None and total is not None and met is not None:
            left = (max(0, total[0] - met[1]), max(0, total[1] - met[0]))
        if family and left is not None and most is not None and left[0] > most[1]:
            left = None
        most = most if family else total
        totals += [total] if total is not None else []
        lefts += [left] if left is not None else []
    return _smaller(totals), _smaller([*lefts, *([most] if lefts and most is not None else [])])


def _smaller(ranges: list[Range]) -> Range | None:
    return (min(low for low, _ in ranges), min(high for _, high in ranges)) if ranges else None


def leaves(insured: Insured, visit: Visit) -> Range | None:
    """What one plan leaves to the patient, least and most; None where no amount can be named."""
    if visit.network == "unknown":
        sides = [_leaves_in(insured, visit, network) for network in ("in", "out")]
        known = [side for side in sides if side is not None]
        return (min(low for low, _ in known), max(high for _, high in known)) if len(known) == len(sides) else None
    return _leaves_in(insured, visit, visit.network)


def _leaves_in(insured: Insured, visit: Visit, network: str) -> Range | None:
    said = terms(insured, visit.service_type, network, visit.on)
    if status(insured, visit.on) == "inactive" or said.covered is False:
        full = visit.price if visit.price is not None else visit.allowed
        return None if full is None else (full, full)
    if network == "out":
        least = _by_terms(said, visit.price)
        return None if least is None or visit.price is None else (least[0], visit.price)
    return _by_terms(said, visit.allowed if visit.allowed is not None else visit.price)


def _by_terms(said: Terms, amount: int | None) -> Range | None:
    caps = said.maximum_left or said.maximum
    copay_alone = said.copay is not None and not said.own_deductible and not said.own_coinsurance
    if amount is None and not copay_alone:
        return None
    ends = []
    for end in (0, 1):
        copay = said.copay[end] if said.copay else 0
        if copay_alone:
            owed = copay if amount is None else min(copay, amount)
        else:
            owed = _deductible_first(said, copay, amount or 0, end)
        ends.append(owed if caps is None else min(owed, caps[end]))
    return ends[0], ends[1]


def _deductible_first(said: Terms, copay: int, amount: int, end: int) -> int:
    left = said.deductible_left[end] if said.deductible_left else (0, amount)[end]
    share = said.coinsurance[end] if said.coinsurance is not None else Decimal(end)
    deductible = min(amount, left)
    then = min(copay, amount - deductible)
    rest = amount - deductible - then
    return deductible + then + int((share * rest).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def owed(first: Insured, visit: Visit, second: Insured | None = None, second_network: str = "in") -> Range | None:
    """What is left for the patient in cents, least and most, after a first plan and a second one where there is one."""
    left = leaves(first, visit)
    amount = visit.allowed if visit.allowed is not None else visit.price
    if second is None or left is None or amount is None:
        return left
    says_nothing = second.refusals or not second.lines
    other = None if says_nothing else leaves(second, replace(visit, network=second_network))
    if other is None:
        return 0, left[1]
    paid_least, paid_most = max(0, amount - other[1]), max(0, amount - other[0])
    return max(0, left[0] - paid_most), max(0, left[1] - paid_least)
