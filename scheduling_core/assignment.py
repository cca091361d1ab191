"""Who goes to which time: exact answers. As many visits as possible get a time, then the total cost is as small as it can be.

Nothing here knows of a database: visits and times are numbers in lists. Costs are whole numbers of 0 or more.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import LinearConstraint, linear_sum_assignment, linprog, milp
from scipy.sparse import coo_matrix, csc_matrix

_DENSE = 2_000_000  # cells of a table up to which the assignment takes well under a second


@dataclass(frozen=True)
class Option:
    """One time that a visit could have: what it costs, and the things (of which each is there once) that it takes."""

    cost: int
    takes: frozenset[Hashable]


@dataclass(frozen=True)
class Visit:
    """A visit that must go: its old start in minutes, with whom it was, and who else may have it."""

    minute: int
    practitioner_id: str
    may: frozenset[str]


@dataclass(frozen=True)
class Place:
    """A time that one visit can go to: its start in minutes, and with whom."""

    minute: int
    practitioner_id: str


def nearest(costs: NDArray[np.float64]) -> list[int | None]:
    """For each row a column of its own, or None. `costs`: infinite where a row cannot have a column."""
    rows, columns = costs.shape
    if rows == 0:
        return []
    allowed = np.isfinite(costs)
    beyond = rows * float(costs[allowed].max(initial=0.0)) + 1
    table = np.full((rows, columns + rows), beyond)  # for every row a column that stands for none
    table[:, :columns] = np.where(allowed, costs, 2 * beyond * rows + 1)
    chosen_rows, chosen = linear_sum_assignment(table)
    found: list[int | None] = [None] * rows
    for row, column in zip(chosen_rows.tolist(), chosen.tolist(), strict=True):
        if column < columns and allowed[row, column]:
            found[row] = column
    return found


def choose(options: Sequence[Sequence[Option]]) -> list[int | None]:
    """For each visit the number of one of its options, or None, so that no two take the same thing."""
    flat = [(visit, number, option) for visit, some in enumerate(options) for number, option in enumerate(some)]
    if not flat:
        return [None] * len(options)
    things: dict[Hashable, int] = {}
    entries: list[tuple[int, int]] = []
    for column, (visit, _, option) in enumerate(flat):
        entries.append((visit, column))
        entries += [(len(options) + things.setdefault(thing, len(things)), column) for thing in option.takes]
    rows, columns = zip(*entries, strict=True)
    shape = (len(options) + len(things), len(flat))
    matrix = csc_matrix((np.ones(len(entries)), (rows, columns)), shape=shape)
    beyond = len(options) * max(option.cost for _, _, option in flat) + 1
    costs = np.array([option.cost - beyond for _, _, option in flat], dtype=float)
    solved = milp(costs, constraints=LinearConstraint(matrix, ub=1), integrality=np.ones(len(flat)), bounds=(0, 1))
    if solved.x is None:
        raise RuntimeError(f"no plan was found: {solved.message}")
    found: list[int | None] = [None] * len(options)
    for column in np.flatnonzero(solved.x > 0.5).tolist():
        visit, number, _ = flat[column]
        found[visit] = number
    return found


def place(visits: Sequence[Visit], places: Sequence[Place], *, another: int) -> list[int | None]:
    """For each visit the number of a place, or None.

    A place costs the minutes between old and new, and `another` more with somebody else.
    """
    near = _worth_a_look(visits, places, another)
    some = [places[number] for number in near]
    if len(visits) * (len(some) + len(visits)) <= _DENSE:
        chosen = nearest(costs_of(visits, some, another=another))
    else:
        chosen = _by_flow(visits, some, another)
    return [None if number is None else near[number] for number in chosen]


def _worth_a_look(visits: Sequence[Visit], places: Sequence[Place], another: int) -> list[int]:
    """The numbers of the places that a best assignment can need.

    Of n visits none needs a place beyond the n nearest after all of them (or before all of them) that its set of practitioners has:
    one of those is left. Only a place with its own practitioner can be better from `another` minutes farther away.
    """
    needed: set[int] = set()
    for may in {visit.may for visit in visits}:
        old = [visit.minute for visit in visits if visit.may == may]
        moments = sorted(one.minute for one in places if one.practitioner_id in may)
        begin = bisect.bisect_left(moments, min(old)) - len(visits)
        end = bisect.bisect_right(moments, max(old)) + len(visits) - 1
        first = moments[begin] - another if begin >= 0 else -math.inf
        last = moments[end] + another if end < len(moments) else math.inf
        needed |= {number for number, one in enumerate(places) if one.practitioner_id in may and first <= one.minute <= last}
    return sorted(needed)


def costs_of(visits: Sequence[Visit], places: Sequence[Place], *, another: int) -> NDArray[np.float64]:
    """The table of what `place` makes small."""
    old = np.array([one.minute for one in visits], dtype=float)
    new = np.array([one.minute for one in places], dtype=float)
    costs: NDArray[np.float64] = np.abs(old[:, None] - new[None, :])
    numbers: dict[str, int] = {}
    theirs = np.array([numbers.setdefault(one.practitioner_id, len(numbers)) for one in places], dtype=int)
    columns: dict[tuple[str, frozenset[str]], NDArray[np.float64]] = {}
    for row, visit in enumerate(visits):
        key = visit.practitioner_id, visit.may
        if key not in columns:
            extra = [0.0 if who == visit.practitioner_id else float(another) for who in numbers]
            columns[key] = np.array([more if who in visit.may else np.inf for who, more in zip(numbers, extra, strict=True)])
        if len(places):
            costs[row] += columns[key][theirs]
    return costs


class _Arcs:
    """A network in the making: node numbers, and arcs with a cost and room for so many."""

    def __init__(self) -> None:
        self.nodes = 0
        self.arcs: list[tuple[int, int, float, float]] = []

    def node(self) -> int:
        self.nodes += 1
        return self.nodes - 1

    def arc(self, a: int, b: int, cost: float, room: float = np.inf) -> int:
        self.arcs.append((a, b, cost, room))
        return len(self.arcs) - 1


def _by_flow(visits: Sequence[Visit], places: Sequence[Place], another: int) -> list[int | None]:
    """The same as a flow of least cost, in which visits walk along time: arcs grow with visits and places, not with their product.

    Each set of practitioners has a line of moments; a walk along it costs its minutes. Every visit enters the line of its own
    practitioner, and that of all who may have it for the price of `another`; from a moment it leaves to a place that is free there.
    A visit is left without a place only where a place for it would lengthen the ways of others by ten times the longest of all.
    """
    net, out = _Arcs(), -1
    leave = [net.node() for _ in places]
    for node in leave:
        net.arc(node, out, 0, 1)
    numbers_of: dict[str, list[int]] = defaultdict(list)
    for number, one in enumerate(places):
        numbers_of[one.practitioner_id].append(number)
    lines: dict[frozenset[str], tuple[list[int], list[int]]] = {}

    def line(who: frozenset[str]) -> tuple[list[int], list[int]]:
        if who not in lines:
            there = [number for one in sorted(who) for number in numbers_of.get(one, ())]
            moments = sorted({places[number].minute for number in there})
            nodes = [net.node() for _ in moments]
            for here, (a, b) in enumerate(itertools.pairwise(moments)):
                net.arc(nodes[here], nodes[here + 1], b - a)
                net.arc(nodes[here + 1], nodes[here], b - a)
            at = dict(zip(moments, nodes, strict=True))
            for number in there:
                net.arc(at[places[number].minute], leave[number], 0)
            lines[who] = moments, nodes
        return lines[who]

    span = [one.minute for one in visits] + [one.minute for one in places]
    beyond = 10 * (max(span) - min(span) + another + 1)
    enter = [net.node() for _ in visits]
    for node, visit in zip(enter, visits, strict=True):
        own = frozenset({visit.practitioner_id}) & visit.may
        for who, more in ((own, 0), (visit.may, another)):
            moments, nodes = line(who)
            after = bisect.bisect_left(moments, visit.minute)
            for here in (after - 1, after):
                if 0 <= here < len(moments):
                    net.arc(node, nodes[here], abs(moments[here] - visit.minute) + more)
        net.arc(node, out, beyond)
    flow = _least_cost(net, enter)
    onward: dict[int, list[list[int]]] = defaultdict(list)  # of each node what goes on from it: to which node, how many
    for (a, b, _, _), amount in zip(net.arcs, flow.tolist(), strict=True):
        if amount:
            onward[a].append([b, amount])
    at_place = {node: number for number, node in enumerate(leave)}
    found: list[int | None] = []
    for node in enter:
        last = node
        while node != out:
            last, steps = node, onward[node]
            steps[-1][1] -= 1
            node = steps[-1][0]
            if not steps[-1][1]:
                steps.pop()
        found.append(at_place.get(last))
    return found


def _least_cost(net: _Arcs, enter: list[int]) -> NDArray[np.int64]:
    """How much goes along each arc: one unit from each node of `enter`, at the least cost. A network's best corner is whole."""
    a, b, cost, room = (np.array(column) for column in zip(*net.arcs, strict=True))
    numbers = np.arange(len(a))
    inside = b >= 0
    entries = np.concatenate([np.ones(len(a)), -np.ones(int(inside.sum()))])
    nodes, arcs = np.concatenate([a, b[inside]]), np.concatenate([numbers, numbers[inside]])
    matrix = coo_matrix((entries, (nodes, arcs)), shape=(net.nodes, len(a))).tocsc()
    supply = np.zeros(net.nodes)
    supply[enter] = 1
    bounds = np.column_stack([np.zeros(len(a)), room])
    solved = linprog(cost, A_eq=matrix, b_eq=supply, bounds=bounds, method="highs-ipm")
    if solved.x is None:
        raise RuntimeError(f"no plan was found: {solved.message}")
    amounts: NDArray[np.int64] = np.rint(solved.x).astype(np.int64)
    return amounts
