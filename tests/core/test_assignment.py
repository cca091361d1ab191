"""Assignments against every possibility."""

from __future__ import annotations

import itertools
import random

import numpy as np

from scheduling_core import assignment
from scheduling_core.assignment import Option, Place, Visit, Way


def best(costs: list[list[float]], fits=lambda chosen: True) -> tuple[int, float]:
    """Of all ways to give each row a column of its own or none: how many stay without, and the least cost then."""
    found = []
    for chosen in itertools.product(*[[None, *[c for c, cost in enumerate(row) if cost != float("inf")]] for row in costs]):
        taken = [column for column in chosen if column is not None]
        if len(set(taken)) == len(taken) and fits(chosen):
            found.append((chosen.count(None), sum(costs[r][c] for r, c in enumerate(chosen) if c is not None)))
    return min(found)


def outcome(costs: list[list[float]], chosen: list[int | None]) -> tuple[int, float]:
    taken = [column for column in chosen if column is not None]
    assert len(set(taken)) == len(taken)
    return chosen.count(None), sum(costs[row][column] for row, column in enumerate(chosen) if column is not None)


def test_the_total_is_the_least_of_all_possibilities_in_a_thousand_small_cases():
    dice = random.Random(7)
    for _ in range(1_000):
        rows, columns = dice.randint(0, 4), dice.randint(1, 4)
        costs = [[float("inf") if dice.random() < 0.3 else dice.randint(0, 50) for _ in range(columns)] for _ in range(rows)]
        chosen = assignment.nearest(np.array(costs, dtype=float).reshape(rows, columns))
        assert outcome(costs, chosen) == best(costs)


def test_room_is_made_as_well_as_can_be_in_a_thousand_small_cases():
    dice = random.Random(8)
    found = 0
    for _ in range(1_000):
        visits = [
            [
                Option(
                    dice.randint(0, 50),
                    frozenset(("a", tick) for tick in range(start, start + dice.randint(1, 3))),
                    some_count(dice),
                )
                for start in dice.sample(range(6), dice.randint(0, 4))
            ]
            for _ in range(dice.randint(0, 3))
        ]
        needs = [
            [
                Way(
                    rank,
                    frozenset(("a", tick) for tick in range(start, start + dice.randint(1, 2))),
                    frozenset(dice.sample(range(len(visits)), dice.randint(0, min(2, len(visits))))),
                )
                for rank, start in enumerate(dice.sample(range(6), dice.randint(1, 3)))
            ]
            for _ in range(dice.randint(1, 3))
        ]
        limits = {"monday": dice.randint(0, 2)}
        room = assignment.make_room(needs, visits, limits)
        every = [
            worth(needs, visits, ways, options)
            for ways in itertools.product(*[range(len(ways)) for ways in needs])
            for options in every_move(needs, visits, ways)
            if is_apart(needs, visits, ways, options) and is_within(limits, visits, options)
        ]
        if not every:
            assert room is None
            continue
        found += 1
        assert room is not None
        assert is_apart(needs, visits, room.ways, room.options)
        assert is_within(limits, visits, room.options)
        assert worth(needs, visits, room.ways, room.options) == min(every)
    assert found > 300


def some_count(dice: random.Random):
    return (("monday", dice.choice((-1, 1))),) if dice.random() < 0.5 else ()


def every_move(needs, visits, ways):
    """All new times for the visits that must go for these ways."""
    moved = sorted({visit for need, number in zip(needs, ways, strict=True) for visit in need[number].moves})
    for numbers in itertools.product(*[range(len(visits[visit])) for visit in moved]):
        yield dict(zip(moved, numbers, strict=True))


def worth(needs, visits, ways, options) -> tuple[int, int, int]:
    costs = sum(visits[visit][number].cost for visit, number in options.items())
    return len(options), costs, sum(need[number].rank for need, number in zip(needs, ways, strict=True))


def is_apart(needs, visits, ways, options) -> bool:
    some = [need[number].takes for need, number in zip(needs, ways, strict=True)]
    some += [visits[visit][number].takes for visit, number in options.items()]
    must_go = {visit for need, number in zip(needs, ways, strict=True) for visit in need[number].moves}
    return must_go == set(options) and sum(map(len, some)) == len(frozenset().union(*some))


def is_within(limits, visits, options) -> bool:
    counted = [by for visit, number in options.items() for _, by in visits[visit][number].counts]
    return sum(counted) <= limits["monday"] and sum(by for by in counted if by > 0) <= limits["monday"]


def test_walking_along_time_costs_what_the_table_costs():
    dice = random.Random(9)
    who = ["abel", "bruno", "carl"]
    for _ in range(100):
        visits = [
            Visit(dice.randint(0, 300), dice.choice(who), frozenset(dice.sample(who, dice.randint(1, 3))))
            for _ in range(dice.randint(1, 4))
        ]
        places = [Place(dice.randint(0, 300), dice.choice(who)) for _ in range(dice.randint(1, 20))]
        costs = assignment.costs_of(visits, places, another=40)
        by_table = assignment.nearest(costs)
        by_flow = assignment._by_flow(visits, places, 40)
        assert outcome(costs.tolist(), by_flow) == outcome(costs.tolist(), by_table)
        assert outcome(costs.tolist(), assignment.place(visits, places, another=40)) == outcome(costs.tolist(), by_table)


def test_nothing_to_choose_from_leaves_everybody_without():
    assert assignment.make_room([[]], []) is None
    assert assignment.place([Visit(1, "abel", frozenset({"abel"}))], [], another=5) == [None]
    assert assignment.place([], [Place(1, "abel")], another=5) == []
