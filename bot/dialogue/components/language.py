"""Which of our two languages a sentence is in, told by its small words."""

import re
import unicodedata

from components.words import plain

# Without accents, as they are compared. The particles of names (de la Cruz) and "hay" (hay fever) tell nothing.
_SPANISH = frozenset(
    """
    hola buenos buenas dias tardes noches gracias por favor quiero quisiera necesito tengo tiene tienen hacer una cita
    citas con el mi su es para que cual cuando donde como puedo puede cambiar cancelar mover manana hoy ayer lunes
    martes miercoles jueves viernes sabado domingo enero febrero marzo abril mayo junio julio agosto septiembre octubre
    noviembre diciembre si soy estoy hijo hija madre padre esposa esposo paciente nuevo nueva seguro medico doctora
    dolor duele mucho quien hablo habla espanol persona alguien cualquier cualquiera dia semana proxima siguiente
    despues antes tarde temprano primera vez visita seguimiento nacimiento nombre llamo bueno esta bien usted ustedes
    llegar vacuna examen sangre pero ese esa eso ella hora horas respirar ninguna ninguno otro otra prefiero adios claro
    correcto correo direccion telefono numero hasta entre desde esto estas tambien aqui ahora nada todo muy mas ya
    quieren aceptan abren estan cuanto cuesta mande algun alguna fue sido sera pueden tarjeta receta cuales
    """.split()  # noqa: SIM905
)
_ENGLISH = frozenset(
    """
    the a an i i'm i'd i'll you your my we is are was be to for with at on in of and or not can could would like need
    want have has had do does this that it it's appointment visit please thanks thank hi hello when what where who how
    day week morning afternoon next today tomorrow monday tuesday wednesday thursday friday saturday sunday book cancel
    move change reschedule doctor yes yeah ok okay time any from after before there will see come make get just about
    first last name born
    """.split()  # noqa: SIM905
)
# Words of both tongues count for neither.
_BOTH = _SPANISH & _ENGLISH | {"no", "me", "a", "doctor", "dr", "video"}


def language_of(text: str) -> str | None:
    """ "en" or "es"; None where the words do not tell: a number, a name, "ok"."""
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", plain(text)) if not unicodedata.combining(letter))
    said = re.findall(r"[a-z']+", bare)
    spanish = sum(word in _SPANISH and word not in _BOTH for word in said) + len(re.findall(r"[ñÑ¿¡]", text))
    english = sum(word in _ENGLISH and word not in _BOTH for word in said)
    if spanish == english:
        return None
    return "es" if spanish > english else "en"
