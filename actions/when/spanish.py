"""Spanish words and phrases about time, without accents, with their letters (`actions.when.words` lists them)."""

from actions.when.english import Entry

_NUMBERS = (
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis diecisiete dieciocho"
    " diecinueve"
    " veinte veintiuno veintidos veintitres veinticuatro veinticinco veintiseis veintisiete veintiocho veintinueve treinta"
)

TENS = {"treinta": 30, "cuarenta": 40, "cincuenta": 50, "sesenta": 60, "setenta": 70, "ochenta": 80, "noventa": 90}


def single_words() -> dict[str, Entry]:
    found: dict[str, Entry] = {word: ("n", number) for number, word in enumerate(_NUMBERS.split())}
    found |= {word: ("n", number) for word, number in TENS.items()}
    found |= {"mil": ("n", 1000), "novecientos": ("n", 900)}
    table: dict[Entry, str] = {
        ("r", 0): "hoy",
        ("r", 1): "manana",
        ("r", -1): "ayer",
        ("P", "morning"): "mananas mananitas",
        ("P", "afternoon"): "tarde tardes",
        ("P", "night"): "noche noches",
        ("P", "early-morning"): "madrugada",
        ("t", 12): "mediodia",
        ("t", 0): "medianoche",
        ("x", None): "proximo proxima proximos proximas siguiente siguientes entrante",
        ("h", None): "este esta estos estas",
        ("l", None): "pasado pasada ultimo ultima",
        ("T", None): "el la los las",
        ("g", None): "ese esa",
        ("A", 1): "un una uno algun alguna",
        ("Y", None): "cualquier cualquiera cada todos todas algunos algunas",
        ("O", None): "de del",
        ("I", None): "en",
        ("~", None): "por para durante",
        ("@", None): "aproximadamente",
        ("2", None): "a al",
        ("G", None): "desde",
        ("U", None): "hasta",
        ("v", None): "entre",
        ("&", None): "y e",
        ("|", None): "o u",
        ("X", None): "excepto salvo menos",
        ("N", None): "no ni nunca",
        ("s", None): "mismo misma",
        ("q", 15): "cuarto",
        ("qh", 30): "media mitad",
        ("C", None): "perdon mejor digo perdone disculpe",
        ("J", None): "naci nacido nacida nacimiento nacio",
        ("j", None): "ahora",
        ("o", 1): "primero primer primera",
        ("o", 2): "segundo segunda",
        ("o", 3): "tercero tercer tercera",
        ("b", None): "temprano principios",
        ("Z", None): "finales fines final fin",
        ("M", None): "mediados",
        ("R", None): "resto",
        ("_", "hace"): "hace",
        ("Σ", "spring"): "primavera",
        ("Σ", "summer"): "verano",
        ("Σ", "fall"): "otono",
        ("Σ", "winter"): "invierno",
        ("few", 3): "varios varias unos unas pocos",
    }
    for entry, names in table.items():
        found |= dict.fromkeys(names.split(), entry)
    return found


PHRASES: dict[Entry, str] = {
    ("W", (0, 1, 2, 3, 4)): "entre semana; dias de semana; dias laborables",
    ("r", 2): "pasado manana",
    ("P", "morning"): "la manana; las mananas; la mananita",
    ("P", "afternoon"): "la tarde; las tardes",
    ("P", "night"): "la noche; las noches",
    ("P", "first-thing"): "a primera hora; primera hora; primera hora de la manana; a primera hora de la manana; primerito",
    ("P", "last-thing"): (
        "a ultima hora; ultima hora; al final del dia; lo mas tarde posible; la ultima cita; la ultima del dia; ultima cita"
    ),
    ("P", "after-work"): (
        "despues del trabajo; despues de trabajar; saliendo del trabajo; al salir del trabajo; despues de mi trabajo"
    ),
    ("P", "after-school"): "despues de la escuela; despues de clases; saliendo de la escuela; despues del colegio",
    ("P", "before-work"): "antes del trabajo; antes de trabajar; antes de entrar a trabajar",
    ("P", "before-school"): "antes de la escuela; antes de clases; antes del colegio",
    ("P", "lunch"): (
        "hora de comida; hora de comer; hora del almuerzo; hora de almuerzo; hora del lunch; la hora de la comida; a la"
        " hora del almuerzo"
    ),
    ("P", "early-morning"): (
        "temprano en la manana; temprano por la manana; muy temprano; la madrugada; por la manana temprano; en la manana temprano"
    ),
    ("P", "late-afternoon"): "tarde en la tarde; al final de la tarde",
    ("tonight", None): "esta noche; hoy en la noche; hoy por la noche",
    ("t", 12): "medio dia; el mediodia; al mediodia; las doce del mediodia; las 12 del mediodia",
    ("t", 0): "media noche",
    ("S", None): (
        "lo antes posible; lo mas pronto posible; cuanto antes; lo mas temprano posible; tan pronto como sea posible; lo"
        " mas antes posible; la primera disponible; la primera cita disponible; lo mas pronto; lo primero que haya; lo"
        " primero que tenga; ya mismo; ahora mismo; la mas pronta; la mas proxima; la primera que haya; la primera que"
        " tenga; la cita mas cercana; lo mas rapido posible"
    ),
    ("V", None): (
        "cuando sea; cuando haya; cuando pueda; cuando puedan; cuando quiera; cuando quieran; cuando tenga; cuando tengan;"
        " cualquier momento; cualquier dia; cualquier hora; cualquier fecha; en cualquier momento; a cualquier hora; da"
        " igual; me da igual; sin preferencia; no tengo preferencia; no importa; no me importa; el dia que sea; a la hora"
        " que sea; cuando gusten; cuando guste; cualquier horario; cuando tenga disponible; cuando haya espacio; lo que"
        " haya; lo que tenga"
    ),
    ("x", None): "que viene; que entra; que sigue",
    ("G", None): "a partir de; a partir del; a partir; comenzando; empezando",
    ("B", None): (
        "antes de; antes del; no mas tarde de; a mas tardar; no despues de; antes que; a mas tardar el; no despues del; no"
        " mas tarde del"
    ),
    ("F", None): (
        "despues de; despues del; luego de; luego del; mas tarde de; no antes de; no antes del; pasadas; pasado las; pasado"
        " el; pasada la; salgo a las; salgo del trabajo a las; sale de la escuela a las; hasta despues de; hasta despues"
        " del; no puedo hasta; no antes que; no puedo antes de"
    ),
    ("I", None): "dentro de; de aqui a; en menos de; menos de",
    ("X", None): (
        "menos el; menos los; que no sea; que no sean; pero no; a excepcion de; excepto el; excepto los; salvo el; salvo"
        " los; aparte de"
    ),
    ("N", None): "no puedo; no puede; no estoy; no tengo; no me sirve; no quiero",
    ("L", None): "mas tarde; despues; mas adelante",
    ("E", None): "mas temprano; antes; mas pronto",
    ("|L", None): "en adelante; o mas tarde; o mas adelante; o posterior; o despues de eso",
    ("|E", None): "o mas temprano",
    ("c", None): "en punto",
    ("@", None): (
        "a las; a la; como a las; como a la; alrededor de; alrededor de las; a eso de las; sobre las; hacia las; cerca de"
        " las; para las; tipo; a eso de la"
    ),
    ("u", "weekend"): "fin de semana; fines de semana; finde; el fin de semana",
    ("wc", None): "la semana del; semana del; la semana de; semana de; la semana que empieza el",
    ("one-after", None): "la siguiente; la otra; la que sigue; la de despues; la semana de despues; la semana despues",
    ("next-but-one", None): "la semana despues de la proxima; semana despues de la proxima; la semana siguiente a la proxima",
    ("that-day", None): "ese dia; ese mismo dia; el mismo dia; mismo dia; esa fecha; la misma fecha",
    ("that-time", None): "misma hora; la misma hora; a la misma hora; esa hora; a esa hora; mismo horario",
    ("day-and-time", None): "mismo dia y hora; el mismo dia y hora; mismo dia y la misma hora; el mismo dia a la misma hora",
    ("that-week", None): "esa semana; esa misma semana; la misma semana",
    ("b", None): (
        "principios de; a principios de; al principio de; al principio del; comienzos de; inicios de; a inicios de; al"
        " inicio de; principio de; principios del"
    ),
    ("Z", None): (
        "finales de; a finales de; fines de; a fines de; al final de; al final del; fin de; a fin de; finales del; final"
        " de; fines del"
    ),
    ("M", None): "mediados de; a mediados de; mitad de; a mitad de; mediados del",
    ("H", "christmas"): "navidad; dia de navidad; la navidad",
    ("H", "christmas-eve"): "nochebuena; noche buena",
    ("H", "new-year"): "ano nuevo; dia de ano nuevo; el ano nuevo",
    ("H", "new-year-eve"): "nochevieja; fin de ano; vispera de ano nuevo",
    ("H", "thanksgiving"): "accion de gracias; dia de accion de gracias; el dia de accion de gracias; dia de gracias",
    ("H", "easter"): "pascua; domingo de pascua; semana santa",
    ("holidays", None): "fiestas; las fiestas; dias festivos; las vacaciones de navidad; navidades; las navidades",
    ("A", 1): "algun; alguna",
    ("J", None): "fecha de nacimiento; nacio el; naci el",
    ("_", "idiom"): (
        "buenos dias; buenas tardes; buenas noches; buen dia; por favor; por telefono; de nada; de parte; por la mano; todo"
        " el dia; todos los dias; cada dia; una pregunta; una cita; un doctor; una doctora; un momento; una vez; la primera"
        " vez; primera vez; por ahora; de hecho; no gracias; segunda opinion; anos de edad; al dia; otro dia"
    ),
    ("C", None): "quiero decir; quise decir; mejor dicho; me equivoque",
}
