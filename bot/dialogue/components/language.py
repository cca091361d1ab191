"""Which of our two languages a sentence is in, told by its small words."""

import re

from components.embedding import plain

_SPANISH = frozenset(
    """hola buenos buenas dias tardes noches gracias por favor quiero quisiera necesito tengo tiene tienen hacer una cita citas con el los las
    del al mi su es para que cual cuando donde como puedo puede cambiar cancelar mover manana hoy ayer lunes martes miercoles jueves viernes
    sabado domingo enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre si soy estoy hijo hija madre
    padre esposa esposo paciente nuevo nueva seguro medico doctora dolor duele mucho se quien hablo habla espanol persona alguien
    cualquier cualquiera dia semana proxima siguiente despues antes de tarde temprano primera vez visita seguimiento nacimiento nombre llamo
    vale bueno esta bien usted ustedes hay llegar vacuna examen sangre y o pero ese esa eso ella hora horas respirar ninguna ninguno otro otra
    prefiero quisiera adios claro correcto correo direccion telefono numero la le lo un sin hasta entre desde""".split()
)
_ENGLISH = frozenset(
    """the a an i i'm i'd i'll you your my we is are was be to for with at on in of and or not can could would like need want have has had do does
    this that it it's appointment visit please thanks thank hi hello when what where who how day week morning afternoon next today tomorrow
    monday tuesday wednesday thursday friday saturday sunday book cancel move change reschedule doctor yes yeah ok okay time any from after
    before be there will see come make get just about or first last name born""".split()
)
# Words of both tongues count for neither.
_BOTH = _SPANISH & _ENGLISH | {"no", "me", "a", "doctor", "dr", "video"}


def language_of(text: str) -> str | None:
    """"en" or "es"; None where the words do not tell: a number, a name, "ok"."""
    said = re.findall(r"[a-z']+", plain(text))
    spanish = sum(word in _SPANISH and word not in _BOTH for word in said) + len(re.findall(r"[ñÑ¿¡]", text))
    english = sum(word in _ENGLISH and word not in _BOTH for word in said)
    if spanish == english:
        return None
    return "es" if spanish > english else "en"
