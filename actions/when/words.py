"""The words about time, English and Spanish, each under a letter that the grammar's patterns are written in.

Both languages share the letters, so one grammar reads both.

w weekday  W plural weekday  m month  n number  z "one"  o ordinal  t clock  f dotted number  d n/n  e full numeric date  p am/pm
P part of day  r today...  u unit  x next  h this  l last  T the  A a  Y any  O of  I in  @ at  ~ on, for  B before  F after
G from  U until  2 to  - dash  & and  | or  , .  X except  N not  L later  E earlier  S soonest  V whenever  s same  q half, quarter
c o'clock  b early  M middle  Z late, end  H holiday  # a number that is no time  k ago  j now  Q past  R rest  C a correction
v between  J born  g that  Σ season  _ any other word.  Made by rules: a dates  i clock  y window of hours  D duration
"""

from __future__ import annotations

from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from actions.when import english, spanish
from actions.when.english import Entry


def words_of(text: str) -> frozenset[str]:
    """The words of a text, to look others up in."""
    return frozenset(text.split())


_WEEKDAYS = {
    0: "monday mon lunes lun",
    1: "tuesday tue tues tu martes",
    2: "wednesday wed weds wensday wendsday wednsday wedensday wenesday miercoles mie mierc",
    3: "thursday thu thur thurs thrusday thursdy jueves jue juev",
    4: "friday fri viernes vie vier",
    5: "saturday sat sabado sab",
    6: "sunday sun domingo dom",
}
_MONTHS = {
    1: "january jan enero ene",
    2: "february feb febuary febrary febrero",
    3: "march mar marzo",
    4: "april apr apirl aprl abril abr",
    5: "may mayo",
    6: "june jun junio",
    7: "july jul julio",
    8: "august aug agosto",
    9: "september sep sept septiembre setiembre",
    10: "october oct octubre",
    11: "november nov novmber noviembre",
    12: "december dec diciembre dic",
}
_UNITS = {
    "second": "seconds secs segundos",
    "minute": "minute minutes min mins minuto minutos",
    "hour": "hour hours hr hrs hora horas h",
    "day": "day days dia dias",
    "workday": "workday workdays weekday weekdays",
    "week": "week weeks week's weeks' wk wks semana semanas",
    "weekend": "weekend weekends wkend wkends",
    "month": "month months mth mths mes meses",
    "year": "year years year's years' yr yrs ano anos",
    "fortnight": "fortnight fortnights fortnight's quincena",
}


TENS = frozenset(english.TENS) | frozenset(spanish.TENS)


def _common() -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    found |= {"m-f": ("W", (0, 1, 2, 3, 4)), "midweek": ("W", (1, 2, 3))}
    for table, letter in ((_WEEKDAYS, "w"), (_MONTHS, "m")):
        for number, names in table.items():
            found |= dict.fromkeys(names.split(), (letter, number))
    for number, names in _WEEKDAYS.items():
        found |= {f"{name}s": ("W", number) for name in names.split() if name.endswith("day") or name in ("sabado", "domingo")}
    for unit, names in _UNITS.items():
        found |= dict.fromkeys(names.split(), ("u", unit))
    return found


# Meanings with a long name get one letter too, so that a sentence stays one letter a piece.
_LETTERS = {
    "wc": "ω", "one-after": "ε", "next-but-one": "ν", "tonight": "τ", "qh": "ħ", "couple": "κ", "few": "φ", "|L": "λ", "|E": "ξ",
    "that-day": "δ", "that-time": "θ", "day-and-time": "ψ", "that-week": "ς", "that-month": "μ", "after-that": "α",
    "push-later": "π", "push-earlier": "ρ", "holidays": "η", "eom": "ο", "eoy": "υ",
}  # fmt: skip


def _phrases(table: dict[Entry, str]) -> dict[str, dict[tuple[str, ...], Entry]]:
    """First word -> the phrases that start with it, as words."""
    found: dict[str, dict[tuple[str, ...], Entry]] = {}
    for entry, names in table.items():
        for name in names.split(";"):
            words = tuple(name.split())
            if not words:
                continue
            found.setdefault(words[0], {})[words] = (_LETTERS.get(entry[0], entry[0]), entry[1])
    return found


_COMMON = _common()
_WORDS = {
    language: {word: (_LETTERS.get(letter, letter), value) for word, (letter, value) in table.items()}
    for language, table in (
        (False, _COMMON | english.single_words()),
        (True, _COMMON | english.single_words() | spanish.single_words()),
    )
}
_STARTS = {False: _phrases(english.PHRASES), True: _phrases(english.PHRASES)}
for _first, _entries in _phrases(spanish.PHRASES).items():
    _STARTS[True].setdefault(_first, {}).update(_entries)
_LONGEST = max(len(words) for starts in _STARTS[True].values() for words in starts)

# Words that only Spanish has; two of them, or one in a short text, make it Spanish.
SPANISH_ONLY = words_of(
    "el los las la una de del por para con cita quiero necesito semana manana lunes martes miercoles jueves viernes sabado"
    " domingo hoy"
    " tarde noche enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre antes despues"
    " entre hasta"
    " desde cualquier dia mes ano proxima proximo siguiente puede puedo tiene hay cuando lo y mi gracias favor mejor que es"
    " nacio naci"
    " dentro nacimiento pasado principios finales mediodia temprano posible semanas hora primera primer segunda segundo"
    " ultima dos tres cuatro"
    " cinco seis siete ocho nueve diez doce esta este tardes mananas noches ahora mas cualquiera ese misma mismo menos horas"
    " minutos dias meses"
)
ENGLISH_ONLY = words_of(
    "the i to of on at for is and or my can you please in it want need like before after next this week day morning afternoon with"
)

_TYPED_WRONG = words_of(
    "january february august september october november december tomorrow morning mornings afternoon afternoons evening tonight"
    " thanksgiving christmas noviembre diciembre septiembre miercoles proxima siguiente earliest anytime whenever"
)
# What a misspelled word may be meant as. Short words are left alone: one letter away lies another word.
_SPELLED = [
    *(f"{d}{s}" for d in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday") for s in ("", "s")),
    *_TYPED_WRONG,
]
_NO_TYPOS = words_of(
    "monthly sunny mourning warning meeting moving sundae money tuesdays saturated someday today's weekday sundays seeming"
    " even leaving whatever wherever forever"
    " morning's proximal"
)


def find(words: list[str], at: int, *, spanish: bool) -> tuple[Entry, int] | None:
    """The meaning of the longest known phrase that starts at `at`, and how many words it takes."""
    if phrases := _STARTS[spanish].get(words[at]):
        for count in range(min(_LONGEST, len(words) - at), 0, -1):
            if entry := phrases.get(tuple(words[at : at + count])):
                return entry, count
    entry = _WORDS[spanish].get(words[at])
    return (entry, 1) if entry else None


# Behind one of these, "from ... to ..." is no range: the second is wanted.
MOVES = words_of(
    "move moved moving change changed changing reschedule rescheduled switch switched push cambiar mover pasar cambiarla moverla"
)


@lru_cache(maxsize=4096)
def corrected(word: str) -> str | None:
    """The word about time that a misspelled `word` was meant as, or None."""
    if len(word) < 6 or len(word) > 14 or word in _NO_TYPOS:
        return None
    best = process.extractOne(word, _SPELLED, scorer=OSA.distance, score_cutoff=1 if len(word) < 8 else 2)
    return best[0] if best and best[0][0] == word[0] else None
