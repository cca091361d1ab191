"""All that a text names of a clinic."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from actions.names import complaints, phrases, practitioners, services
from actions.names.phrases import Phrases
from actions.words import tokens
from scheduling_core.clinic_file.schema import ClinicFile


@dataclass(frozen=True)
class Mentions:
    """Ids of what a text names, best match first.

    `doubtful` practitioners were matched by sound or spelling so loosely that the patient should be asked; `unknown_practitioner`
    is a name with a title that nobody here has. `complaint`: sickness in general words, for the clinic's urgent service.
    """

    services: tuple[str, ...] = ()
    practitioners: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    unknown_practitioner: str | None = None
    payers: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    complaint: bool = False


def mentioned(clinic: ClinicFile, text: str) -> Mentions:
    """What `text` names. Of overlapping matches the better, then the longer one counts."""
    said = tokens(text)
    index = _index(id(clinic), _Clinic(clinic))
    people = practitioners.found(clinic, said, text)
    return Mentions(
        services=phrases.found(said, index.services) or services.by_telling_word(said, index.services),
        practitioners=people.sure,
        doubtful=people.doubtful,
        unknown_practitioner=people.unknown,
        payers=phrases.found(said, index.payers),
        locations=phrases.found(said, index.locations),
        complaint=complaints.found(text),
    )


@dataclass(frozen=True)
class _Index:
    services: Phrases
    payers: Phrases
    locations: Phrases


@dataclass(frozen=True)
class _Clinic:
    """A clinic for a cache that goes by its identity: held, so that the identity stays its own, but never compared or hashed."""

    clinic: ClinicFile = field(compare=False)


@lru_cache(maxsize=8)
def _index(identity: int, holder: _Clinic) -> _Index:
    clinic = holder.clinic
    return _Index(
        services=phrases.index((service.id, services.forms(service)) for service in clinic.services),
        payers=phrases.index((payer.id, map(phrases.words, (payer.name, *payer.aliases))) for payer in clinic.payers),
        locations=phrases.index(
            (place.id, map(phrases.words, (place.name, *place.aliases, place.id.replace("-", " ")))) for place in clinic.locations
        ),
    )
