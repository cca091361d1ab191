"""Words that are likely to be heard next, for Twilio's recogniser."""

from __future__ import annotations

from bot.channels.voice.questions import Question
from scheduling_core.clinic_file.schema import ClinicFile

_MOST, _LONGEST = 500, 100  # Twilio's limits
_ALWAYS = {"en": ("person", "representative"), "es": ("persona", "recepción")}
_YES_OR_NO = {"en": ("yes", "no"), "es": ("sí", "no")}
_WISHES = {
    "en": ("book", "move", "cancel", "appointment", "reschedule"),
    "es": ("reservar", "cambiar", "cancelar", "cita", "reprogramar"),
}
_NUMBERS = {"en": ("the first one", "the second one", "option one", "option two"), "es": ("la primera", "la segunda", "opción uno")}
# Classes of words, which the recogniser knows in English: https://www.twilio.com/docs/voice/twiml/gather#hints
_DATES, _CLOCKS, _LETTERS = ("$MONTH", "$DAY", "$YEAR"), ("$TIME", "$DAY", "$MONTH"), ("$OOV_CLASS_ALPHANUMERIC_SEQUENCE",)


def hints(clinic: ClinicFile, question: Question, language: str) -> tuple[str, ...]:
    """The names and times that the open question is about, the likeliest first, then what can be said at any time."""
    lang = "es" if language.startswith("es") else "en"
    english = lang == "en"
    slot = question.slot
    found: list[str] = [] if question.is_ours else list(question.words)
    if slot == "birth_date":
        found += _DATES if english else ()
    elif slot in ("member_id", "detail", "callback_number"):
        found += _LETTERS if english else ()
    elif slot in ("time", "callback_time"):
        found += _CLOCKS if english else ()
    elif slot == "choice":
        found += [*_NUMBERS[lang], *_practitioners(clinic)]
    elif slot in ("service", "cost_service", "anything_else", None):
        found += [*_WISHES[lang], *_services(clinic), *_practitioners(clinic)]
    elif slot == "insurer":
        found += [payer.name for payer in clinic.payers]
    elif slot == "visit":
        found += [*_NUMBERS[lang], *_services(clinic), *_practitioners(clinic)]
    elif slot not in ("name",):
        found += _YES_OR_NO[lang]
    found += _ALWAYS[lang]
    clean = (" ".join(phrase.replace(",", " ").split())[:_LONGEST] for phrase in found)
    return tuple(dict.fromkeys(phrase for phrase in clean if phrase))[:_MOST]


def _practitioners(clinic: ClinicFile) -> list[str]:
    """Names as they are said: without letters behind a comma."""
    return [practitioner.name.split(",")[0] for practitioner in clinic.practitioners]


def _services(clinic: ClinicFile) -> list[str]:
    return [name for service in clinic.services for name in (service.name, *service.aliases)]
