"""How hard the assistant's sentences are to read, and how long they get: all replies of the dialogue's domain, filled in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from string import Formatter
from typing import Any

import yaml

from bot.settings import PROJECT
from scheduling_core.segments import clean, on_air, segments

_DOMAIN = PROJECT / "bot" / "dialogue" / "domain"
_ENGLISH = {
    "choices": "Dr. Moreau or Dr. Morrow",
    "clinic": "Harborview Medical Group",
    "count": "2",
    "detail": "12 Oak Street, Portland, ME 04101",
    "first": "Rosa",
    "head": "Follow-up visit with Dr. Whitcomb at Harborview at the Wharf",
    "hours": "24",
    "insurer": "Beacon Mutual",
    "last": "Friday, March 19",
    "member_id": "BMX 4471 902",
    "minutes": "20",
    "names": "Dr. Whitcomb, Dr. Moreau or Dr. Adeleke",
    "note": "",
    "old": "Tuesday, November 24 at 9:20 AM",
    "options": "1) Tue Nov 24, 9:20 AM\n2) Tue Nov 24, 2:40 PM\n3) Thu Nov 26, 10:00 AM",
    "others": "Dr. Moreau or Dr. Adeleke",
    "paper": "referral",
    "payer": "Beacon Mutual",
    "payers": "Northern Coast Health Plan, Beacon Mutual, Medicare and MaineCare",
    "phone": "(207) 555-0100",
    "prep": "Please bring: your insurance card, a photo ID.",
    "price": "120",
    "say": "Please call 911 right away if this is an emergency. If you think of ending your life, call or text 988.",
    "service": "Follow-up visit",
    "services": "Follow-up visit, Annual physical or Sick visit",
    "visit": "Follow-up visit, Tuesday, November 24 at 9:20 AM with Dr. Whitcomb at Harborview at the Wharf",
    "visits": "1) Follow-up visit, Tuesday, November 24 at 9:20 AM with Dr. Whitcomb at Harborview at the Wharf\n"
    "2) Vaccination, Monday, December 7 at 2:00 PM with Rafael Silva at Harborview Millbrook",
    "wanted": "Dr. Whitcomb",
    "when": "Tuesday, November 24 at 9:20 AM",
    "where": "at Harborview at the Wharf",
    "who": "Dr. Whitcomb",
    "whom": "with Dr. Whitcomb",
    "wished": "on Tuesday morning",
}
_SPANISH = _ENGLISH | {
    "choices": "Dr. Moreau o Dr. Morrow",
    "head": "Follow-up visit con Dr. Whitcomb en Harborview at the Wharf",
    "last": "viernes 19 de marzo",
    "names": "Dr. Whitcomb, Dr. Moreau o Dr. Adeleke",
    "old": "martes 24 de noviembre a las 9:20 AM",
    "options": "1) mar 24 de noviembre, 9:20 AM\n2) mar 24 de noviembre, 2:40 PM\n3) jue 26 de noviembre, 10:00 AM",
    "others": "Dr. Moreau o Dr. Adeleke",
    "paper": "una referencia",
    "payers": "Northern Coast Health Plan, Beacon Mutual, Medicare y MaineCare",
    "prep": "Por favor traiga: su tarjeta del seguro.",
    "services": "Follow-up visit, Annual physical o Sick visit",
    "visit": "Follow-up visit, martes 24 de noviembre a las 9:20 AM con Dr. Whitcomb en Harborview at the Wharf",
    "visits": "1) Follow-up visit, martes 24 de noviembre a las 9:20 AM con Dr. Whitcomb en Harborview at the Wharf\n"
    "2) Vaccination, lunes 7 de diciembre a las 2:00 PM con Rafael Silva en Harborview Millbrook",
    "when": "el martes 24 de noviembre a las 9:20 AM",
    "where": "en Harborview at the Wharf",
    "whom": "con Dr. Whitcomb",
    "wished": "el martes por la mañana",
}


@dataclass(frozen=True)
class Reply:
    name: str
    text: str

    @property
    def segments(self) -> int:
        return segments(on_air(self.text))


def replies(language: str) -> list[Reply]:
    """Every reply in the language, en or es. One that holds nothing but what is filled in, and that is nothing, is left out."""
    found = []
    for file in sorted(_DOMAIN.glob("*.yml")):
        for name, variants in (yaml.safe_load(file.read_text(encoding="utf-8")).get("responses") or {}).items():
            found += [Reply(name, _filled(one["text"], language)) for one in variants if _language(one) == language]
    return [reply for reply in found if reply.text]


def grade(texts: Iterable[str]) -> float:
    """The school grade by Flesch and Kincaid of all texts together. A line is a sentence at least; numbers are no words."""
    sentences = [sentence for text in texts for sentence in _sentences(text)]
    words = [word for sentence in sentences for word in sentence]
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(_syllables, words)) / len(words) - 15.59


def _language(variant: dict[str, Any]) -> str:
    return "es" if any(condition.get("value") == "es" for condition in variant.get("condition") or ()) else "en"


def _filled(template: str, language: str) -> str:
    typical = _SPANISH if language == "es" else _ENGLISH
    wanted = [field for _, field, _, _ in Formatter().parse(template) if field]
    return clean(template.format(**{field: typical.get(field, field) for field in wanted}))


def _sentences(text: str) -> list[list[str]]:
    text = re.sub(r"\b(Dr|St)\.", r"\1", text)
    parts = re.split(r"[.!?]+(?=\s|$)|\n", text)
    return [words for part in parts if (words := re.findall(r"[a-z]+(?:'[a-z]+)?", part.lower()))]


def _syllables(word: str) -> int:
    """Runs of vowels, without the mute e at the end and in "-ed": close to a dictionary's count over a whole text."""
    bare = re.sub(r"(?<=[^td])ed$|(?<=[^szcxgh])es$|(?<!l)e$|(?<=[aeiouy]l)e$", "", word.split("'")[0])
    return max(1, len(re.findall(r"[aeiouy]+", bare)))
