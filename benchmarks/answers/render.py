"""Facts as the text of an interchange (005010X279A1), in the delimiters and with the line breaks asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from benchmarks.answers.lines import Answer, Dates, Insured, Line, Person

LAST_DAYS = frozenset({"347", "349", "357"})  # their one date is the end of something


@dataclass(frozen=True)
class Hand:
    """How an interchange is written down."""

    element: str = "*"
    component: str = ":"
    repetition: str = "^"
    segment: str = "~"
    line_break: str = ""
    cents_always: bool = False


def interchange(answer: Answer, hand: Hand, number: int, written: date) -> str:
    """The text of a 271. The composite of EB13 is given with a colon and written with the component separator of the hand."""
    body = [["ST", "271", "0001", "005010X279A1"], ["BHT", "0022", "11", f"ASK{number:06d}", _day(written), "1319"]]
    body += _levels(answer, hand)
    body.append(["SE", str(len(body) + 1), "0001"])
    blank = " " * 10
    ids = ["ZZ", "PAYER".ljust(15), "ZZ", "FRONTDESK".ljust(15), f"{written:%y%m%d}", "1319"]
    isa = ["ISA", "00", blank, "00", blank, *ids, hand.repetition, "00501", f"{number:09d}", "0", "T", hand.component]
    group = ["GS", "HB", "PAYER", "FRONTDESK", _day(written), "1319", str(number), "X", "005010X279A1"]
    segments = [isa, group, *body, ["GE", "1", str(number)], ["IEA", "1", f"{number:09d}"]]
    end = hand.segment + hand.line_break
    return "".join(hand.element.join(segment if segment[0] == "ISA" else _trimmed(segment)) + end for segment in segments)


def _levels(answer: Answer, hand: Hand) -> list[list[str]]:
    refused = {refusal.where for refusal in answer.refusals}
    out = [["HL", "1", "", "20", "0" if answer.receiver is None else "1"], *_person(answer.payer)]
    out += [_aaa(refusal.code, refusal.follow_up) for refusal in answer.refusals if refusal.where == "payer"]
    if answer.receiver is None:
        return out
    out += [["HL", "2", "1", "21", "0" if "provider" in refused else "1"], *_person(answer.receiver)]
    out += [_aaa(refusal.code, refusal.follow_up) for refusal in answer.refusals if refusal.where == "provider"]
    level, holder, holder_level = 2, None, 0
    for one in answer.insured:
        if one.subscriber != holder:
            level += 1
            holder, holder_level = one.subscriber, level
            has_dependents = any(other.dependent and other.subscriber == holder for other in answer.insured)
            out.append(["HL", str(level), "2", "22", "1" if has_dependents else "0"])
            if one.dependent:
                out += _person(one.subscriber)
        if one.dependent:
            level += 1
            out.append(["HL", str(level), str(holder_level), "23", "0"])
        out += _insured(one, hand)
    return out


def _insured(one: Insured, hand: Hand) -> list[list[str]]:
    person = one.dependent or one.subscriber
    name, *beside = _person(person)
    at_person = [refusal for refusal in one.refusals if refusal.where != "benefit"]
    at_benefit = [_aaa(refusal.code, refusal.follow_up) for refusal in one.refusals if refusal.where == "benefit"]
    out = [["TRN", "2", trace, "9FRONTDESK"] for trace in one.traces]
    out += [name, *[["REF", kind, value] for kind, value in one.references]]
    out += [_aaa(refusal.code, refusal.follow_up) for refusal in at_person]
    out += [*beside, ["INS", "N", "19"] if one.dependent else ["INS", "Y", "18"]]
    out += [_dtp(dates) for dates in one.dates]
    for index, line in enumerate(one.lines):
        out += _line(line, hand, at_benefit if index == len(one.lines) - 1 else [])
    return out


def _line(line: Line, hand: Hand, refused: list[list[str]]) -> list[list[str]]:
    procedure = (line.procedure or "").replace(":", hand.component)
    amount = "" if line.cents is None else _money(line.cents, hand.cents_always)
    first = ["EB", line.kind, line.level, hand.repetition.join(line.types), line.insurance, line.plan, line.period, amount]
    then = [line.share, line.quantity_kind, line.quantity, line.authorization, line.network, procedure]
    out = [[element or "" for element in (*first, *then)]]
    out += [["REF", kind, value] for kind, value in line.references]
    out += [_dtp(dates) for dates in line.dates]
    out += refused
    out += [["MSG", message] for message in line.messages]
    out += [["III", "ZZ", place] for place in line.places]
    if line.parties:
        out += [["LS", "2120"], *[segment for party in line.parties for segment in _person(party)], ["LE", "2120"]]
    return out


def _person(one: Person) -> list[list[str]]:
    entity = "1" if one.given else "2"
    out = [["NM1", one.code, entity, one.name, one.given or "", "", "", "", one.id_kind or "", one.id or ""]]
    if one.phone:
        out.append(["PER", "IC", "", "TE", one.phone])
    if one.birth_date:
        out.append(["DMG", "D8", _day(one.birth_date), one.sex or ""])
    return out


def _aaa(code: str, follow_up: str) -> list[str]:
    return ["AAA", "Y" if code in ("42", "80") else "N", "", code, follow_up]


def _dtp(dates: Dates) -> list[str]:
    if dates.start and dates.end:
        return ["DTP", dates.code, "RD8", f"{_day(dates.start)}-{_day(dates.end)}"]
    only = dates.end if dates.code in LAST_DAYS else dates.start
    assert only is not None, "a DTP has a date"
    return ["DTP", dates.code, "D8", _day(only)]


def _day(on: date) -> str:
    return f"{on:%Y%m%d}"


def _money(cents: int, always: bool) -> str:
    """X12 numbers carry no zeros that say nothing, though payers write them all the same."""
    text = f"{cents // 100}.{cents % 100:02d}"
    return text if always else text.rstrip("0").rstrip(".")


def _trimmed(segment: list[str]) -> list[str]:
    used = max(index for index, element in enumerate(segment) if element)
    return segment[: used + 1]
