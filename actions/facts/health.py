"""What patients say of their own health: allergies, medicines, illnesses. Kept in their words for people to read."""

from __future__ import annotations

import re
from dataclasses import dataclass

from actions.words import either, straight


@dataclass(frozen=True)
class Told:
    """`kind` is "allergies", "medicines" or "history"; `said` the patient's own words."""

    kind: str
    said: str


_ILLNESS = either(
    r"(?:type [12] |pre-?)?diabet\w*|asthma|copd|high blood pressure|hypertension|high cholesterol",
    r"heart (?:disease|failure|condition)|a ?fib|pacemaker|epilepsy|thyroid \w+|hypothyroid\w*|arthritis|sickle cell\w*",
    r"kidney (?:disease|failure)|hepatitis \w|hiv|lupus|anemia|crohn'?s\w*|colitis|glaucoma|migraines|depression|anxiety",
    r"bipolar\w*|adhd|sleep apnea|osteoporosis|gout|cancer",
    r"asma|presion alta|hipertension|colesterol alto|epilepsia|artritis|migranas|marcapasos|tiroides",
)
_PAST = either(
    r"surger(?:y|ies)|an operation|a (?:heart attack|stroke|bypass|c-section|hysterectomy|transplant|hip|knee)\b[\w ]*",
    r"cirugia\w*|una operacion|un infarto|un derrame",
)
_MEDICINE = either(
    r"\d+ ?(?:mg|mcg|ml|milligrams?|units|miligramos)\b",
    r"\b(?:medications?|medicines?|meds|pills?|insulin|inhaler|blood thinners?|birth control|antibiotics?|aspirin|vitamins?)\b",
    r"\b(?:medicinas?|medicamentos?|pastillas?|insulina|inhalador|anticoagulantes?|anticonceptiv\w+|aspirina|vitaminas?)\b",
    r"\b\w{3,}(?:pril|olol|artan|statin|statina|formin|formina|dipine|dipino|prazole|prazol|thyroxine|tiroxina|oxetine|oxetina|"
    r"cillin|cilina|mycin|micina|azepam|zolam|triptyline|setron|gliptin|gliflozin|glutide|parin|xaban|profen)\b",
    r"\b(?:warfarin|albuterol|gabapentin|prednisone|tylenol|advil|synthroid|lasix|plavix|eliquis|zoloft|prozac|lexapro|ozempic)\b",
)
_TAKES = either(
    r"(?:i|he|she)(?:'m| am| is)? (?:currently |already |also )?(?:takes?|taking|on|using)",
    r"(?:tomo|toma|tomando|uso|usa)",
)
_HAS = either(
    r"(?:i|he|she)(?:'ve| have| has|'s)? ?(?:had|have|has|been diagnosed with|a history of)|diagnosed with|history of",
    r"tengo|tiene|padezco(?: de)?|me diagnosticaron",
)
_PATTERNS = {
    "allergies": re.compile(
        r"\b"
        + either(
            r"allergic to|allerg(?:y|ies) (?:to|are|include)|no (?:\w+ ){0,3}allergies",
            r"alergic[oa]s? a|alergia a|(?:sin|no tengo|ninguna) (?:ninguna )?alergias?",
        )
    ),
    "medicines": re.compile(rf"\b(?:{_TAKES}\b.{{0,80}}{_MEDICINE}|my (?:meds|medications?|medicines?) (?:are|include)\b)"),
    "history": re.compile(
        rf"\b(?:{_HAS} (?:an? )?(?:{_ILLNESS}|{_PAST})\b(?! (?:screen|test|check|shot|question|appointment))"
        r"|(?:i'?m|i am|(?:he|she)(?:'?s| is)|soy|es) (?:an? )?(?:type [12] )?(?:diabetic[oa]?|asthmatic|asmatic[oa]|epileptic)\b"
        r"|me (?:operaron|hicieron una (?:cirugia|operacion)))"
    ),
}
_NOT_TOLD = re.compile(
    r"\b(?:worried|afraid|think|wonder|maybe|might|if|test(?:ed)? for|check(?:ed)? for|shots?|allergist|si|creo)\b"
)


_SENTENCE = re.compile(r"[^.;!?\n]+(?:\.(?=\S)[^.;!?\n]*)*[.;!?]?")


def health(text: str) -> tuple[Told, ...]:
    """The sentences that tell of the patient's health, whole. A question, a doubt or a condition tells nothing."""
    found = []
    for match in _SENTENCE.finditer(text):
        low = straight(match[0])
        if low.endswith("?") or _NOT_TOLD.search(low):
            continue
        kind = next((kind for kind, pattern in _PATTERNS.items() if pattern.search(low)), None)
        if kind:
            found.append(Told(kind, match[0].strip()))
    return tuple(found)


def health_kind(said: str) -> str:
    """What an answer to the question about health is about: "allergies", "medicines" or "history"."""
    told = health(said)
    if told:
        return told[0].kind
    return "medicines" if re.search(_MEDICINE, straight(said)) else "history"
