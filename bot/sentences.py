"""What we say to patients without the dialogue: short, speakable, in English and Spanish."""

from __future__ import annotations

from dataclasses import dataclass

import phonenumbers

from scheduling_core.clinic_file.schema import ClinicFile


@dataclass(frozen=True)
class Sentences:
    """Templates with {clinic} and {phone}, the clinic's name and number."""

    opted_out: str
    opted_out_cancel: str
    opted_in: str
    help: str
    empty: str
    picture: str
    picture_too: str
    down: str
    crisis_line: str
    emergency: str | None  # None: the clinic file's own sentence


ENGLISH = Sentences(
    opted_out="{clinic}: you will get no more texts from us. Text START to get them again.",
    opted_out_cancel=(
        "{clinic}: you will get no more texts from us. Our desk will ask you if a visit should be cancelled. "
        "Text START to get texts again."
    ),
    opted_in="{clinic}: you will get our texts again. How can we help?",
    help=(
        "{clinic}: text us to book, move or cancel a visit, or ask a question. "
        "Call {phone} to reach us. Text STOP to get no more texts."
    ),
    empty="We got a text with no words in it. How can we help?",
    picture="Thanks, but we cannot see pictures here. Please tell us in words how we can help.",
    picture_too="We cannot see the picture here.",
    down=(
        "Sorry, our assistant has a problem right now. We kept your message, and our desk will get back to you. "
        "You can also call {phone}."
    ),
    crisis_line="You can call or text 988 at any time.",
    emergency=None,
)

SPANISH = Sentences(
    opted_out="{clinic}: no recibirá más mensajes nuestros. Mande START para recibirlos de nuevo.",
    opted_out_cancel=(
        "{clinic}: no recibirá más mensajes. La recepción le preguntará si quiere cancelar una cita. "
        "Mande START para recibirlos de nuevo."
    ),
    opted_in="{clinic}: recibirá nuestros mensajes de nuevo. ¿En qué le ayudamos?",
    help=(
        "{clinic}: escríbanos para pedir, cambiar o cancelar una cita, o para preguntar. "
        "Llame al {phone}. Mande STOP para no recibir más mensajes."
    ),
    empty="Recibimos un mensaje sin palabras. ¿En qué le ayudamos?",
    picture="Gracias, pero aquí no podemos ver fotos. Díganos con palabras en qué le ayudamos.",
    picture_too="Aquí no podemos ver la foto.",
    down=(
        "Perdón, nuestro asistente tiene un problema. Guardamos su mensaje y la recepción le responderá. "
        "También puede llamar al {phone}."
    ),
    crisis_line="Puede llamar o mandar un texto al 988 a cualquier hora.",
    emergency="Si es una emergencia, llame al 911 ahora. Si piensa en el suicidio, llame o mande un texto al 988.",
)


def say(clinic: ClinicFile, language: str, name: str, **more: str) -> str:
    """The sentence called `name` in the language (English where it is not ours), with the clinic's name and number filled in."""
    sentences = SPANISH if language.lower().startswith("es") else ENGLISH
    template: str | None = getattr(sentences, name)
    if template is None:
        return clinic.emergency.say
    return template.format(clinic=clinic.clinic.name, phone=spoken_number(clinic.clinic.phone), **more)


def spoken_number(phone: str) -> str:
    """+13125550100 as people here write it: (312) 555-0100."""
    parsed = phonenumbers.parse(phone)
    form = phonenumbers.PhoneNumberFormat.NATIONAL if parsed.country_code == 1 else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(parsed, form)
