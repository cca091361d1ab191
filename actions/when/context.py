"""Words that point at another visit or at the times last offered: "same time next week", "the later one"."""

from __future__ import annotations

import datetime as dt

from actions.when.cascade import Made, Match, Stage
from actions.when.meanings import DAY, Clock, Dates, Duration, Moment, Now, Span, Window, after, monday
from actions.when.text import Piece

RELATIONS, OFFERS = Stage(), Stage()
_VISIT = frozenset(("appointment", "appt", "visit", "cita", "consulta"))
_TICK = dt.timedelta(minutes=5)  # "later" is the next start on the grid


def moved(anchor: dt.datetime, duration: Duration, sign: int) -> Made:
    """The start shifted: by hours exactly, by days at the same time."""
    if duration.minutes:
        at = anchor + sign * dt.timedelta(days=duration.days, minutes=duration.minutes)
        return ("Θ", Moment(at, exact=True))
    day = after(anchor.date(), duration, sign)
    return ("Θ", Moment(dt.datetime.combine(day, anchor.time()), exact=True))


@RELATIONS.rule(
    r"π[~B]?(?P<d>D)", r"(?P<e>ρ)[~B]?(?P<d>D)", r"(?P<d>D)_?(?P<l>L)", r"(?P<d>D)_?(?P<e>E)", r"(?P<d>D)(?P<f>F)(?![a-zA-Zα])"
)
def _shift(now: Now, m: Match) -> Made:
    """ "push it back an hour", "a week later", "an hour earlier"."""
    base = now.talked_about
    if base is None:
        return None
    return moved(base, m.value("d"), -1 if m.one("e") else 1)


@RELATIONS.rule(r"(?P<way>[EL])[~]?δ", r"δ[,]?[_]{0,2}(?P<way>[EL])")
def _same_day_earlier(now: Now, m: Match) -> Made:
    base = now.talked_about
    return _beside(base, later=m.one("way").letter == "L") if base else None


def _beside(base: dt.datetime, *, later: bool) -> Made:
    """The same day, later or earlier than that start."""
    day = ("a", Dates(base.date(), base.date()))
    if later:
        after_it = base + _TICK
        return [day, ("y", Span(Clock(after_it.hour, after_it.minute, None, True), None))]
    return [day, ("y", Span(None, Clock(base.hour, base.minute, None, True)))]


@RELATIONS.rule(r"δ", r"ψ", r"θ", r"ς", r"T?ε", r"[|&]T?ε")
def _same(now: Now, m: Match) -> Made:
    base = now.talked_about
    letter = m.pieces[-1].letter
    if letter == "ε":
        first = monday((base or now.now).date()) + 7 * DAY
        if m.pieces[0].letter in "|&" or m.ahead("T?a"):
            return None
        return (
            ("a", Dates(first, first + 6 * DAY, "week")) if "week" in m.pieces[-1].text or "semana" in m.pieces[-1].text else None
        )
    if letter == "ς":
        week = monday((base or (now.offered[0] if now.offered else now.now)).date())
        return ("a", Dates(max(week, now.today), week + 6 * DAY, "week"))
    if base is None:
        return ("_", None)
    made: list[tuple[str, object]] = []
    if letter in "δψ":
        made.append(("Δ", Dates(base.date(), base.date())))
    if letter in "θψ":
        made.append(("θ", Clock(base.hour, base.minute, None, True)))
    return made


@RELATIONS.rule(r"T?(?P<u>u)(?P<way>[FB])(?![a-zA-Zα@])")
def _the_day_after(now: Now, m: Match) -> Made:
    """ "the day after", "the week before"."""
    base, sign = (now.talked_about or now.now).date(), 1 if m.one("way").letter == "F" else -1
    if m.value("u") == "day":
        return ("a", Dates(base + sign * DAY, base + sign * DAY))
    first = monday(base) + 7 * sign * DAY
    return ("a", Dates(first, first + 6 * DAY, "week")) if m.value("u") == "week" else None


@RELATIONS.rule(r"(?P<d>D)(?P<way>[FB])(?:_{1,2})")
def _days_from_the_visit(now: Now, m: Match) -> Made:
    """ "two days before my appointment", "una semana despues de mi cita"."""
    base = now.talked_about
    if base is None or m.value("d").minutes or m.pieces[-1].text not in _VISIT:
        return None
    found = after(base.date(), m.value("d"), 1 if m.one("way").letter == "F" else -1)
    return ("a", Dates(found, found))


@RELATIONS.rule(r"y")
def _later_in_the_day(now: Now, m: Match) -> Made:
    """ "earlier in the day", of the visit or the offers that are talked about."""
    window, base = m.pieces[0].value, now.talked_about
    if (
        base is None
        or not isinstance(window, Window)
        or not m.pieces[0].text.startswith(("later in the day", "earlier in the day"))
    ):
        return None
    return _beside(base, later=window.name == "late-day")


@RELATIONS.rule(r"(?P<a>a)[,]?[|&]T?ε", r"(?P<a>a)[,]?[|&]T?x(?![a-zA-Z])", r"(?P<a>a)[,]?[|&]T?uF(?![a-zA-Z])")
def _or_the_one_after(now: Now, m: Match) -> Made:
    """ "next week or the one after"."""
    dates = m.value("a")
    if dates.first is None or dates.last is None or dates.bound:
        return None
    length = dates.last - dates.first + DAY
    return ("a", Dates(dates.first, dates.last + length, "days"))


@OFFERS.rule(r"T?(?P<n>S)(?P<z>z)", r"(?<=_)(?P<n>S)[.,]?$", r"T?(?P<n>ξ)(?P<z>z)?")
def _extreme(now: Now, m: Match) -> Made:
    """ "I'll take the earliest", "the latest one"."""
    if m.one("n").letter == "S" and (not m.one("n").text.endswith("earliest") or not (m.one("z") or m.left.text == "take")):
        return None
    if m.one("n").letter == "ξ" and m.one("n").text != "latest":
        return None
    return ("Φ", min(now.offered) if m.one("n").letter == "S" else max(now.offered))


@OFFERS.rule(r"[Tg](?P<n>o)(?P<z>z|_)?", r"(?P<n>o)(?P<z>z)", r"[Tg](?P<n>[lLE])(?P<z>z|_)?", r"(?P<n>[lLE])(?P<z>z)", r"(?P<n>o)$")
def _choose(now: Now, m: Match) -> Made:
    """ "the second one", "the later one"."""
    piece, z = m.one("n"), m.one("z")
    if z and z.letter == "_" and z.text not in ("option", "slot", "choice", "time", "opcion", "hora", "please", "works", "then"):
        return None
    if not z and m.right and m.right.letter not in ".,":
        return None
    if piece.letter == "o":
        if (piece.text[:1].isdigit() and not z) or not 1 <= piece.value <= len(now.offered):
            return None
        return ("Φ", now.offered[piece.value - 1])
    if piece.letter == "l" and not z and not piece.text.startswith("ultim"):
        return None
    ordered = sorted(now.offered)
    return ("Φ", ordered[0] if piece.letter == "E" else now.offered[-1] if piece.letter == "l" else ordered[-1])


def shifted_offer(pieces: list[Piece], now: Now) -> list[Piece]:
    """ "anything later?", "something sooner": on the offered day if it was one, else on other days."""
    word = next((piece for piece in pieces if piece.letter in "LE"), None)
    if word is None or not now.offered:
        return []
    first, last = min(now.offered), max(now.offered)
    made: list[tuple[str, object]]
    if first.date() == last.date() and word.text not in ("sooner", "mas pronto"):
        made = [("a", Dates(first.date(), first.date()))]
        if word.letter == "L":
            after_last = (last + _TICK).time()
            made.append(("y", Span(Clock(after_last.hour, after_last.minute, None, True), None)))
        else:
            made.append(("y", Span(None, Clock(first.hour, first.minute, None, True))))
    elif word.letter == "L":
        made = [("a", Dates(last.date(), None, bound="after"))]
    else:
        made = [("a", Dates(now.today, max(now.today, first.date() - DAY), bound="before"))]
    return [Piece(letter, word.start, word.end, value, word.text) for letter, value in made]
