"""Who goes to which time: exact answers. As many visits as possible get a time, then the total cost is as small as it can be.

Nothing here knows of a database: visits and times are numbers in lists. Costs are whole numbers of 0 or more.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import LinearConstraint, linear_sum_assignment, linprog, milp
from scipy.sparse import coo_matrix, csc_matrix

_DENSE = 2_000_000  # cells of a table up to which the assignment takes well under a second


@dataclass(frozen=True)
class Option:
    """One time that a visit could go to: what it costs, and the things (of which each is there once) that it takes.

    `counts`: by how much it changes what is limited, like the visits of somebody's day.
    """

    cost: int
    takes: frozenset[Hashable]
    counts: tuple[tuple[Hashable, int], ...] = ()


@dataclass(frozen=True)
class Way:
    """One way to meet a need: what it takes, the numbers of the visits that must go for it, and what it adds to what is limited.

    Of ways that are as good in all else the one with the smaller `rank` is taken.
    """

    rank: int
    takes: frozenset[Hashable]
    moves: frozenset[int] = frozenset()
    counts: tuple[tuple[Hashable, int], ...] = ()


@dataclass(frozen=True)
class Room:
    """The way of each need, and the option of each visit that moves, by their numbers."""

    ways: tuple[int, ...]
    options: dict[int, int]


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


def make_room(
    needs: Sequence[Sequence[Way]], visits: Sequence[Sequence[Option]], limits: Mapping[Hashable, int] | None = None
) -> Room | None:
    """A way for every need, so that the fewest visits move, then the total cost is the least; None where it cannot be.

    No two of what is chosen take the same thing. `limits`: by how much what is counted may grow, before anything is given up and
    after: new times are kept while the old ones still stand.
    """
    if any(not ways for ways in needs):
        return None
    program = _RoomProgram(needs, visits, limits or {})
    moved = program.solve(program.moved)
    if moved is None:
        return None
    fewest = round(float(program.moved @ moved))
    cheapest = program.solve(program.costs, moves=fewest)
    return program.room(cheapest if cheapest is not None else moved)


class _RoomProgram:
    """`make_room` as an integer program: a column for each way and each option of a visit that may have to move."""

    def __init__(self, needs: Sequence[Sequence[Way]], visits: Sequence[Sequence[Option]], limits: Mapping[Hashable, int]) -> None:
        self.needs = len(needs)
        self.ways = [(need, number, way) for need, ways in enumerate(needs) for number, way in enumerate(ways)]
        concerned = sorted({visit for _, _, way in self.ways for visit in way.moves})
        self.options = [(visit, number, option) for visit in concerned for number, option in enumerate(visits[visit])]
        self.size = len(self.ways) + len(self.options)
        self.moved = np.concatenate([np.zeros(len(self.ways)), np.ones(len(self.options))])
        shares = self.needs * (max(way.rank for _, _, way in self.ways) + 1)
        ranks = [way.rank / shares for _, _, way in self.ways]  # below 1 in all
        self.costs = np.concatenate([ranks, [option.cost for _, _, option in self.options]])
        self._rows: dict[Hashable, list[tuple[int, float]]] = defaultdict(list)
        self._bounds: dict[Hashable, tuple[float, float]] = {}
        self._claim_things()
        self._move_who_must(concerned)
        self._count(limits)

    def _claim_things(self) -> None:
        for column, one in enumerate([way for *_, way in self.ways] + [option for *_, option in self.options]):
            for thing in one.takes:
                self._rows["thing", thing].append((column, 1))
        self._rows = defaultdict(list, {name: row for name, row in self._rows.items() if len(row) > 1})
        self._bounds = dict.fromkeys(self._rows, (-np.inf, 1))

    def _move_who_must(self, concerned: Sequence[int]) -> None:
        for column, (need, _, way) in enumerate(self.ways):
            self._rows["need", need].append((column, 1))
            for visit in way.moves:
                self._rows["goes", need, visit].append((column, 1))
        options_of: dict[int, list[int]] = {visit: [] for visit in concerned}
        for column, (visit, _, _) in enumerate(self.options, start=len(self.ways)):
            options_of[visit].append(column)
            self._rows["once", visit].append((column, 1))
        for name, row in self._rows.items():
            match name:
                case ("need", _):
                    self._bounds[name] = 1, 1
                case ("goes", _, int(visit)):
                    row += [(column, -1) for column in options_of[visit]]
                    self._bounds[name] = -np.inf, 0
                case ("once", _):
                    self._bounds[name] = -np.inf, 1

    def _count(self, limits: Mapping[Hashable, int]) -> None:
        for column, one in enumerate([way for *_, way in self.ways] + [option for *_, option in self.options]):
            for what, by in one.counts:
                if what in limits:
                    self._rows["after", what].append((column, by))
                    self._bounds["after", what] = -np.inf, max(limits[what], 0)
                    if by > 0 and column >= len(self.ways):
                        self._rows["before", what].append((column, by))
                        self._bounds["before", what] = -np.inf, max(limits[what], 0)

    def solve(self, objective: NDArray[np.float64], *, moves: int | None = None) -> NDArray[np.float64] | None:
        """The columns of a best solution, as 0 and 1; None where there is none. `moves`: so many visits move."""
        numbers = {name: number for number, name in enumerate(self._bounds)}
        entries = [(numbers[name], column, value) for name in numbers for column, value in self._rows[name]]
        rows, columns, values = zip(*entries, strict=True)
        matrix = csc_matrix((np.array(values, dtype=float), (rows, columns)), shape=(len(numbers), self.size))
        lower, upper = (np.array(bounds, dtype=float) for bounds in zip(*self._bounds.values(), strict=True))
        constraints = [LinearConstraint(matrix, lower, upper)]
        if moves is not None:
            constraints.append(LinearConstraint(csc_matrix(self.moved), moves, moves))
        exactly = {"mip_rel_gap": 0.0}  # the solver's own default stops a ten-thousandth short of the best
        solved = milp(objective, constraints=constraints, integrality=np.ones(self.size), bounds=(0, 1), options=exactly)
        if solved.x is None:
            return None
        found: NDArray[np.float64] = np.rint(solved.x)
        return found

    def room(self, chosen: NDArray[np.float64]) -> Room:
        ways: dict[int, int] = {}
        options: dict[int, int] = {}
        for column in np.flatnonzero(chosen).tolist():
            if column < len(self.ways):
                need, number, _ = self.ways[column]
                ways[need] = number
            else:
                visit, number, _ = self.options[column - len(self.ways)]
                options[visit] = number
        return Room(tuple(ways[need] for need in range(self.needs)), options)


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
