"""Shapes of answers that are published: in the implementation guide, companion guides and open test files, retold as facts.

Names, numbers and amounts are our own; what is kept is which lines stand together and how they are filled.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from benchmarks.answers.lines import Dates, Line, Person, Refusal

YEAR = Dates("291", date(2026, 1, 1), date(2026, 12, 31))
OFFICE = ("1", "33", "35", "47", "86", "88", "98", "AL", "MH", "UC")
DOCTOR = Person("P3", "MARLOW", "IRIS", "XX", "1932100458", phone="5550107001")


def guide_clinic() -> tuple[Line, ...]:
    """The implementation guide's generic answer: many types joined, a copay in and another out of network, a primary physician."""
    return (
        Line("1", ("30",), plan="GOLD 9 PLAN"),
        Line("L", (), parties=(DOCTOR,)),
        Line("1", OFFICE),
        Line("B", OFFICE, insurance="HM", plan="GOLD 9 PLAN", period="27", cents=1000, network="Y"),
        Line("B", OFFICE, insurance="HM", plan="GOLD 9 PLAN", period="27", cents=3000, network="N"),
    )


def medicare_both_parts() -> tuple[Line, ...]:
    """Medicare: A and B apart, a deductible for B with what is left, a share, procedures, and types that are not covered."""
    return (
        Line("1", ("30",), insurance="MA", dates=(Dates("291", date(2020, 5, 1)),)),
        Line("1", ("30",), insurance="MB", dates=(Dates("291", date(2020, 5, 1)),)),
        Line("I", ("41", "54")),
        Line("C", ("30",), insurance="MB", period="23", cents=25700, dates=(YEAR,)),
        Line("C", ("30",), insurance="MB", period="29", cents=8150, dates=(YEAR,)),
        Line("A", ("30",), insurance="MB", period="27", share=".2", dates=(YEAR,)),
        Line("D", (), insurance="MB", procedure="HC:G0101:TC", dates=(Dates("348", date(2026, 3, 1)),)),
        Line("A", ("98",), insurance="MB", share="0", procedure="HC:G0438"),
    )


def medicare_by_year() -> tuple[Line, ...]:
    """An older Medicare answer: what is left of the deductible stated once for each year, and blood as a quantity."""
    years = [(2024, 0), (2025, 1225), (2026, 24000)]
    left = [
        Line("C", ("96",), insurance="MB", period="29", cents=cents, dates=(Dates("292", date(year, 1, 1), date(year, 12, 31)),))
        for year, cents in years
    ]
    return (
        Line("1", (), level="IND", insurance="MB", dates=(Dates("307", date(2011, 10, 1)),)),
        *left,
        Line("C", ("10",), level="IND", period="29", quantity_kind="DB", quantity="3"),
        Line("F", ("AE",), level="IND", insurance="MB", period="29", cents=181000),
        Line(
            "R",
            ("88",),
            insurance="OT",
            references=(("18", "S4410"),),
            parties=(Person("PR", "HARBOR DRUG PLAN", phone="5550107002"),),
        ),
    )


def medicare_advantage() -> tuple[Line, ...]:
    """A Medicare HMO: a deductible of nothing for both networks, a family maximum that means none, types active with a message."""
    return (
        Line(
            "1",
            ("30",),
            insurance="HN",
            plan="ADVANTAGE HMO",
            network="Y",
            references=(("1L", "90551"),),
            messages=("ASK THE PCP FIRST",),
        ),
        Line("C", ("30",), level="IND", period="23", cents=0, network="W"),
        Line("C", ("30",), level="FAM", period="23", cents=0, network="W"),
        Line("G", ("30",), level="IND", insurance="HN", period="23", cents=380000, network="Y"),
        Line("G", ("30",), level="FAM", insurance="HN", period="23", cents=9999999, network="Y"),
        Line("L", (), parties=(DOCTOR,)),
        Line("1", ("98",), network="Y", messages=("OFFICE VISIT PCP",)),
        Line("B", ("98",), insurance="HN", period="27", cents=0, network="Y", messages=("PCP",)),
        Line("1", ("96", "1"), network="Y"),
        Line("B", ("96",), insurance="HN", period="27", cents=4000, network="Y"),
        Line("B", ("33",), insurance="HN", period="27", cents=2000, authorization="Y", network="Y"),
    )


def ppo_totals_and_left() -> tuple[Line, ...]:
    """A PPO: deductible and maximum, each with the rest, silent about networks; a copay and a share of the office visit."""
    return (
        Line("1", ("30",), insurance="PP", plan="PREFERRED PPO", network="Y"),
        Line("C", ("30",), level="IND", period="23", cents=50000),
        Line("C", ("30",), level="IND", period="29", cents=34750),
        Line("G", ("30",), level="IND", period="23", cents=300000),
        Line("G", ("30",), level="IND", period="29", cents=250000),
        Line("B", ("98",), period="26", cents=3000),
        Line("A", ("98",), share=".2"),
    )


def hmo_copay_only() -> tuple[Line, ...]:
    """An HMO with an untouched deductible and only a copay for the office visit."""
    return (
        Line("1", ("30",), insurance="HM", plan="PLAIN HMO", network="Y"),
        Line("C", ("30",), level="IND", period="23", cents=150000),
        Line("C", ("30",), level="IND", period="29", cents=150000),
        Line("G", ("30",), level="IND", period="23", cents=500000),
        Line("G", ("30",), level="IND", period="29", cents=500000),
        Line("B", ("98",), period="26", cents=2500),
    )


def high_deductible() -> tuple[Line, ...]:
    """A high deductible plan: no copays, a share of the whole plan."""
    return (
        Line("1", ("30",), insurance="PP", plan="SAVER 5000", network="Y"),
        Line("C", ("30",), level="IND", period="23", cents=500000),
        Line("C", ("30",), level="IND", period="29", cents=462000),
        Line("A", ("30",), share=".3"),
        Line("G", ("30",), level="IND", period="23", cents=700000),
        Line("G", ("30",), level="IND", period="29", cents=662000),
    )


def ended() -> tuple[Line, ...]:
    """A plan that has ended: one line."""
    return (Line("6", ("30",)),)


def medicaid_nothing_to_pay() -> tuple[Line, ...]:
    """A state's Medicaid: several packages, each with share, copay, deductible and rest of nothing, dated by the line."""
    asked = (Dates("291", date(2026, 9, 1), date(2026, 9, 30)),)
    lines: tuple[Line, ...] = ()
    for package, types in (("TRADITIONAL ADULT", ("30", "60", "98")), ("MENTAL HEALTH OUTPATIENT", ("30", "98", "MH"))):
        lines += (
            Line(
                "1",
                types,
                level="IND",
                insurance="MC",
                plan=package,
                dates=asked,
                messages=("NO GUARANTEE OF PAYMENT", "SEE THE MANUAL"),
            ),
            Line("A", ("30",), level="IND", insurance="MC", plan=package, share="0", dates=asked),
            Line("B", ("30",), level="IND", insurance="MC", plan=package, cents=0, dates=asked),
            Line("C", ("30",), level="IND", insurance="MC", plan=package, cents=0, dates=asked),
            Line("G", ("30",), level="IND", insurance="MC", plan=package, period="29", cents=0, dates=asked),
        )
    return lines


def medicaid_managed() -> tuple[Line, ...]:
    """A Medicaid with a managed care organisation and a provider in loop 2120."""
    return (
        Line("1", ("30", "1", "35", "47", "48", "50", "86", "88", "AL", "MH"), insurance="MC", plan="STATE PLAN", dates=(YEAR,)),
        Line("B", ("98",), insurance="MC", period="27", cents=300),
        Line("MC", ("30",), insurance="HM", dates=(YEAR,), parties=(Person("P5", "LAKE CARE ORGANIZATION", phone="5550107003"),)),
        Line("L", (), parties=(Person("P3", "OYELARAN", "TUNDE", "XX", "1477900321"),)),
        Line("R", ("30",), insurance="HM", parties=(Person("PR", "OTHER CARRIER", id_kind="PI", id="60111"),)),
    )


def carrier_with_places() -> tuple[Line, ...]:
    """A large carrier: levels and networks of everything, preventive care free in the office, places of service."""
    lines: tuple[Line, ...] = (Line("1", ("30",), insurance="PP", plan="CHOICE II"),)
    for network, total, share in (("Y", 150000, ".10"), ("N", 300000, ".40")):
        for level, times in (("FAM", 2), ("IND", 1)):
            lines += (
                Line("A", ("30",), level=level, share=share, network=network, dates=(Dates("348", date(2026, 1, 1)),)),
                Line(
                    "C",
                    ("30",),
                    level=level,
                    period="23",
                    cents=total * times,
                    network=network,
                    messages=("COUNTS TOWARD THE MAXIMUM",),
                ),
                Line("C", ("30",), level=level, period="29", cents=total * times - 40000, network=network),
            )
    return (
        *lines,
        Line("1", ("81", "3", "98", "62", "80", "UC"), network="W"),
        Line(
            "A", ("81",), level="IND", share=".00", authorization="N", network="Y", places=("11",), messages=("Specialist", "PCP")
        ),
        Line("C", ("81",), level="IND", period="23", cents=0, authorization="N", network="Y", places=("11",)),
        Line("A", ("80",), level="IND", share=".00", authorization="N", network="W"),
        Line("A", ("62",), level="FAM", share=".10", authorization="N", network="N", places=("23",), messages=("MRI", "CAT")),
        Line("A", ("98",), level="IND", share=".25", network="Y", places=("22",)),
        Line("B", ("98",), level="IND", cents=3500, network="Y", places=("11",)),
    )


def carrier_with_visits() -> tuple[Line, ...]:
    """A carrier that limits therapy by visits and states copays with plan names."""
    return (
        Line("1", ("30",), level="FAM", insurance="PP", plan="PREFERRED PLAN"),
        Line("B", ("98",), level="IND", insurance="HM", plan="PREFERRED PLAN", period="27", cents=2500),
        Line("C", ("30",), level="IND", insurance="HM", plan="PREFERRED PLAN", period="29", cents=50000),
        Line("G", ("30",), level="IND", insurance="HM", plan="PREFERRED PLAN", period="29", cents=500000),
        Line("F", ("PT",), level="IND", insurance="HM", plan="PREFERRED PLAN", period="27", quantity_kind="VS", quantity="24"),
        Line("C", ("98",), level="IND", period="32", cents=0, procedure="HC:99385"),
    )


def discharge_dated() -> tuple[Line, ...]:
    """A plain family policy with nothing but that it is in force (its period stands at the patient)."""
    return (Line("1", ("30",), level="FAM"),)


def two_copays() -> tuple[Line, ...]:
    """An office visit at one price with the own doctor and at another with a specialist, told apart by messages only."""
    return (
        Line("1", ("30",), insurance="PP", network="Y"),
        Line("B", ("98",), period="27", cents=2500, network="Y", messages=("PRIMARY CARE",)),
        Line("B", ("98",), period="27", cents=4000, network="Y", messages=("SPECIALIST",)),
        Line("C", ("30",), level="IND", period="29", cents=45000, network="Y"),
        Line("A", ("30",), level="IND", share=".20", network="Y"),
        Line("G", ("30",), level="IND", period="29", cents=240000, network="Y"),
    )


SHAPES: dict[str, Callable[[], tuple[Line, ...]]] = {
    "implementation guide: generic answer about a subscriber": guide_clinic,
    "CMS HETS: Medicare parts A and B": medicare_both_parts,
    "CMS, older: Medicare with a line for each year": medicare_by_year,
    "UnitedHealthcare: Medicare Advantage HMO": medicare_advantage,
    "open test file: PPO": ppo_totals_and_left,
    "open test file: HMO": hmo_copay_only,
    "open test file: high deductible": high_deductible,
    "open test file: coverage ended": ended,
    "Utah Medicaid: packages without cost": medicaid_nothing_to_pay,
    "Gainwell: Medicaid with managed care": medicaid_managed,
    "Aetna: levels, networks, places of service": carrier_with_places,
    "UnitedHealthcare: limits by visits": carrier_with_visits,
    "4010 days: a family policy by period": discharge_dated,
    "clearinghouse: two copays told apart by messages": two_copays,
}
REFUSED = {
    "implementation guide: payer cannot answer now": Refusal("payer", "42", "R"),
    "implementation guide: subscriber not found": Refusal("subscriber", "75", "C"),
    "CMS HETS: birth date does not match": Refusal("subscriber", "71", "C"),
    "companion guide: provider not on file": Refusal("provider", "43", "C"),
}
