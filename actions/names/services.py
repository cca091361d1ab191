"""What patients call services: by the clinic's own names, in Spanish, by one telling word; and those of children."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from actions.names.phrases import Phrases, Words, words
from actions.words import Token, listed, tokens
from scheduling_core.clinic_file.schema import ClinicFile, ServicePart

# What common kinds of visits are called in Spanish, by the English words that a clinic file uses for them.
_SPANISH_NAMES = {
    "follow up": "seguimiento, control, revision, cita de seguimiento, cita de control",
    "physical": "examen fisico, chequeo, chequeo anual, examen anual, fisico anual, revision anual",
    "new patient": "paciente nuevo, paciente nueva, primera visita, primera cita, primera vez, nuevo paciente",
    "sick visit": "enfermo, enferma, gripe, resfriado, dolor de garganta, me siento mal, tos, fiebre",
    "well child": "chequeo del nino, chequeo de mi hijo, chequeo de mi hija, control del nino, chequeo del bebe, nino sano",
    "vaccine": "vacuna, vacunas, vacunarme, vacunar, vacuna de la gripe, vacuna contra la gripe, inyeccion",
    "vaccination": "vacuna, vacunas, vacunacion, vacunarme, vacunar, vacuna contra la gripe, vacunarme contra la gripe",
    "blood draw": "analisis de sangre, examen de sangre, prueba de sangre, laboratorio, analisis, sacar sangre",
    "skin": "quitar un lunar, lunar, biopsia de piel, verruga, quiste",
    "women's health": "papanicolau, papanicolaou, ginecologia, ginecologo, salud de la mujer, citologia",
    "pap smear": "papanicolau, papanicolaou, citologia",
}

# words of services' names that tell no service from another
_TOO_PLAIN = listed(
    "visit appointment annual yearly minor care health first patient feeling same back check removal",
    "year years week today tomorrow soon time work call phone video doctor nurse need book schedule this that with your good",
    "woman women female male well young child blood pressure sangre",
    "cita visita paciente primera hijo hija",
)


def forms(service: ServicePart) -> Iterator[Words]:
    """Every way to say a service."""
    for name in (service.name, *service.aliases, service.id.replace("-", " ")):
        whole = words(name)
        yield whole
        yield tuple(word for word in whole if word not in ("visit", "appointment", "exam"))
        yield from _in_spanish(" ".join(whole))


def _in_spanish(name: str) -> Iterator[Words]:
    for english, spanish in _SPANISH_NAMES.items():
        if english in name:
            yield from map(words, spanish.split(", "))


def by_telling_word(said: Sequence[Token], phrases: Phrases) -> tuple[str, ...]:
    """Services told by one word that stands in the names of no other service ("mole" where a clinic removes moles)."""
    owners: dict[str, set[str]] = {}
    for form, service in phrases:
        for word in form:
            if _is_telling(word):
                owners.setdefault(_singular(word), set()).add(service)
    owned = [owners.get(_singular(token.plain), set()) for token in said]
    return tuple(dict.fromkeys(service for services in owned if len(services) == 1 for service in services))


def for_child(clinic: ClinicFile, service_id: str, text: str) -> str:
    """The service for children that the words mean as well ("checkup" of a four-year-old), else the same service."""
    service = clinic.services_by_id[service_id]
    if _is_for_children(service):
        return service_id
    named = {word for word in _singulars(text, service.name) if _is_telling(word)}
    for other in clinic.services:
        if _is_for_children(other) and named & _singulars(other.name, *other.aliases):
            return other.id
    return service_id


def _is_for_children(service: ServicePart) -> bool:
    return bool(service.ages and service.ages.oldest is not None and service.ages.oldest < 18)


def _is_telling(word: str) -> bool:
    return len(word) >= 4 and word not in _TOO_PLAIN


def _singulars(*texts: str) -> set[str]:
    return {_singular(token.plain) for text in texts for token in tokens(text)}


def _singular(word: str) -> str:
    return word.rstrip("s")
