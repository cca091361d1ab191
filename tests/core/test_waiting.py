"""The expected cost of a session, against counting out every combination of who comes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduling_core.waiting import OVERTIME_WEIGHT, Expected, added_cost, expected_cost, queue

VISITS = st.lists(
    st.builds(
        lambda first, length, comes, lane: Expected(first, first + length, comes, lane),
        st.integers(0, 30),
        st.integers(1, 8),
        st.floats(0, 1),
        st.integers(0, 1),
    ),
    max_size=6,
)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(VISITS, st.integers(10, 40))
def test_the_expectation_is_the_mean_over_every_combination(visits, end):
    total = 0.0
    for who in itertools.product((True, False), repeat=len(visits)):
        chance, minutes, free_at = 1.0, 0.0, 0
        for visit, comes in zip(queue(visits), who, strict=True):
            chance *= visit.comes if comes else 1 - visit.comes
            if comes:
                start = max(free_at, visit.first)
                minutes += 5 * (start - visit.first)
                free_at = start + visit.end - visit.first
        total += chance * (minutes + OVERTIME_WEIGHT * 5 * max(0, free_at - end))
    # a visit that starts past the end would be overtime even if nobody came: the clinic books none
    if all(visit.first <= end for visit in visits):
        assert expected_cost(visits, end).total == pytest.approx(total)


def test_the_regular_visit_is_seen_first_and_the_one_above_it_waits():
    regular, above = Expected(0, 4, 0.5), Expected(0, 4, 1.0, 1)
    assert expected_cost([above, regular], 8).waits == (0.0, 10.0)


def test_an_extra_visit_costs_nothing_in_a_gap_and_most_before_a_full_hour():
    day = [Expected(0, 4, 1.0), Expected(4, 8, 1.0), Expected(16, 20, 1.0)]
    assert added_cost(day, Expected(8, 12, 1.0, 1), 24) == 0
    assert added_cost(day, Expected(0, 4, 1.0, 1), 24) > added_cost(day, Expected(4, 8, 1.0, 1), 24)
