"""Birth dates as people give them: written, spoken, keyed in, corrected in the same breath."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from actions.when.cascade import Made, Match, Stage
from actions.when.meanings import Now, date
from actions.when.text import Piece, fold, is_spanish, pieces

_OLDEST = 110  # years


@dataclass(frozen=True)
class BirthDate:
    """A birth date; `corrected` where the text took an earlier one back.

    `readings` has both where two digits leave two years, or where day and month may be swapped: points put the day first elsewhere,
    and who writes Spanish in the United States may write either first. `date` is the likelier.
    """

    date: dt.date
    corrected: bool = False
    readings: tuple[dt.date, ...] = ()


def read_birth_date(text: str, now: dt.datetime, *, language: str | None = None) -> BirthDate | None:
    """The birth date that `text` names, the last one where it corrects itself; None where none is one of a living person."""
    folded = fold(text[:1000])
    here = Now(now, is_spanish(folded, language))
    found = _BIRTHS.rewrite(here, _split_digits(pieces(_joined_digits(folded), language=language)))
    born = next((n for n, piece in enumerate(found) if piece.letter == "J"), 0)
    dates = [piece for n, piece in enumerate(found) if piece.letter == "a" and n >= born] or [p for p in found if p.letter == "a"]
    if not dates:
        guessed = _by_dateparser(folded, here)
        return BirthDate(guessed) if guessed else None
    last = dates[-1]
    spoken_twice = len({piece.value for piece in dates}) > 1
    took_back = any(
        p.letter == "C" or p.text in ("no", "nope")
        for p in found[: found.index(last)]
        if p.start > (found[0].start if found else 0)
    )
    readings = last.value
    return BirthDate(
        readings[0],
        spoken_twice or (took_back and _names_a_date(found[: found.index(last)])),
        readings if len(readings) > 1 else (),
    )


def _names_a_date(before: list[Piece]) -> bool:
    return any(p.letter in "amed" for p in before)


def _joined_digits(folded: str) -> str:
    """ "0 3 1 2 1 9 8 5", as speech recognition may write keyed digits, is one number."""
    return re.sub(r"(?<![\d/])(?:\d[ ]){7}\d(?![\d/])", lambda match: match.group().replace(" ", ""), folded)


_KEYED = re.compile(r"\d{8}|\d{6}")


def _split_digits(said: list[Piece]) -> list[Piece]:
    """03121985 from a keypad becomes a full date."""
    made = []
    for piece in said:
        if piece.letter == "#" and _KEYED.fullmatch(piece.text):
            digits = piece.text
            parts = (int(digits[:2]), int(digits[2:4]), int(digits[4:]))
            if len(digits) == 8 and not 1 <= parts[0] <= 12 and digits[:2] in ("19", "20"):
                parts = (int(digits[:4]), int(digits[4:6]), int(digits[6:]))
            made.append(Piece("e", piece.start, piece.end, parts, digits))
        else:
            made.append(piece)
    return made


_BIRTHS = Stage()


def _years(pieces: list[Piece]) -> list[int]:
    """The years that a spoken or written year may be: 1985, "nineteen eighty five", 85, '85, "two thousand five"."""
    numbers = [p.value for p in pieces if p.letter in "nz"]
    if len(numbers) == 1:
        return [numbers[0]] if numbers[0] >= 1000 else [1900 + numbers[0], 2000 + numbers[0]] if 0 <= numbers[0] < 100 else []
    if len(numbers) == 2 and numbers[0] in (19, 20) and 0 <= numbers[1] < 100:
        return [numbers[0] * 100 + numbers[1]]
    return []


def _living(now: Now, years: list[int], month: int, day: int) -> tuple[str, tuple[dt.date, ...]] | None:
    """The dates that make a living person's age."""
    oldest = now.today.replace(year=now.today.year - _OLDEST, day=min(now.today.day, 28))
    found = [d for year in years if (d := date(year, month, day)) and oldest <= d <= now.today]
    return ("a", tuple(sorted(found, reverse=True))) if found else None


def _numeric(now: Now, a: int, b: int, years: list[int], *, points: bool = False) -> Made:
    """Month first; day first in Spanish, between points or where the month would be impossible."""
    day_first = now.spanish or points
    orders = ((b, a), (a, b)) if day_first else ((a, b), (b, a))
    found = [made for month, day in orders if (made := _living(now, years, month, day))]
    if day_first and len(found) == 2 and a != b:
        return ("a", (*found[0][1], *found[1][1]))
    return found[0] if found else None


@_BIRTHS.rule("e")
def _full(now: Now, m: Match) -> Made:
    a, b, c = m.pieces[0].value
    if a >= 1000:
        return _living(now, [a], b, c)
    return _numeric(now, a, b, [c] if c >= 1000 else [1900 + c, 2000 + c] if c < 100 else [], points="." in m.pieces[0].text)


@_BIRTHS.rule(
    r"T?(?P<m>m)[.,/-]*(?:T|~T?)?(?P<d>[noz])[.,/-]*[OI]?T?u?(?P<y>n[nz]?)",
    r"T?(?P<d>[noz])[.-]?(?:u?O)?[-/]?T?(?:u[O~]T?)?(?P<m>m)[.,/-]*[OI]?T?u?(?P<y>n[nz]?)",
    r"(?P<y>n)[-/.,]?(?P<m>m)[-/.,]?(?P<d>[no])",
)
def _named(now: Now, m: Match) -> Made:
    day = m.value("d")
    return _living(now, _years(m.group("y")), m.value("m"), day) if isinstance(day, int) and day <= 31 else None


@_BIRTHS.rule(r"(?P<a>[noz])[,/-]?(?P<b>[noz])[,/-]?(?P<y>n[nz]?)", r"(?P<d>d)[,/-]?(?P<y>n)")
def _numbers(now: Now, m: Match) -> Made:
    """ "three twelve eighty five", "03 12 1985"."""
    a, b = m.value("d") if m.one("d") else (m.value("a"), m.value("b"))
    return _numeric(now, a, b, _years(m.group("y"))) if isinstance(a, int) and isinstance(b, int) and a <= 31 and b <= 31 else None


@_BIRTHS.rule(r"m[.,]?T?[noz]", r"T?[noz]O?m", r"d")
def _without_year(now: Now, m: Match) -> Made:
    """A date without a year is no birth date, and its numbers belong to nothing else."""
    return [(piece.letter, piece.value) for piece in m.pieces]


def _by_dateparser(folded: str, now: Now) -> dt.date | None:
    """Forms that the rules do not know, where a short text has a year and a word in it."""
    if (
        len(folded) > 60
        or not re.search(r"(?<!\d)(19|20)\d\d(?!\d)", folded)
        or not re.search(r"[a-z]{3}", folded)
        or not re.search(r"(?<!\d)\d{1,2}(?!\d)", folded)
    ):
        return None
    import dateparser  # takes a tenth of a second, and hardly anybody needs it

    found = dateparser.parse(
        folded,
        languages=["es", "en", "pt", "fr"] if now.spanish else ["en", "es", "pt", "fr"],
        settings={
            "STRICT_PARSING": True,
            "REQUIRE_PARTS": ["day", "month", "year"],
            "DATE_ORDER": "DMY" if now.spanish else "MDY",
            "RELATIVE_BASE": now.now,
        },
    )
    if found is None:
        return None
    made = _living(now, [found.year], found.month, found.day)
    return found.date() if made else None
