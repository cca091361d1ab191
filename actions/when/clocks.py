"""Clock times, parts of the day and durations. Letters: see `actions.when.words`."""

from __future__ import annotations

from actions.when.cascade import Made, Match, Stage
from actions.when.meanings import WINDOWS, Clock, Duration, Now
from actions.when.text import Piece
from actions.when.words import words_of

CLOCKS = Stage()
_COUNTED = words_of(
    "times visits appointments people kids children persons mg pills others other more different questions shots"
    " patients adults doctors"
    " slots options spots street st ave avenue road floor nights blocks miles veces personas ninos citas preguntas of locations"
)


def _numeral(piece: Piece) -> tuple[int, int] | None:
    """Hour and minute of a number that is a clock time: 3, 330, 0845."""
    value, digits = piece.value, len(piece.text) if piece.text.isdigit() else 0
    if not isinstance(value, int):
        return None
    if digits in (3, 4) or value > 99:
        hour, minute = divmod(value, 100)
        return (hour, minute) if hour <= 24 and minute < 60 and value < 2500 else None
    return (value, 0) if value <= 24 else None


def clock(hour: int, minute: int, half: str | None = None, *, sure: bool = False, loose: bool = False) -> Clock | None:
    if hour > 24 or minute > 59:
        return None
    if hour == 24 or (hour == 0 and half is None):
        return Clock(0, minute, None, True, loose)
    if hour > 12:
        return Clock(hour, minute, None, True, loose)
    return Clock(hour, minute, half, sure or half is not None, loose)


def of_piece(piece: Piece, half: str | None = None, *, loose: bool = False) -> Clock | None:
    """The clock time of one piece: a clock, a number, noon or a dotted number."""
    if piece.letter == "i":
        return piece.value if isinstance(piece.value, Clock) else None
    if piece.letter == "t":
        if isinstance(piece.value, int):
            return Clock(piece.value, 0, None, True, loose)
        hour, minute, _, sure = piece.value
        return clock(hour, minute, half, sure=sure, loose=loose)
    if piece.letter == "f":
        hours, _, minutes = piece.text.partition(".")
        return clock(int(hours), int(minutes), half, loose=loose) if len(minutes) == 2 else None
    if piece.letter in "nz" and (found := _numeral(piece)):
        sure = piece.text.startswith("0") and len(piece.text) == 4
        return clock(*found, half, sure=sure, loose=loose)
    return None


def _loose(match: Match) -> bool:
    return bool(match.left and match.left.letter == "@" and match.left.text not in ("at", "a las", "a la", "@", "para las"))


def _made(found: Clock | None) -> Made:
    return ("i", found) if found else None


@CLOCKS.rule(r"(?P<t>[tnzf])(?:-?c)?(?P<p>p)?", r"(?P<t>[tnz])IT(?P<p>p)", r"n(?P<t>t)")
def _plain(now: Now, m: Match) -> Made:
    piece, half = m.one("t"), m.value("p")
    if len(m.pieces) == 2 and m.pieces[1] is piece:
        return ("i", Clock(12, sure=True)) if m.pieces[0].value == 12 and piece.value == 12 else None
    ish = any(p.text == "ish" for p in m.pieces)
    if any(p.letter == "-" for p in m.pieces) and not ish:
        return None
    said = piece.letter == "t" or half or any(p.letter == "c" for p in m.pieces)
    if (
        piece.letter == "f"
        and not half
        and not (m.right and m.right.letter == "P")
        and not (m.left and m.left.letter == "@" and m.left.text not in ("about", "like"))
        and not (m.left.letter in ("n", "o") and m.further_left.letter == "m")
    ):
        return None
    if piece.letter in "nz" and not said:
        return _bare(now, m, piece)
    if (
        half
        and piece.letter in "nz"
        and m.left
        and m.left.letter == "m"
        and not (m.further_left and m.further_left.letter in "no")
        and m.pieces[-1].text[:1].isspace()
    ):
        return None
    if half and m.pieces[-1].text.strip() in ("a", "p") and piece.letter in "nzt" and m.pieces[-1].text[:1].isspace():
        return None
    return _made(of_piece(piece, half, loose=_loose(m) or ish))


_BEHIND_A_TIME = words_of("please then works work ok okay if is would will for  good fine today instead sharp por")
_ASKING = frozenset(("make it", "how about", "what about", "we do", "you do", "do it at", "make that", "to do"))


@CLOCKS.rule(r"(?<=O)T(?P<t>n)", r"^T(?P<t>n)")
def _spanish_article(now: Now, m: Match) -> Made:
    """ "la de las 2"."""
    said = now.spanish and m.pieces[0].text == "las" and 2 <= m.value("t") <= 12 and not m.ahead("[unm#_]")
    return _made(of_piece(m.one("t"))) if said else None


def _bare(now: Now, m: Match, piece: Piece) -> Made:
    """A number alone is a time only after "at" or before a part of the day."""
    left, right = m.left, m.right
    if right and (right.letter in "u#κφowm" or right.text in _COUNTED):
        return None
    if (
        left
        and (left.text in _ASKING or (m.further_left and f"{m.further_left.text} {left.text}" in _ASKING))
        and piece.value <= 12
    ):
        alone = not right or right.letter in ".CX|" or right.text in ("please", "then")
        return _made(of_piece(piece)) if alone and not (now.offered and piece.value <= len(now.offered)) else None
    if left and left.letter == "@":
        numbered = len(piece.text) > 2 and piece.text.isdigit() and right.letter == "_" and right.text not in _BEHIND_A_TIME
        if numbered or m.ahead("P_|O_"):
            return None  # "at 120 W Main", "at three night clinics", "at 2 of your places"
        if left.text in ("like", "near", "about", "around") and right and right.letter == "_" and piece.value < 4:
            return None
        found = of_piece(piece, loose=_loose(m))
        return _made(found) if found and (found.hour or len(piece.text) > 2) else None
    return None


@CLOCKS.rule(
    r"(?P<h>[nz])(?P<m>n)c?(?P<p>p)",
    r"(?<=@)(?P<h>[nz])(?P<m>n)c?",
    r"(?P<h>[nz])(?P<m>n)(?=[IO~]?[Th]?[P])",
    r"(?P<h>[nz])(?P<m>n)",
)
def _hour_minute(now: Now, m: Match) -> Made:
    """ "three thirty", "2 10 a.m."; without any sign only in words, as callers say it."""
    hour, minute = m.one("h"), m.one("m")
    if hour.value > 24 or minute.value > 59 or (minute.value < 10 and not minute.text.startswith("0")):
        return None
    spoken = (
        not hour.text.isdigit()
        and (not minute.text.isdigit() or minute.text[0] == "0")
        and minute.value % 5 == 0
        and 1 <= hour.value <= 12
    )
    at = (m.left and m.left.letter in "@BFUGv&2|awPyi~") or (m.right and m.right.letter in "PIrwT")
    dated = m.left.letter in ("n", "o") and m.further_left.letter == "m" and len(minute.text) == 2  # "nov 24 9 20"
    signed = dated or m.value("p") or m.ahead("[IO~]?[Th]?P") or (m.left and m.left.letter == "@")
    if not (
        signed
        or spoken
        or ((at and len(minute.text) == 2 and m.left and m.left.letter in "BFv") or (at and m.right and m.right.letter == "r"))
    ):
        return None
    if (m.right and m.right.letter in "nzum#") or (
        m.left and m.left.letter == "m" and not (m.further_left and m.further_left.letter in "no")
    ):
        return None
    if m.value("p") and hour.value > 12 and hour.text.isdigit() and not minute.text.startswith("0"):
        return None
    return _made(clock(hour.value, minute.value, m.value("p"), loose=_loose(m)))


@CLOCKS.rule(
    r"T?A?(?:(?P<n>[nz]))?-?(?P<q>[qħ])(?P<way>[Q2UBFO])T?(?P<t>[nztf])c?(?P<p>p)?",
    r"T?(?P<n>[nz])u(?P<way>[Q2UBF])T?(?P<t>[nzt])c?(?P<p>p)?",
    r"(?P<n>[nz])(?P<way>[Q2U])(?P<t>[nzt])c?(?P<p>p)?",
)
def _past_or_to(now: Now, m: Match) -> Made:
    """ "half past 3", "quarter to 4", "20 minutes past nine", "15 to 19"."""
    number, way, target = m.one("n"), m.one("way"), m.one("t")
    minutes = (number.value if number else 1) * (m.one("q").value if m.one("q") else 1)
    base = of_piece(target, m.value("p"))
    if not base or (base.minute and target.letter != "t") or not 0 < minutes < 60:
        return None
    if (
        (way.letter == "F" and way.text != "after")
        or (way.letter == "B" and way.text != "before")
        or (way.letter == "O" and m.one("q").letter != "q")
    ):
        return None
    forward = way.letter in "QF"
    plain = not m.one("q") and not any(p.letter == "u" for p in m.pieces)
    if plain and not forward:  # "5 to 7" is a range, "15 to 19" a time
        if (
            (m.left and m.left.letter in "Gv" and m.left.text != "since")
            or minutes not in (5, 10, 15, 20, 25)
            or target.letter == "t"
        ):
            return None
        at = bool(m.left and (m.left.letter == "@" or m.left.text in ("since", "my", "by")))
        if minutes in (5, 10) and not at and base.hour <= 12:
            return None
        if minutes in (5, 10) and not at and not (base.hour > 12):
            return None
    total = (base.hour * 60 + base.minute + (minutes if forward else -minutes)) % (24 * 60)
    hour, minute = divmod(total, 60)
    if base.sure and base.half is None:
        return ("i", Clock(hour, minute, None, True))
    hour = hour % 12 or 12 if base.hour <= 12 else hour
    return _made(clock(hour, minute, base.half, sure=base.sure))


@CLOCKS.rule(
    r"(?<=@)(?P<t>[nz])&(?P<m>[qħn])p?", r"(?<=@)(?P<t>[nz])(?P<minus>X)(?P<m>[qn])p?", r"(?P<t>[nz])&(?P<m>[qħ])(?P<p>p)?"
)
def _spanish(now: Now, m: Match) -> Made:
    """ "a las tres y media", "a las cuatro menos cuarto"."""
    base, minutes = m.value("t"), m.value("m")
    half = next((p.value for p in m.pieces if p.letter == "p"), None)
    if not now.spanish or not (1 <= base <= 24) or not 0 < minutes < 60 or (m.right and m.right.letter == "u"):
        return None
    if m.one("m").letter == "n" and minutes < 5:
        return None
    if m.one("minus"):
        hour, minute = divmod((base * 60 - minutes) % (24 * 60), 60)
        return _made(clock(hour or 12, minute, half))
    return _made(clock(base, minutes, half))


def halved(found: Clock, half: str | None) -> Clock:
    """The clock with its half of the day told by a part of the day: "4 in the afternoon", "12 at night"."""
    if found.half or found.sure or found.hour > 12 or half is None:
        return found
    hour = found.hour % 12
    if half == "am":
        hour = found.hour
    elif half in ("pm", "evening") or (half == "night" and hour >= 6) or (half == "lunch" and hour < 6):
        hour += 12
    return Clock(hour, found.minute, None, True, found.loose)


CLOCK_PARTS = Stage()


@CLOCK_PARTS.rule(
    r"(?P<t>i)[,]?[IO~@]*T?(?P<p>P)",
    r"(?P<t>[nz])[IO~@]+T?(?P<p>P)",
    r"[I~]?T?(?P<how>[bZM])?-?(?P<p>P)[@~,]*(?P<t>[inz])(?![a-zA-Z#κφ:/])",
    r"[I~]?T?(?P<how>[bZM])?-?(?P<p>P)[@~,]*(?P<t>i)",
)
def _clock_in_part(now: Now, m: Match) -> Made:
    piece = m.one("t")
    found = of_piece(piece)
    window = WINDOWS.get(m.value("p"))
    if found is None or window is None or (m.right and piece.letter in "nz" and m.right.text in _COUNTED):
        return None
    if (piece.letter in "nz" and not (len(piece.text) > 2 or 1 <= piece.value <= 12)) or (
        piece is m.pieces[-1] and any(p.letter == "," for p in m.pieces) and piece.letter != "i"
    ):
        return None
    if piece.letter == "z" and (m.pieces[0].letter == "T" or (m.left and m.left.letter in "Tg")):
        return None  # "the afternoon one"
    if found.sure and window.half == "pm" and found.half == "am":
        return None
    return _made(halved(found, window.half))


@CLOCK_PARTS.rule(r"(?P<t>[n])(?=,?(?:[rτ]|h[bZL]?P))", r"(?<=[rτ])(?P<t>n)(?=[.,]|$)")
def _clock_beside_day(now: Now, m: Match) -> Made:
    """ "9 tomorrow", "8 tonight", "tomorrow 3"."""
    piece = m.one("t")
    return _made(of_piece(piece)) if 1 <= piece.value <= 12 and not (m.left and m.left.letter in "m-2#") else None


PARTS = Stage()
_EARLY = {"b": "early-", "E": "early-", "Z": "late-", "L": "late-", "M": "mid"}


@PARTS.rule(
    r"[I~O@]*[TO]*(?P<how>[bZMLE])?-?[I~O]?[TA]?(?P<p>P)(?P<after>[bZ])?",
    r"Y(?P<how>[bZM])?-?(?P<p>P)",
    r"A(?P<how>[bZM])?-?(?P<p>P)",
)
def _part(now: Now, m: Match) -> Made:
    name = m.value("p")
    how = m.one("how") or m.one("after")
    if how:
        name = _EARLY[how.letter] + name
    return ("y", WINDOWS[name]) if name in WINDOWS else ("y", WINDOWS[m.value("p")])


@PARTS.rule(r"(?P<how>[LEbZ])?h(?P<how2>[bZL])?(?P<p>P)", r"(?P<how>[bZLE])?(?P<p>τ)(?P<how2>[bZL])?")
def _this_part(now: Now, m: Match) -> Made:
    name = m.value("p") or "night"
    how = m.one("how") or m.one("how2")
    window = WINDOWS.get((_EARLY[how.letter] if how else "") + name) or WINDOWS[name]
    if m.pieces[-1].letter == "τ" and not how:
        window = WINDOWS["night"]
    return [("r", 0), ("y", window)]


@PARTS.rule(r"(?P<how>[bZ])(?P<r>r)[I~]?T?(?P<p>P)")
def _early_tomorrow(now: Now, m: Match) -> Made:
    name = _EARLY[m.one("how").letter] + m.value("p")
    return [("r", m.value("r")), ("y", WINDOWS.get(name, WINDOWS[m.value("p")]))]


@PARTS.rule(r"[I~]?T(?P<p>p)", r"(?<=[wWruon])(?P<p>p)", r"[YA](?P<p>p)", r"p(?=[|&]p)|(?<=p[|&])p", r"^p[.,]?$", r"^p(?=_$)")
def _half(now: Now, m: Match) -> Made:
    """ "Monday am", "in the pm"."""
    return ("y", WINDOWS["morning" if any(p.value == "am" for p in m.pieces) else "afternoon"])


@PARTS.rule(r"(?P<how>[Zb])(?=[.,]|$)")
def _late(now: Now, m: Match) -> Made:
    """ "the 19th, late"; a bare "early" is no wish for an hour."""
    name = {"late": "late-day", "early": "early-morning", "temprano": "early-morning"}.get(m.pieces[0].text)
    beside = m.left.letter in "rwomn.," if m.left else name == "early-morning"
    return ("y", WINDOWS[name]) if name and beside else None


_UNITS = {
    "second": (0, 0, 1 / 60), "minute": (0, 0, 1), "hour": (0, 0, 60), "day": (0, 1, 0), "workday": (0, 1, 0), "week": (0, 7, 0),
    "fortnight": (0, 14, 0), "month": (1, 0, 0), "year": (12, 0, 0), "weekend": (0, 7, 0),
}  # fmt: skip


def duration(count: float, unit: str) -> Duration:
    months, days, minutes = _UNITS[unit]
    count = min(count, 100.0) if months else count  # nobody books a century ahead
    if months and count % 1:
        return Duration(days=round(count * months * 30.4), unit=unit)
    return Duration(int(count * months), count * days, count * minutes, unit)


DURATIONS = Stage()


@DURATIONS.rule(r"A?(?P<n>[nzfφ])-?O?(?:O[TA])?(?P<u>u)", r"(?P<n>A)(?P<u>u)", r"A?(?P<n>κ)O?O?(?P<u>u)", r"(?P<n>A)φ(?P<u>u)")
def _duration(now: Now, m: Match) -> Made:
    number, unit = m.one("n"), m.value("u")
    count = 3 if any(p.letter == "φ" for p in m.pieces) else number.value
    if number.letter == "n" and len(number.text) > 3 and number.text.isdigit():
        return None
    return ("D", duration(float(count), unit)) if count <= (100 if unit in ("month", "year") else 1000) else None


@DURATIONS.rule(
    r"A?(?P<h>ħ)-?[AO]*(?P<u>u)",
    r"A?(?P<n>[nz])?-?(?P<h>q)-?[OA]*(?P<u>u)",
    r"(?P<n>[nzA])(?P<u>u)&A?(?P<h>ħ)u?",
    r"(?P<n>[nz])&A?(?P<h>ħ)(?P<u>u)",
)
def _halves(now: Now, m: Match) -> Made:
    number, part = m.value("n"), m.one("h")
    fraction = 0.5 if part.letter == "ħ" else 0.25
    count = (number or 1) * fraction if part.letter == "q" else (number or 0) + fraction
    return ("D", duration(float(count), m.value("u"))) if m.value("u") != "quarter" else None


@DURATIONS.rule(r"(?P<a>[nzA])(?P<u>u)[&,]?(?P<b>[nz])(?P<v>u)")
def _two_units(now: Now, m: Match) -> Made:
    a, b = duration(float(m.value("a") or 1), m.value("u")), duration(float(m.value("b")), m.value("v"))
    return ("D", Duration(a.months + b.months, a.days + b.days, a.minutes + b.minutes, b.unit))
