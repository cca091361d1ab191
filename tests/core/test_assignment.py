"""Assignments against every possibility."""

from __future__ import annotations

import itertools
import random

import numpy as np

from scheduling_core import assignment
from scheduling_core.assignment import Option, Place, Visit


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


def test_times_that_overlap_are_chosen_as_well_as_can_be_in_a_hundred_small_cases():
    dice = random.Random(8)
    for _ in range(100):
        options = [
            [
                Option(dice.randint(0, 50), frozenset(("a", tick) for tick in range(start, start + dice.randint(1, 3))))
                for start in dice.sample(range(6), dice.randint(0, 4))
            ]
            for _ in range(dice.randint(1, 3))
        ]
        chosen = assignment.choose(options)

        assert is_apart(options, chosen)
        every = itertools.product(*[[None, *range(len(some))] for some in options])
        totals = [
            (picked.count(None), sum(options[v][n].cost for v, n in enumerate(picked) if n is not None))
            for picked in every
            if is_apart(options, picked)
        ]
        found = (chosen.count(None), sum(options[v][n].cost for v, n in enumerate(chosen) if n is not None))
        assert found == min(totals)


def is_apart(options: list[list[Option]], picked) -> bool:
    some = [options[visit][number].takes for visit, number in enumerate(picked) if number is not None]
    return sum(map(len, some)) == len(frozenset().union(*some))


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
    assert assignment.choose([[], []]) == [None, None]
    assert assignment.place([Visit(1, "abel", frozenset({"abel"}))], [], another=5) == [None]
    assert assignment.place([], [Place(1, "abel")], another=5) == []
