"""From what Twilio heard to words that can be read: how sure it is, breath, spelled names, digits one by one, words taken back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from bot.keywords import LONGEST_TEXT
from bot.outcomes import Said

LEAST_CONFIDENCE = 0.4  # less is not believed at all
SURE_CONFIDENCE = 0.6  # less is read back where it would be costly to be wrong
_LONGEST_KEYS = 40
_BREATH = re.compile(
    r"(?:\W|\b(?:u+h+|u+m+|h+m+|m+|a+h+|e+r+m*|e+h+|hu+h|ha+|sh+|pf+|este|breath(?:es|ing)?|noise|silence)\b)*", re.IGNORECASE
)
_SAID_YES = re.compile(r"\W*(?:mm+[ -]?hm+|m+hm+|uh[ -]?huh)\W*", re.IGNORECASE)
_SAID_NO = re.compile(r"\W*(?:uh[ -]?uh|mm[ -]?mm|nuh[ -]?uh)\W*", re.IGNORECASE)


@dataclass(frozen=True)
class Heard:
    """`body`: the words, or the keys with their stars; the # that ends an entry is no part of it."""

    said: Said
    body: str = ""


def heard(form: Mapping[str, str]) -> Heard:
    """What a turn's parameters tell. Keys count before words, and a call of the desk or a recording before both."""
    if dialled := form.get("DialCallStatus"):
        bridged = form.get("DialBridged", "true" if dialled in ("completed", "answered") else "false")
        return Heard(Said.CONNECTED if bridged == "true" else Said.NOT_REACHED)
    if form.get("RecordingSid"):
        return Heard(Said.RECORDED, form["RecordingSid"])
    if (pressed := form.get("Digits", "").strip()) and pressed != "hangup":
        return Heard(Said.KEYS, pressed[:_LONGEST_KEYS].rstrip("#"))
    speech = " ".join(form.get("SpeechResult", "")[:LONGEST_TEXT].split())
    if _SAID_YES.fullmatch(speech) or _SAID_NO.fullmatch(speech):
        return Heard(Said.TEXT, "yes" if _SAID_YES.fullmatch(speech) else "no")
    if _BREATH.fullmatch(speech):
        return Heard(Said.SILENCE)
    sure = confidence(form.get("Confidence", ""))
    said = Said.UNCLEAR if sure < LEAST_CONFIDENCE else Said.DOUBTFUL if sure < SURE_CONFIDENCE else Said.TEXT
    return Heard(said, speech)


def confidence(value: str) -> float:
    """Without a figure from Twilio what was heard is believed. Some recognisers give 0 for words: that is no figure, either."""
    try:
        return float(value) or 1.0
    except ValueError:
        return 1.0


_FACTS = ("birth_date", "name", "member_id", "detail", "insurer", "callback_number")  # what is told once, letter by letter
_CHOSEN_TIMES = ("time", "choice", "callback_time")
_DIGITS = {
    word: str(digit)
    for words in (
        "zero one two three four five six seven eight nine",
        "cero uno dos tres cuatro cinco seis siete ocho nueve",
        "oh",
        "o",
    )
    for digit, word in enumerate(words.split())
}
_DIGIT = rf"(?:{'|'.join(sorted(_DIGITS, key=len, reverse=True))}|\d)"
_TIMES = {"double": 2, "triple": 3, "doble": 2}
_RUN = re.compile(rf"\b(?:(?:{'|'.join(_TIMES)}) )?{_DIGIT}(?:[ ,-]+(?:(?:{'|'.join(_TIMES)}) )?{_DIGIT})+\b", re.IGNORECASE)
_LEAST_RUN = 6  # digits one by one: fewer may be a time or a date
_AS_IN = r"([a-zñ])[.,]? (?:as in|like|for|de|como en|como) [\w']+"
_SPELLED = re.compile(rf"\b{_AS_IN}(?:[ ,]+(?:and )?{_AS_IN})+", re.IGNORECASE)
_ONE_SPELLED = re.compile(rf"\b{_AS_IN}", re.IGNORECASE)
_LETTERS = re.compile(r"(?<![\w'])[a-zñ](?:[ .,-]+(?:(?:double|doble) )?[a-zñ]){2,}(?![\w'])", re.IGNORECASE)
_DOUBLED = re.compile(r"\b(?:double|doble) ([a-zñ])\b", re.IGNORECASE)
_TAKEN_BACK = re.compile(
    r"^.*\b(?:no,? wait|wait,? no|scratch that|i mean|i meant|correction|perd[oó]n|quise decir|digo|espere|no,? espera)\b[\s,.:;]*",
    re.IGNORECASE,
)
_BARE_CLOCK = re.compile(
    r"(?<![\d/:.-])(1[0-2]|[1-9])([0-5]\d)(?![\d/:-])(?=\W*(?:$|[ap]\.?m|in the|de la|please|works|o'?clock))", re.IGNORECASE
)


def words(text: str, slot: str | None) -> str:
    """The words as the dialogue reads them best, when they answer the question `slot`.

    What was spelled is one word, digits said one by one stand together, "330" is a time where times are chosen, "november twenty
    third" is November 23, and of a fact that was taken back only what came after counts.
    """
    if slot in _FACTS:
        text = _last_told(text)
    text = _RUN.sub(lambda run: _in_digits(run[0]) if slot == "member_id" else _together(run[0]), text)
    text = _sounds_alike(text)
    if slot in _DATED:
        text = _WORD.sub(lambda word: _month(word[0]), text)
    if slot not in _FACTS:
        text = _HALF_DAY.sub(lambda hour: f"{_HOURS.index(hour[1].lower()) + 1} {hour[2]}", text)
        text = _DAY_OF_MONTH.sub(
            lambda day: f"{day[1]} {_NTHS.index(' '.join(day[2].lower().replace('-', ' ').split())) + 1}", text
        )
    if slot == "name":
        text = _spelled(text)
    if slot == "detail":
        text = _mail_address(text)
    if slot in _CHOSEN_TIMES:
        text = _BARE_CLOCK.sub(r"\1:\2", text)
    return text


# Words that sound alike, where only one of them can be meant.
_ALIKE = tuple(
    (re.compile(pattern, re.IGNORECASE), meant)
    for pattern, meant in (
        (r"\bwood (be|like|love|work|prefer|you|that)\b", r"would \1"),
        (r"\bi wood\b", "I would"),
        (r"\b(want|need|like|have) (?:two|too) (?!visits|appointments|people|kids|children|more)(?=[a-z]{3})", r"\1 to "),
        (r"\b(next|this|last|every) weak\b", r"\1 week"),
        (r"\b(a|am|as) knew patient", r"\1 new patient"),
    )
)


def _sounds_alike(text: str) -> str:
    for pattern, meant in _ALIKE:
        text = pattern.sub(meant, text)
    return text


_ENDINGS = "com|org|net|edu|gov|io|us|es|mx"
_SIGNS = (
    (r"\s+(?:at|arroba)\s+", "@"),
    (r"\s+(?:dot|period|point|punto)\s+", "."),
    (r"\s+(?:underscore|guion bajo)\s+", "_"),
    (r"\s+(?:dash|hyphen|minus|guion)\s+", "-"),
)
_BARE_MAIL = re.compile(
    rf"(?:(?:it'?s|my (?:new )?e-?mail(?: address)? is|es) )?((?:[\w-]+ ){{1,3}})([\w-]+) ({_ENDINGS})[.]?", re.IGNORECASE
)


def _mail_address(text: str) -> str:
    """ "ann dot roe at example dot com". Signs that were not heard are put where they stand most often: it is read back anyway."""
    if "@" in text or not re.search(rf"\b(?:{_ENDINGS})\W*$", text, re.IGNORECASE):
        return text
    for pattern, sign in _SIGNS:
        text = re.sub(pattern, sign, text, flags=re.IGNORECASE)
    if "@" in text:
        return text
    bare = _BARE_MAIL.fullmatch(text.strip())
    return f"{'.'.join(bare[1].split())}@{bare[2]}.{bare[3]}".lower() if bare else text


_DATED = ("birth_date", "time")
_MONTHS = (
    *("january", "february", "march", "april", "august", "september", "october", "november", "december"),
    *("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
)
_SHORT_MONTHS = (
    "may",
    "june",
    "july",
    "jan",
    "feb",
    "mar",
    "apr",
    "jun",
    "jul",
    "aug",
    "sep",
    "sept",
    "oct",
    "nov",
    "dec",
    "ene",
    "dic",
)
_WORD = re.compile(r"[^\W\d_]{4,}")
_NO_MONTH = frozenset({"match", "marsh", "larch", "starch"})
_NTH = re.compile(
    r"\b(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|\w+teenth|twentieth|thirtieth|"
    r"\d{1,2}(?:st|nd|rd|th))\b",
    re.IGNORECASE,
)


_TEENS = "eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
_UNITS = "first second third fourth fifth sixth seventh eighth ninth"
_NTHS = [*_UNITS.split(), "tenth", *_TEENS.split(), *(f"twenty {unit}" for unit in _UNITS.split()), "thirtieth", "thirty first"]
_DAY_OF_MONTH = re.compile(
    rf"\b({'|'.join((*_MONTHS[:9], 'may', 'june', 'july'))}) (?:the )?"
    rf"({'|'.join(sorted((nth.replace(' ', '[ -]') for nth in _NTHS), key=len, reverse=True))})\b",
    re.IGNORECASE,
)
_HOURS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_HALF_DAY = re.compile(rf"\b({'|'.join(_HOURS)}) ([ap]\.?m\b\.?)", re.IGNORECASE)


def _month(word: str) -> str:
    """A month that is one letter off is that month: "markh", "oktober"."""
    low = word.lower()
    if low in _MONTHS or low in _NO_MONTH:
        return word
    return next((month for month in _MONTHS if Levenshtein.distance(low, month, score_cutoff=1) <= 1), word)


def lacks_month(text: str) -> bool:
    """Whether a birth date names the day as people name it beside a month ("the twelfth"), and the month was not understood.

    Read without it, the year would be taken for the day.
    """
    said = set(re.findall(r"[^\W\d_]+", text.lower()))
    return bool(_NTH.search(text)) and said.isdisjoint(_MONTHS) and said.isdisjoint(_SHORT_MONTHS)


def _last_told(text: str) -> str:
    rest = _TAKEN_BACK.sub("", text)
    return rest if re.search(r"\d|\w+ \w+", rest) else text


def _in_digits(run: str) -> str:
    """Digits stay apart where letters may belong to them: "x o f five five" is "x o f 5 5"."""
    return " ".join(_digits(run))


def _together(run: str) -> str:
    digits = _digits(run)
    return digits if len(digits) >= _LEAST_RUN else run


def _digits(run: str) -> str:
    digits, times = "", 1
    for word in re.split(r"[ ,-]+", run.lower()):
        if word in _TIMES:
            times = _TIMES[word]
            continue
        digits += (_DIGITS.get(word) or word) * times
        times = 1
    return digits


def _spelled(text: str) -> str:
    """ "Smyth S M I T H", "s as in sam, m as in mary, ...": the letters are the name, also of the word before them."""
    text = _SPELLED.sub(lambda run: _letters(_ONE_SPELLED.findall(run[0])), text)
    text = _DOUBLED.sub(r"\1 \1", text)
    found = _LETTERS.search(text)
    if not found:
        return text
    name = re.sub(r"[^A-Za-zñÑ]", "", found[0]).capitalize()
    before = text[: found.start()].rstrip(" ,.")
    last = before.split()[-1] if before.split() else ""
    if last and last[0].lower() == name[0].lower() and abs(len(last) - len(name)) <= 2:
        before = before[: -len(last)].rstrip()
    return f"{before} {name}{text[found.end() :]}".strip()


def _letters(found: list[str]) -> str:
    """Too few letters are no name, and said only to make sure of one."""
    return " ".join(found) if len(found) > 2 else ""


_YES = re.compile(
    r"\W*(?:yes|yeah|yep|yup|sure|ok(?:ay)?|correct|right|that'?s (?:right|correct|me)|this is (?:she|he|me)|speaking|"
    r"please(?: do)?|s[ií]|claro|correcto|as[ií] es|por favor|de acuerdo|soy yo|est[aá] bien)\b",
    re.IGNORECASE,
)
_NO = re.compile(r"\W*(?:no|nope|nah|wrong|incorrect|not)\b", re.IGNORECASE)


def yes_or_no(text: str) -> bool | None:
    """Whether words, or a key, that answer a question of the call itself begin with a yes or a no; None for neither."""
    if text in ("1", "2"):
        return text == "1"
    if _NO.match(text):
        return False
    return True if _YES.match(text) else None
