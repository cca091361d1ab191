"""Plain forms of words, shared by all that reads patients' sentences."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")


@dataclass(frozen=True)
class Token:
    """One word: its plain form, and where it stands in the text."""

    plain: str
    start: int
    end: int


def plain(text: str) -> str:
    """Lower case without accents; every character keeps its place."""
    return "".join(_plain_character(character) for character in text)


def _plain_character(character: str) -> str:
    base = unicodedata.normalize("NFKD", character)[:1].lower()
    return base if len(base) == 1 else character


def tokens(text: str) -> list[Token]:
    low = plain(text)
    return [Token(match[0].replace("’", "'"), match.start(), match.end()) for match in _TOKEN.finditer(low)]


def is_spanish(text: str) -> bool | None:
    """Whether the words are Spanish; None when they do not tell (a number, a name, "ok")."""
    said = [token.plain for token in tokens(text)]
    spanish = sum(word in _SPANISH for word in said) + ("¿" in text or "¡" in text) + len(re.findall(r"[ñÑ]", text))
    english = sum(word in _ENGLISH for word in said)
    if spanish == english:
        return None
    return spanish > english


_SPANISH = frozenset(
    """hola buenos buenas dias tardes noches gracias por favor quiero quisiera necesito tengo tiene hacer una cita citas con el la los las
    del al mi su es para que cual cuando donde como puedo puede cambiar cancelar mover manana hoy ayer lunes martes miercoles jueves viernes
    sabado domingo enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre si soy estoy hijo hija madre
    padre esposa esposo paciente nuevo nueva seguro medico doctora dolor me duele mucho no se quien hablo habla espanol persona alguien
    cualquier cualquiera dia semana proxima siguiente despues antes de tarde temprano primera vez visita seguimiento nacimiento nombre llamo
    vale bueno esta bien usted ustedes hay tengo llegar tarde vacuna examen sangre y o un pero ese esa eso ella hora horas puedo respirar""".split()
)
_ENGLISH = frozenset(
    """the a an i i'm i'd you your my me we is are was be to for with at on in of and or not can could would like need want have has do does
    this that it it's appointment visit please thanks thank hi hello when what where who how day week morning afternoon next today tomorrow
    monday tuesday wednesday thursday friday saturday sunday book cancel move change reschedule doctor yes yeah no ok okay time any from after
    before be there will see come make get just about""".split()
)
