"""Services, practitioners, payers and places in a patient's words, found in the loaded clinic: misspelt, misheard, by nickname.

Nothing of one clinic stands here: a clinic that nobody has seen before works as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import jellyfish
from rapidfuzz import fuzz

from actions.words import Token, plain, tokens
from scheduling_core.clinic_file.schema import ClinicFile


@dataclass(frozen=True)
class Mentions:
    """Ids of what a text names, best match first.

    `doubtful` practitioners were matched by sound or spelling so loosely that the patient should be asked; `unknown_practitioner` is
    a name with a title that nobody here has. `complaint`: sickness in general words, for the clinic's urgent service.
    """

    services: tuple[str, ...] = ()
    practitioners: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    unknown_practitioner: str | None = None
    payers: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    complaint: bool = False


@dataclass(frozen=True)
class _Hit:
    item: str
    score: float
    start: int  # in tokens
    end: int


def mentioned(clinic: ClinicFile, text: str, language: str = "en") -> Mentions:
    """What `text` names. Of overlapping matches the better, then the longer one counts."""
    said = tokens(text)
    index = _index(clinic)
    people = _practitioners(clinic, said, text)
    services = _found(said, index["services"]) or _by_telling_word(said, index["services"])
    complaint = bool(_COMPLAINT.search(plain(text)))
    return Mentions(
        services=services,
        practitioners=people.sure,
        doubtful=people.doubtful,
        unknown_practitioner=people.unknown,
        payers=_found(said, index["payers"]),
        locations=_found(said, index["locations"]),
        complaint=complaint,
    )


_Phrases = tuple[tuple[tuple[str, ...], str], ...]


@lru_cache(maxsize=8)
def _index_of(key: int, clinic_ref: _Ref) -> dict[str, _Phrases]:
    clinic = clinic_ref.clinic
    kinds: dict[str, Iterable[tuple[str, list[str]]]] = {
        "services": [(s.id, [s.name, *s.aliases, s.id.replace("-", " ")]) for s in clinic.services],
        "payers": [(p.id, [p.name, *p.aliases]) for p in clinic.payers],
        "locations": [(loc.id, [loc.name, *loc.aliases, loc.id.replace("-", " ")]) for loc in clinic.locations],
    }
    return {kind: _phrases(items, kind) for kind, items in kinds.items()}


@dataclass(frozen=True)
class _Ref:
    """The clinic as a cache key: compared by identity of its content, never walked."""

    clinic: ClinicFile = field(compare=False)


def _index(clinic: ClinicFile) -> dict[str, _Phrases]:
    return _index_of(id(clinic), _Ref(clinic))


def _phrases(items: Iterable[tuple[str, list[str]]], kind: str) -> _Phrases:
    """Every way to say each item; a phrase that two items share is dropped for both but the first."""
    found: dict[tuple[str, ...], str] = {}
    for item, names in items:
        for name in names:
            words = tuple(token.plain for token in tokens(name))
            for form in {words, _without_filler(words)} if kind == "services" else {words}:
                if form and not (len(form) == 1 and form[0] in _FILLER):
                    found.setdefault(form, item)
            if kind == "services":
                for form in _spanish_forms(words):
                    found.setdefault(form, item)
    return tuple(found.items())


_FILLER = frozenset(
    {"visit", "appointment", "a", "an", "the", "annual", "minor", "lab", "cita", "consulta", "health", "new", "first"}
)


def _without_filler(words: tuple[str, ...]) -> tuple[str, ...]:
    kept = tuple(word for word in words if word not in ("visit", "appointment", "exam"))
    return kept if len(kept) >= 1 and kept != words else words


# What common kinds of visits are called in Spanish, by the English words that a clinic file uses for them.
_SPANISH_NAMES: dict[str, tuple[str, ...]] = {
    "follow up": ("seguimiento", "control", "revision", "cita de seguimiento", "cita de control"),
    "physical": ("examen fisico", "chequeo", "chequeo anual", "examen anual", "fisico anual", "revision anual"),
    "new patient": ("paciente nuevo", "paciente nueva", "primera visita", "primera cita", "primera vez", "nuevo paciente"),
    "sick visit": ("enfermo", "enferma", "gripe", "resfriado", "dolor de garganta", "me siento mal", "tos", "fiebre"),
    "well child": (
        "chequeo del nino",
        "chequeo de mi hijo",
        "chequeo de mi hija",
        "control del nino",
        "chequeo del bebe",
        "nino sano",
    ),
    "vaccine": ("vacuna", "vacunas", "vacunacion", "vacuna de la gripe", "inyeccion"),
    "vaccination": ("vacuna", "vacunas", "vacunacion"),
    "blood draw": ("analisis de sangre", "examen de sangre", "prueba de sangre", "laboratorio", "analisis", "sacar sangre"),
    "skin": ("quitar un lunar", "lunar", "biopsia de piel", "verruga", "quiste"),
    "women's health": ("papanicolau", "papanicolaou", "ginecologia", "ginecologo", "salud de la mujer", "citologia"),
    "pap smear": ("papanicolau", "papanicolaou", "citologia"),
}


def _spanish_forms(words: tuple[str, ...]) -> list[tuple[str, ...]]:
    joined = " ".join(words)
    return [tuple(name.split()) for english, names in _SPANISH_NAMES.items() if english in joined for name in names]


def _found(said: Sequence[Token], phrases: _Phrases) -> tuple[str, ...]:
    hits = [hit for words, item in phrases for hit in _windows(said, words, item)]
    hits.sort(key=lambda hit: (-hit.score * (hit.end - hit.start) ** 0.5, hit.start))
    taken: list[_Hit] = []
    for hit in hits:
        if not any(hit.start < other.end and other.start < hit.end for other in taken):
            taken.append(hit)
    return tuple(dict.fromkeys(hit.item for hit in taken))


def _windows(said: Sequence[Token], words: tuple[str, ...], item: str) -> Iterable[_Hit]:
    """Where the phrase stands in the text, misspelt a little or written as one word ("followup")."""
    phrase = " ".join(words)
    size = len(words)
    for length in {size, size - 1, size + 1} if size > 1 else {1}:
        for start in range(len(said) - length + 1) if length > 0 else ():
            window = " ".join(token.plain for token in said[start : start + length])
            score = _likeness(window, phrase)
            if length != size and window.replace(" ", "") != phrase.replace(" ", ""):
                continue
            if score:
                yield _Hit(item, score, start, start + length)


def _likeness(window: str, phrase: str) -> float:
    """0 to 100; 0 where it is another word. Short words must be right, long ones may have a slip."""
    if window == phrase:
        return 100.0
    if window.rstrip("s") == phrase.rstrip("s") and len(phrase) > 3:
        return 99.0
    if window.replace(" ", "") == phrase.replace(" ", ""):
        return 98.0
    if len(phrase) < 5 or abs(len(window) - len(phrase)) > 2 or window[0] != phrase[0]:
        return 0.0
    words_said, words_meant = window.split(), phrase.split()
    if len(words_said) == len(words_meant) and any(
        len(b) < 4 and a.rstrip("s") != b.rstrip("s") for a, b in zip(words_said, words_meant, strict=True)
    ):
        return 0.0
    score = fuzz.ratio(window, phrase)
    return score if score >= (88 if len(phrase) < 8 else 86) else 0.0


def _by_telling_word(said: Sequence[Token], phrases: _Phrases) -> tuple[str, ...]:
    """Services told by one word that stands in the names of no other service ("mole" where a clinic removes moles)."""
    owners: dict[str, set[str]] = {}
    for words, item in phrases:
        for word in words:
            if len(word) >= 4 and word not in _TOO_PLAIN:
                owners.setdefault(word.rstrip("s"), set()).add(item)
    hits = [owners.get(token.plain.rstrip("s"), set()) for token in said]
    return tuple(dict.fromkeys(item for owner in hits if len(owner) == 1 for item in owner))


_TOO_PLAIN = frozenset(
    """visit appointment annual yearly minor care health first patient feeling same back check year years week call video time work good
    cita visita paciente primera hijo hija this that with your doctor nurse need book schedule removal
    woman women female male well young child video phone today tomorrow soon""".split()
)


def for_child(clinic: ClinicFile, service_id: str, text: str) -> str:
    """The service for children that the words mean as well ("checkup" of a four-year-old), else the same service."""
    service = clinic.services_by_id[service_id]
    if service.ages and service.ages.oldest is not None and service.ages.oldest < 18:
        return service_id
    words = {token.plain.rstrip("s") for token in tokens(text)} | {token.plain.rstrip("s") for token in tokens(service.name)}
    named = {word for word in words if len(word) >= 4 and word not in _TOO_PLAIN}
    for other in clinic.services:
        if other.ages and other.ages.oldest is not None and other.ages.oldest < 18:
            own = {token.plain.rstrip("s") for name in (other.name, *other.aliases) for token in tokens(name)}
            if named & own:
                return other.id
    return service_id


# practitioners


@dataclass(frozen=True)
class _People:
    sure: tuple[str, ...]
    doubtful: tuple[str, ...]
    unknown: str | None


_TITLES = frozenset({"dr", "doctor", "doctora", "dra", "doc", "nurse", "np", "practitioner", "md", "enfermera", "enfermero"})
_NOT_NAMES = frozenset(
    """who that this the a an i my me you your is was for on at in to and or can please if said says told has have had about today tomorrow
    monday tuesday wednesday thursday friday appointment visit again next last not no any anyone which what when would will does do who's
    que con el la para hoy manana ordered referred wants wanted until office s note notes available
    there here soon asap tuesdays mondays with like order sent he she said practitioner speaks it
    from but so of then than them one male female woman man lady named called because visits
    either whoever someone somebody y o de del""".split()
)
# "Dr. X ordered labs", "Dr. X sent me": who asked for the visit, not who shall give it
_SENT_BY = re.compile(
    r"\s*(?:has |had |just |already )*(?:ordered|referred|sent|told me to get|wants me to (?:get|have)|prescribed|wrote|me mando|me refirio|ordeno)"
)


def _practitioners(clinic: ClinicFile, said: Sequence[Token], text: str) -> _People:
    low = plain(text)
    sure: dict[str, float] = {}
    doubtful: dict[str, float] = {}
    unknown: str | None = None
    for place, token in enumerate(said):
        titled = _is_titled(said, place)
        if token.plain in _TITLES or (len(token.plain) < 3 and not titled):
            continue
        if token.plain in _NOT_NAMES:
            continue
        scores = {p.id: _name_score(said, place, p.name, p.aliases, titled=titled) for p in clinic.practitioners}
        best = max(scores.values(), default=0.0)
        if best >= 70:
            if _SENT_BY.match(low[token.end :]):
                continue
            near = {key: score for key, score in scores.items() if score >= best - 4 and score >= 70}
            if best >= 80 and len(near) == 1:
                sure |= near
            else:
                doubtful |= near
        elif titled and said[place - 1].plain in ("dr", "doctor", "doctora", "dra"):
            unknown = unknown or text[token.start : token.end]
    ranked = tuple(sorted(sure, key=lambda key: -sure[key]))
    return _People(ranked, tuple(key for key in doubtful if key not in sure), None if sure or doubtful else unknown)


def _is_titled(said: Sequence[Token], place: int) -> bool:
    return place > 0 and said[place - 1].plain in _TITLES


def _name_score(said: Sequence[Token], place: int, name: str, aliases: Sequence[str], *, titled: bool) -> float:
    """How like a practitioner's last name (or nickname, or whole name) the word at `place` is."""
    word = said[place].plain
    parts = [part for part in (token.plain for token in tokens(name.split(",")[0])) if part not in _TITLES]
    family, given = parts[-1], parts[:-1]
    with_given = place > 0 and any(_close(said[place - 1].plain, first) for first in given)
    if with_given and said[place - 1].plain in given and fuzz.ratio(word, family) >= 55:
        return 96.0 + (word == family) * 4
    best = 0.0
    for meant in (family, *(plain(alias) for alias in aliases)):
        if word == meant or word == meant + "s" or word in (meant + "'s",):
            if meant in _COMMON_WORDS and not (titled or with_given):
                continue
            return 100.0
        likeness = fuzz.ratio(word, meant)
        if titled or with_given:
            same_sound = jellyfish.metaphone(word) == jellyfish.metaphone(meant)
            best = max(best, likeness + (12 if same_sound else 0) if likeness >= 60 or (same_sound and likeness >= 45) else 0)
        elif len(meant) >= 5 and len(word) >= 5 and word[0] == meant[0] and likeness >= 80 and word not in _COMMON_WORDS:
            best = max(best, likeness)
    given_alone = (
        len(given) == 1
        and word == given[0]
        and len(word) > 3
        and (place + 1 == len(said) or not _close(said[place + 1].plain, family))
    )
    if given_alone and not titled:
        best = max(best, 82.0 if place + 1 == len(said) or said[place + 1].plain in _NOT_NAMES else 0.0)
    return min(best, 99.0)


def _close(word: str, name: str) -> bool:
    return word == name or (len(name) > 3 and fuzz.ratio(word, name) >= 80)


# last names that are ordinary words: they count only with a title or a first name
_COMMON_WORDS = frozenset(
    """hall young long king white black brown green day may june april grace hill lake wood woods rose price park best banks fields church
    street west north south east rivers stone waters summers winter love hope little small short strong wise good noon early late moon
    bell cook carter baker mason page frost snow rain knight marsh pool poole ray rice hand head foot back check chance
    please patient patients hospital health street""".split()
)

_COMPLAINT = re.compile(
    r"\b(?:(?:i|we|he|she|they|kid|son|daughter|baby|mom|mother|dad|father|wife|husband)\b[^.?!]{0,40}\b"
    r"(?:sick|ill|fever|feverish|cough(?:ing)?|throw(?:ing)? up|vomit\w*|diarrh?o?ea|rash|infection|pain|hurts?|aches?|sore|swollen|dizzy|migraine|"
    r"headaches?|earache|ear ache|sinus|uti|pink ?eye|congest\w+|stuffy|nause\w+|bleed\w*|itch\w*|burn(?:s|ing)? when)\b"
    r"|(?:not feeling (?:well|good)|feel(?:ing)? (?:awful|terrible|bad|sick|lousy)|under the weather|came down with|caught a)"
    r"|(?:bad|terrible|awful|my|a) (?:cough|fever|rash|cold|flu|headache|migraine|earache|backache|stomach ?ache|toothache|infection|sore \w+)"
    r"|my \w+(?: \w+)? (?:is|are) (?:killing me|swollen|infected|sore|hurting|red|itchy)|my \w+(?: \w+)? (?:really )?hurts?"
    r"|me siento mal|estoy enferm[oa]|esta enferm[oa]|tengo (?:fiebre|tos|gripe|dolor|nauseas|vomito|diarrea)|tiene (?:fiebre|tos|gripe|dolor|nauseas|vomito)"
    r"|me duele|le duele)"
)
