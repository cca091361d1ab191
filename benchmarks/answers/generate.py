"""Write table.jsonl: python -m benchmarks.answers.generate. The same seed writes the same table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.answers import plans, published
from benchmarks.answers.expected import Visit, owed, status, terms
from benchmarks.answers.lines import Answer, Dates, Insured, Line, Person, Refusal
from benchmarks.answers.render import Hand, interchange

SEED = 271
TABLE = Path(__file__).parent / "table.jsonl"
WRITTEN = date(2026, 9, 1)
PAYERS = (("LAKESHORE HEALTH", "71044"), ("MERIDIAN MUTUAL", "80216"), ("O'DELL & SONS TRUST", "55190"), ("COMMONWELL", "93301"))
FAMILIES = (
    "ABARA",
    "BRANDT",
    "CASTELLANO",
    "DE LA CRUZ",
    "EKSTROM",
    "FARAH",
    "GUPTA",
    "HOLLOWAY",
    "IBARRA",
    "O'NEIL",
    "SMITH-JONES",
)
GIVEN = ("ADA", "BRUNO", "CLEO", "DMITRI", "ESPERANZA", "FELIX", "GRETA", "HUGO", "INES", "JUNE")
HANDS = (
    Hand(),
    Hand(line_break="\n"),
    Hand(line_break="\r\n", cents_always=True),
    Hand("|", ":", "^", "~"),
    Hand("*", ">", "^", "~", "\n", cents_always=True),
    Hand("*", "<", "!", "~"),
    Hand("|", "\\", "}", "\n"),
    Hand("+", ":", "^", "\x1c"),
    Hand("*", ":", "{", "~", "\r\n"),
    Hand("\x1d", "\x1f", "\x1e", "~"),
)
REFUSALS = ("42", "43", "71", "72", "73", "75", "79", "80")
LEVELS = ("payer", "provider", "subscriber", "dependent", "benefit")


def answers(rng: Random) -> Iterator[tuple[str, Answer]]:
    """Every answer with the name of its shape."""
    for name, shape in published.SHAPES.items():
        dates = (Dates("307", date(2025, 7, 12), date(2026, 5, 25)),) if shape is published.discharge_dated else ()
        yield name, replace(_around(rng), insured=(replace(_insured(rng), lines=shape(), dates=dates),))
    yield "implementation guide: generic answer about a dependent", _with(rng, replace(_child(rng), lines=published.guide_clinic()))
    for name, refusal in published.REFUSED.items():
        yield name, refused(rng, refusal)
    for code in REFUSALS:
        for where in LEVELS:
            yield f"refused: {where}", refused(rng, Refusal(where, code, rng.choice("CNRSPY")))
    for _ in range(110):
        yield "plan", _with(rng, replace(_insured(rng), lines=plans.lines(rng), dates=member_dates(rng)))
    for _ in range(20):
        yield "dependent", _with(rng, replace(_child(rng), lines=plans.lines(rng), dates=member_dates(rng)))
    for _ in range(12):
        yield "several", _with(rng, *several(rng))
    for _ in range(8):
        yield "inactive", _with(rng, replace(_insured(rng), lines=plans.inactive(rng)))
    for _ in range(12):
        yield "sparse", _with(rng, replace(_insured(rng), lines=plans.sparse(rng)))


def refused(rng: Random, refusal: Refusal) -> Answer:
    """An answer that is a refusal at one level; at the level of a benefit it follows a line that says nothing of coverage."""
    if refusal.where == "payer":
        return replace(_around(rng), receiver=None, refusals=(refusal,))
    if refusal.where == "provider":
        return replace(_around(rng), refusals=(refusal,))
    one = _child(rng) if refusal.where == "dependent" else _insured(rng)
    lines = (Line("V", ("98",)),) if refusal.where == "benefit" else ()
    return _with(rng, replace(one, refusals=(refusal,), lines=lines))


def several(rng: Random) -> tuple[Insured, ...]:
    """Two to four patients: strangers, or a holder with children."""
    holder = replace(_insured(rng), lines=plans.lines(rng))
    if rng.random() < 0.5:
        return (holder, *[replace(_insured(rng), lines=plans.lines(rng)) for _ in range(rng.randint(1, 3))])
    children = [replace(_child(rng), subscriber=holder.subscriber, lines=plans.lines(rng)) for _ in range(rng.randint(1, 2))]
    return (holder, *children)


def member_dates(rng: Random) -> tuple[Dates, ...]:
    """The plan's dates at the patient, in the ways that payers give them."""
    start, end = date(2026, rng.randint(1, 6), 1), date(2026, 12, 31)
    return rng.choice(
        (
            (),
            (),
            (Dates("291", start, end),),
            (Dates("291", start),),
            (Dates("307", start, end),),
            (Dates("346", start),),
            (Dates("346", start), Dates("347", None, end)),
            (Dates("347", None, end),),
            (Dates("356", start), Dates("357", None, end)),
            (Dates("346", date(2020, 1, 1), end), Dates("356", start, end)),
        )
    )


def visits(rng: Random, insured: Insured, others: list[Insured]) -> Iterator[tuple[Visit, Insured | None, str]]:
    """Visits of a patient, some with a second plan. Where the practitioner may be out of network, a price is known;
    where a second plan meets an unknown or outer network, plan and list have one amount, so that A is one number."""
    named = sorted({code for line in insured.lines for code in line.types} & set(plans.SERVICES)) or ["98"]
    for _ in range(3):
        service = rng.choice(named) if rng.random() < 0.8 else rng.choice(plans.SERVICES)
        network = rng.choice(("in", "in", "in", "out", "unknown"))
        price: int | None = rng.choice((4550, 12000, 18075, 24000, 61333))
        allowed: int | None = rng.choice((None, (price or 0) * rng.randint(50, 95) // 100))
        second = rng.choice(others) if rng.random() < 0.25 else None
        if network != "in" and second is not None:
            allowed = price
        elif network == "in" and rng.random() < 0.12:
            price = None
        if price is None and allowed is None:
            second = None  # without an amount there is no benefit to work out
        on = WRITTEN + timedelta(days=rng.randint(0, 28))
        if insured.dates and rng.random() < 0.3:
            on = rng.choice(_edges(insured.dates))
        yield Visit(service, network, allowed, price, on), second, rng.choice(("in", "in", "out")) if allowed == price else "in"


def _edges(dates: tuple[Dates, ...]) -> list[date]:
    """Days about the first and last. The day before a single 291 is left out: it may be no more than the day asked about."""
    edges = []
    for one in dates:
        if one.start is not None:
            edges += [one.start] if one.code == "291" and one.end is None else [one.start, one.start - timedelta(days=1)]
        if one.end is not None:
            edges += [one.end, one.end + timedelta(days=1)]
    return edges


def table() -> list[dict[str, Any]]:
    """Each row: shape, text, facts expected, and visits with terms and amounts expected."""
    rng = Random(SEED)
    made = list(answers(rng))
    others = [one for shape, answer in made for one in answer.insured if shape in ("plan", "inactive", "refused: subscriber")]
    rows: list[dict[str, Any]] = []
    for number, (shape, answer) in enumerate(made, start=1):
        text = interchange(answer, HANDS[number % len(HANDS)], number, WRITTEN)
        asked = []
        for index, insured in enumerate(answer.insured):
            for visit, second, second_network in visits(rng, insured, others):
                asked.append(_asked(index, insured, visit, second, second_network))
        facts: dict[str, Any] = {"payer": asdict(answer.payer), "receiver": answer.receiver and asdict(answer.receiver)}
        facts |= {
            "rejections": [asdict(one) for one in answer.refusals],
            "members": [_member(one, answer.insured) for one in answer.insured],
        }
        rows.append({"number": number, "shape": shape, "text": text, "facts": facts, "visits": asked})
    place = {id(one): (row, index) for row, (_, answer) in enumerate(made) for index, one in enumerate(answer.insured)}
    for row in rows:
        for one in row["visits"]:
            if one["second"] is not None:
                at, index = place[one["second"]]
                one["second"] = {"number": at + 1, "member": index, "network": one.pop("second_network")}
            else:
                one.pop("second_network")
    return rows


def _asked(index: int, insured: Insured, visit: Visit, second: Insured | None, second_network: str) -> dict[str, Any]:
    sides = ("in", "out") if visit.network == "unknown" else (visit.network,)
    return {
        "member": index,
        **asdict(visit),
        "second": None if second is None else id(second),
        "second_network": second_network,
        "status": status(insured, visit.on),
        "terms": {side: asdict(terms(insured, visit.service_type, side, visit.on)) for side in sides},
        "owed": owed(insured, visit, second, second_network),
    }


def _member(one: Insured, holders: tuple[Insured, ...]) -> dict[str, Any]:
    """The facts of a patient with EB11 and EB12 as they are to be read, a dependent's with what it has of its subscriber."""
    said = {"Y": True, "N": False}
    lines = [asdict(line) | {"authorization": said.get(line.authorization or ""), "network": line.side} for line in one.lines]
    kinds = {kind for kind, _ in one.references}
    above = [holder for holder in holders if one.dependent and not holder.dependent and holder.subscriber == one.subscriber]
    inherited = [[kind, value] for holder in above for kind, value in holder.references if kind not in kinds]
    return asdict(one) | {"lines": lines, "references": [*one.references, *inherited]}


def _with(rng: Random, *insured: Insured) -> Answer:
    return replace(_around(rng), insured=insured)


def _around(rng: Random) -> Answer:
    name, number = rng.choice(PAYERS)
    payer = Person("PR", name, id_kind="PI", id=number, phone=rng.choice((None, "5550107100")))
    clinic = Person("1P", "MAPLE CLINIC", id_kind="XX", id="1999996666")
    return Answer(payer, rng.choice((clinic, Person("1P", "ROWE", "HELEN", "XX", "1888887777"))))


def _insured(rng: Random) -> Insured:
    born = date(1936, 1, 1) + timedelta(days=rng.randrange(25_000))
    number = f"{rng.choice(('W', 'XQG', ''))}{rng.randrange(10**8, 10**9)}"
    person = Person("IL", rng.choice(FAMILIES), rng.choice(GIVEN), "MI", number, born, rng.choice("FMU"))
    groups: tuple[tuple[str, str], ...] = rng.choice(((), (("6P", "GRP-5512"),), (("6P", "70881"), ("18", "PLAN 4"))))
    return Insured(person, traces=(f"T{rng.randrange(10**6)}",), references=groups)


def _child(rng: Random) -> Insured:
    holder = _insured(rng)
    born = date(2009, 1, 1) + timedelta(days=rng.randrange(6_000))
    child = Person("03", holder.subscriber.name, rng.choice(GIVEN), birth_date=born, sex=rng.choice("FM"))
    return replace(holder, dependent=child)


def _plain(value: Any) -> Any:
    if isinstance(value, (date, Decimal)):
        return str(value)
    raise TypeError(type(value))


if __name__ == "__main__":
    TABLE.write_text("".join(json.dumps(row, default=_plain, separators=(",", ":")) + "\n" for row in table()), encoding="utf-8")
