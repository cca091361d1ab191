"""Insurers' answers read and worked out, against a table written apart: python -m benchmarks.eligibility_answers

The table (benchmarks/answers) holds the text of each answer, the facts in it, and visits with the terms and amounts that
docs/coverage.md makes of them. Every disagreement is printed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from benchmarks.answers.generate import TABLE
from benchmarks.report import report
from scheduling_core.eligibility import costs, facts
from scheduling_core.x12 import Benefit, Member, Network, Party, Period, Rejection, Response, X12Error, parse_271

COMMAND = "python -m benchmarks.eligibility_answers"


def main() -> None:
    rows = [json.loads(line) for line in TABLE.read_text(encoding="utf-8").splitlines()]
    read: dict[int, Response] = {}
    for row in rows:
        try:
            read[row["number"]] = parse_271(row["text"])
        except X12Error as refusal:
            print(f"{row['number']} ({row['shape']}): not read: {refusal}")
    wrong = {row["number"]: list(_wrong_facts(row, read[row["number"]])) for row in rows if row["number"] in read}
    visits = [(row, visit) for row in rows for visit in row["visits"]]
    amounts = [_wrong_amount(row, visit, read) for row, visit in visits]
    for row in rows:
        for difference in wrong.get(row["number"], ()):
            print(f"{row['number']} ({row['shape']}): {difference}")
    for difference in filter(None, amounts):
        print(difference)
    silent = [line for row in rows if row["number"] in read for line in _silent(row, read[row["number"]])]
    _share("insurers' answers read", len(read), len(rows))
    _share("insurers' answers with every fact and term right", sum(not found for found in wrong.values()), len(rows))
    _share("patients' parts exact to the cent", amounts.count(None), len(visits))
    _share("lines silent about the network read as unknown", sum(line.network == Network.UNKNOWN for line in silent), len(silent))


def _share(name: str, right: int, of: int) -> None:
    print(f"{right} of {of}")
    report(name, round(100 * right / of, 2), "%", "100", right == of, COMMAND)


def _wrong_facts(row: dict[str, Any], response: Response) -> Iterator[str]:
    """What differs between the table and what was read, a sentence for each."""
    expected = row["facts"]
    yield from _wrong_party("payer", expected["payer"], response.payer)
    yield from _wrong_party("receiver", expected["receiver"], response.receiver)
    yield from _differing("rejections", _refusals(expected["rejections"]), [_refusal(one) for one in response.rejections])
    yield from _differing("members", len(expected["members"]), len(response.members))
    for one, member in zip(expected["members"], response.members, strict=False):
        yield from _wrong_member(one, member)
    for visit in row["visits"]:
        if visit["member"] < len(response.members):
            yield from _wrong_terms(visit, response.members[visit["member"]])


def _wrong_member(expected: dict[str, Any], member: Member) -> Iterator[str]:
    yield from _wrong_party("subscriber", expected["subscriber"], member.subscriber)
    yield from _wrong_party("dependent", expected["dependent"], member.dependent)
    yield from _differing("traces", expected["traces"], list(member.traces))
    yield from _differing("references", expected["references"], [[one.kind, one.value] for one in member.references])
    yield from _differing("dates", _dates(expected["dates"]), [_period(one) for one in member.dates])
    found = [_refusal(one) for one in (*member.rejections, *(one for line in member.benefits for one in line.rejections))]
    yield from _differing("member rejections", _refusals(expected["refusals"]), found)
    yield from _differing("lines", len(expected["lines"]), len(member.benefits))
    for line, benefit in zip(expected["lines"], member.benefits, strict=False):
        yield from _wrong_line(line, benefit)


def _wrong_line(expected: dict[str, Any], line: Benefit) -> Iterator[str]:
    plain = (
        ("kind", line.kind),
        ("level", line.level),
        ("insurance", line.insurance_type),
        ("plan", line.plan),
        ("period", line.period),
        ("cents", line.cents),
        ("quantity_kind", line.quantity_kind),
        ("authorization", line.authorization),
        ("network", line.network.value),
    )
    for name, found in plain:
        yield from _differing(f"line's {name}", expected[name], None if found == "" else found)
    yield from _differing("line's types", expected["types"], list(line.service_types))
    for name, text, number in (("share", expected["share"], line.share), ("quantity", expected["quantity"], line.quantity or None)):
        yield from _differing(
            f"line's {name}", None if text is None else Decimal(text), None if number is None else Decimal(number)
        )
    yield from _differing("line's references", expected["references"], [[one.kind, one.value] for one in line.references])
    yield from _differing("line's dates", _dates(expected["dates"]), [_period(one) for one in line.dates])
    yield from _differing("line's messages", expected["messages"], list(line.messages))
    yield from _differing("line's places", expected["places"], list(line.places))
    yield from _differing("line's procedure", bool(expected["procedure"]), bool(line.procedure))
    yield from _differing("line's parties", len(expected["parties"]), len(line.parties))
    for one, party in zip(expected["parties"], line.parties, strict=False):
        yield from _wrong_party("party", one, party)


def _wrong_party(role: str, expected: dict[str, Any] | None, party: Party | None) -> Iterator[str]:
    if expected is None or party is None:
        yield from _differing(role, expected is None, party is None)
        return
    born = party.birth_date.isoformat() if party.birth_date else None
    found = {"code": party.code, "name": party.name, "given": party.given, "id_kind": party.id_kind, "id": party.id}
    found |= {"birth_date": born or "", "sex": party.sex, "phone": party.phone}
    for name, value in found.items():
        yield from _differing(f"{role}'s {name}", expected[name], value or None)


def _wrong_terms(visit: dict[str, Any], member: Member) -> Iterator[str]:
    on = date.fromisoformat(visit["on"])
    yield from _differing(f"status on {on}", visit["status"], facts.status_on(member, on).value)
    for network, expected in visit["terms"].items():
        found = facts.terms(member, visit["service_type"], Network(network), on)
        where = f"of {visit['service_type']} {network} on {on}"
        yield from _differing(f"covered {where}", expected["covered"], found.covered)
        yield from _differing(f"authorization {where}", expected["authorization"], found.authorization)
        ranges = (
            ("copay", found.copay),
            ("coinsurance", found.share),
            ("deductible", found.deductible),
            ("deductible_left", found.deductible_left),
            ("maximum", found.out_of_pocket),
            ("maximum_left", found.out_of_pocket_left),
        )
        for name, value in ranges:
            wanted = None if expected[name] is None else [Decimal(end) for end in expected[name]]
            yield from _differing(f"{name} {where}", wanted, None if value is None else [value.low, value.high])


def _wrong_amount(row: dict[str, Any], visit: dict[str, Any], read: dict[int, Response]) -> str | None:
    """None where the amount is right, else what differs."""
    primary = _plan(read, row["number"], visit["member"], visit, visit["network"])
    other = visit["second"]
    secondary = _plan(read, other["number"], other["member"], visit, other["network"]) if other else None
    if primary is None or (other and secondary is None):
        return f"{row['number']} ({row['shape']}): no patient to work it out for"
    estimate = costs.estimate(costs.Price(allowed=visit["allowed"], listed=visit["price"]), primary, secondary)
    found = None if estimate.high is None else [estimate.low, estimate.high]
    if found == visit["owed"]:
        return None
    asked = {name: visit[name] for name in ("service_type", "network", "allowed", "price", "on", "second", "status")}
    return f"{row['number']} ({row['shape']}): owed is {visit['owed']}, found {found}: {asked}"


def _plan(read: dict[int, Response], number: int, index: int, visit: dict[str, Any], network: str) -> costs.Plan | None:
    if number not in read or index >= len(read[number].members):
        return None
    member, on = read[number].members[index], date.fromisoformat(visit["on"])
    inside, outside = (facts.terms(member, visit["service_type"], side, on) for side in (Network.IN, Network.OUT))
    return costs.Plan(facts.status_on(member, on), Network(network), inside, outside)


def _silent(row: dict[str, Any], response: Response) -> Iterator[Benefit]:
    for one, member in zip(row["facts"]["members"], response.members, strict=False):
        for line, benefit in zip(one["lines"], member.benefits, strict=False):
            if line["network"] == "unknown":
                yield benefit


def _refusals(expected: list[dict[str, str]]) -> list[tuple[str, str, str]]:
    return [(one["where"], one["code"], one["follow_up"]) for one in expected]


def _refusal(one: Rejection) -> tuple[str, str, str]:
    return one.where, one.code, one.follow_up


def _dates(expected: list[dict[str, str | None]]) -> list[tuple[str | None, ...]]:
    return [(one["code"], one["start"], one["end"]) for one in expected]


def _period(one: Period) -> tuple[str | None, ...]:
    return one.code, one.start.isoformat() if one.start else None, one.end.isoformat() if one.end else None


def _differing(name: str, expected: object, found: object) -> Iterator[str]:
    if expected != found:
        yield f"{name} is {expected!r}, found {found!r}"


if __name__ == "__main__":
    main()
