"""Plans made up at random: which lines a payer would send for them, in the many ways that payers differ."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from random import Random

from benchmarks.answers.lines import Dates, Line, Person

SERVICES = ("98", "30", "1", "33", "80", "UC", "MH", "68", "BZ")
SIDES = ((None,), ("Y",), ("Y", "N"), ("W",), ("U",), ("Y", None), ("N",))


def lines(rng: Random) -> tuple[Line, ...]:
    """A plan in force."""
    level = rng.choice((None, "IND", "FAM"))
    out = [Line(rng.choice("11111234"), ("30",), level=level, insurance=rng.choice(("PP", "HM", "C1", None)), plan="SILVER 40")]
    sides = rng.choice(SIDES)
    for side in sides:
        times = 2 if side == "N" else 1
        out += _accumulator(rng, "C", side, rng.choice((50000, 150000, 300050)) * times)
        out += _accumulator(rng, "G", side, rng.choice((300000, 650000)) * times)
        if rng.random() < 0.6:
            out.append(Line("A", ("30",), level=rng.choice((None, "IND")), share=_share(rng), network=side))
    if rng.random() < 0.7:
        out.append(Line("1", tuple(rng.sample(SERVICES[2:], 3))))
    for service in rng.sample([code for code in SERVICES if code != "30"], rng.randint(2, 5)):
        for side in sides:
            out += _service(rng, service, side)
    out += _besides(rng)
    rest = out[1:]
    if rng.random() < 0.4:
        rest = _joined(rest)
    if rng.random() < 0.5:
        rng.shuffle(rest)
    return (out[0], *rest)


def _accumulator(rng: Random, kind: str, side: str | None, cents: int, types: tuple[str, ...] = ("30",)) -> list[Line]:
    """A deductible or maximum of a network by level: the total, and what is left or has been paid this year, or neither."""
    if rng.random() < 0.15:
        return []
    out = []
    levels = rng.choice((("IND",), ("IND", "FAM"), ("IND", "FAM"), ("FAM",), (None,), ("EMP",)))
    for level in levels:
        total = cents * 2 if level == "FAM" else cents
        known = rng.choice(("left", "left", "met", "neither", "only left"))
        if known != "only left":
            out.append(Line(kind, types, level=level, period=rng.choice(("23", "22", "25", None)), cents=total, network=side))
        spent = rng.choice((0, total, rng.randrange(total), rng.randrange(total)))
        if known == "met":
            out.append(Line(kind, types, level=level, period="24", cents=spent, network=side))
        elif known != "neither":
            out.append(Line(kind, types, level=level, period="29", cents=total - spent, network=side))
    if rng.random() < 0.1:
        out.append(Line(kind, types, level=levels[0], period=rng.choice(("32", "33")), cents=100_000_000, network=side))
    return out


def _service(rng: Random, service: str, side: str | None) -> list[Line]:
    """What a plan says of one service type in one network."""
    common = Line("B", (service,), network=side, authorization=rng.choice((None, None, None, "Y", "N", "U")))
    copay = replace(common, period=rng.choice(("27", "27", None, "26", "7")), cents=rng.choice((0, 2000, 3550, 7500)))
    share = replace(common, kind="A", share=_share(rng))
    way = rng.choice(
        (
            "copay",
            "copay",
            "share",
            "both",
            "both",
            "own deductible",
            "two copays",
            "free",
            "not covered",
            "placed",
            "dated",
            "bare",
        )
    )
    if way == "copay":
        return [copay]
    if way == "share":
        return [share]
    if way == "both":
        return [copay, share]
    if way == "own deductible":
        kept = rng.choice(([copay], [share], [copay, share]))
        return kept + _accumulator(rng, "C", side, rng.choice((7500, 25000)), (service,))
    if way == "two copays":
        doctors = (("PRIMARY CARE", 0), ("SPECIALIST", 2500))
        return [replace(copay, cents=(copay.cents or 0) + more, messages=(who,)) for who, more in doctors]
    if way == "free":
        return [replace(share, share="0")] + ([replace(copay, cents=0)] if rng.random() < 0.5 else [])
    if way == "not covered":
        return [replace(common, kind="I")]
    if way == "placed":
        return [
            copay,
            replace(copay, cents=30000, places=("22",)),
            replace(share, places=rng.choice((("11",), ("22", "11"), ("21",)))),
        ]
    if way == "dated":
        old = Dates("292", date(2025, 1, 1), date(2025, 12, 31))
        now = rng.choice(
            (
                Dates("292", date(2026, 1, 1), date(2026, 12, 31)),
                Dates("348", date(2026, 1, 1)),
                Dates("349", None, date(2026, 12, 31)),
            )
        )
        return [replace(copay, dates=(now,)), replace(copay, cents=9900, dates=(old,)), replace(share, dates=(old,))]
    return [replace(copay, period="36", cents=50000), replace(common, kind="F", quantity_kind="VS", quantity="20", period="23")]


def _besides(rng: Random) -> list[Line]:
    """Lines that a cost does not come from."""
    doctor = Person("P3", "QUIST", "NORA", "XX", "1112223334", phone="5550107200")
    carrier = Person("PR", "SECOND CARRIER", id_kind="PI", id="44001", phone="5550107300")
    found = (
        Line("L", (), parties=(doctor,)),
        Line("R", ("30",), insurance="OT", references=(("18", "Z900"),), parties=(carrier,)),
        Line("A", ("98",), share="0", procedure="HC:99397", network="Y"),
        Line("B", ("98",), cents=12500, procedure="HC:99215", authorization="Y"),
        Line("D", ("30",), messages=("CALL BEFORE AN ADMISSION",)),
        Line("CB", ("98",), authorization="N"),
        Line("F", ("AE",), level="IND", period="23", quantity_kind="VS", quantity="30"),
        Line("U", ("88",), parties=(Person("VN", "PILL DESK", phone="5550107400"),)),
    )
    return rng.sample(found, rng.randint(0, 4))


def _joined(apart: list[Line]) -> list[Line]:
    """Lines that differ by service type only, written as one with the types repeated."""
    together: dict[Line, tuple[str, ...]] = {}
    for line in apart:
        key = replace(line, types=())
        if line.types and not set(line.types) & set(together.get(key, ())):
            together[key] = (*together.get(key, ()), *line.types)
        else:
            together.setdefault(key, line.types)
    return [replace(key, types=types) for key, types in together.items()]


def inactive(rng: Random) -> tuple[Line, ...]:
    """A plan that is not in force, said of the plan, of nothing in particular, or only of one service."""
    kind = rng.choice("678")
    first = Line(kind, rng.choice((("30",), (), ("98",))), plan=rng.choice((None, "TERMINATED")))
    return (first, Line("1", ("88",))) if first.types == ("30",) and rng.random() < 0.4 else (first,)


def sparse(rng: Random) -> tuple[Line, ...]:
    """A payer that says next to nothing."""
    return rng.choice(
        (
            (Line("1", ()),),
            (Line("1", ("30",)), Line("C", ("30",), period="23", cents=100000)),
            (Line("1", ("98",)), Line("B", ("98",), cents=2000)),
            (Line("C", ("30",), level="FAM", period="29", cents=5000), Line("A", (), share=".15")),
            (Line("1", ("30",)), Line("6", ("98",)), Line("G", ("30",), period="23", cents=9000)),
            (
                Line("1", ("30",)),
                Line("C", (), level="IND", period="23", cents=20000),
                Line("C", (), level="IND", period="24", cents=20000),
            ),
            (Line("1", ("30",)), Line("G", ("30",), level="IND", period="29", cents=1500), Line("B", ("98",), cents=4000)),
            (Line("1", ("30",)), Line("A", ("98",), share="1")),
        )
    )


def _share(rng: Random) -> str:
    return rng.choice((".1", "0.2", ".25", ".35", ".5", "0.075"))
