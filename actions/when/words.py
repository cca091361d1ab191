"""The words about time, English and Spanish, each under a letter that the grammar's patterns are written in.

Both languages share the letters, so one grammar reads both.

w weekday  W plural weekday  m month  n number  z "one"  o ordinal  t clock  f dotted number  d n/n  e full numeric date  p am/pm
P part of day  r today...  u unit  x next  h this  l last  T the  A a  Y any  O of  I in  @ at  ~ on, for  B before  F after
G from  U until  2 to  - dash  & and  | or  , .  X except  N not  L later  E earlier  S soonest  V whenever  s same  q half, quarter
c o'clock  b early  M middle  Z late, end  H holiday  # a number that is no time  k ago  j now  Q past  R rest  C a correction
v between  J born  g that  Σ season  _ any other word.  Made by rules: a dates  i clock  y window of hours  D duration
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import OSA

Entry = tuple[str, Any]


def words_of(text: str) -> frozenset[str]:
    """The words of a text, to look others up in."""
    return frozenset(text.split())


_WEEKDAYS = {
    0: "monday mon lunes lun",
    1: "tuesday tue tues tu martes",
    2: "wednesday wed weds wensday wendsday wednsday wedensday wenesday miercoles mie mierc",
    3: "thursday thu thur thurs thrusday thursdy jueves jue juev",
    4: "friday fri viernes vie vier",
    5: "saturday sat sabado sab",
    6: "sunday sun domingo dom",
}
_MONTHS = {
    1: "january jan enero ene",
    2: "february feb febuary febrary febrero",
    3: "march mar marzo",
    4: "april apr apirl aprl abril abr",
    5: "may mayo",
    6: "june jun junio",
    7: "july jul julio",
    8: "august aug agosto",
    9: "september sep sept septiembre setiembre",
    10: "october oct octubre",
    11: "november nov novmber noviembre",
    12: "december dec diciembre dic",
}
_UNITS = {
    "second": "seconds secs segundos",
    "minute": "minute minutes min mins minuto minutos",
    "hour": "hour hours hr hrs hora horas h",
    "day": "day days dia dias",
    "workday": "workday workdays weekday weekdays",
    "week": "week weeks week's weeks' wk wks semana semanas",
    "weekend": "weekend weekends wkend wkends",
    "month": "month months mth mths mes meses",
    "year": "year years yr yrs ano anos",
    "fortnight": "fortnight fortnights fortnight's quincena",
}
_NUMBERS_EN = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
).split()
_TENS_EN = {
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fourty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
}
_ORDINALS_EN = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth"
    " seventeenth eighteenth nineteenth twentieth"
).split()
_NUMBERS_ES = (
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis diecisiete dieciocho diecinueve"
    " veinte veintiuno veintidos veintitres veinticuatro veinticinco veintiseis veintisiete veintiocho veintinueve treinta"
).split()
_TENS_ES = {"treinta": 30, "cuarenta": 40, "cincuenta": 50, "sesenta": 60, "setenta": 70, "ochenta": 80, "noventa": 90}

TENS = frozenset(_TENS_EN) | frozenset(_TENS_ES)


def _common() -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    found["m-f"] = ("W", (0, 1, 2, 3, 4))
    for table, letter in ((_WEEKDAYS, "w"), (_MONTHS, "m")):
        for number, names in table.items():
            found |= dict.fromkeys(names.split(), (letter, number))
    for number, names in _WEEKDAYS.items():
        found |= {f"{name}s": ("W", number) for name in names.split() if name.endswith("day") or name in ("sabado", "domingo")}
    for unit, names in _UNITS.items():
        found |= dict.fromkeys(names.split(), ("u", unit))
    return found


def _english() -> dict[str, Entry]:
    found: dict[str, Entry] = {word: ("n", number) for number, word in enumerate(_NUMBERS_EN)}
    found["one"] = ("z", 1)
    found |= {word: ("n", number) for word, number in _TENS_EN.items()}
    found |= {word: ("o", number) for number, word in enumerate(_ORDINALS_EN, 1)}
    found |= {"thirtieth": ("o", 30), "ninteenth": ("o", 19), "twelth": ("o", 12), "eigth": ("o", 8)}
    table: dict[Entry, str] = {
        ("r", 0): "today todays today's 2day",
        ("r", 1): "tomorrow tomorrows tomorrow's tomorow tommorow tommorrow tmrw tmr tmw tomo 2morrow 2moro tomoro tomm",
        ("r", -1): "yesterday",
        ("P", "morning"): "morning mornings mornin",
        ("P", "afternoon"): "afternoon afternoons aft",
        ("P", "evening"): "evening evenings eve",
        ("P", "night"): "night nights nighttime",
        ("P", "lunch"): "lunchtime lunchbreak",
        ("P", "daytime"): "daytime",
        ("P", "dinner"): "dinnertime",
        ("P", "midmorning"): "midmorning",
        ("P", "midafternoon"): "midafternoon",
        ("tonight", None): "tonight tonite 2nite",
        ("t", 12): "noon midday noonish noontime",
        ("t", 0): "midnight",
        ("x", None): "next following upcoming coming nxt subsequent",
        ("h", None): "this current",
        ("l", None): "last previous",
        ("Q", None): "past",
        ("T", None): "the",
        ("g", None): "that",
        ("A", 1): "a an",
        ("Y", None): "any every each either some all",
        ("O", None): "of",
        ("I", None): "in within",
        ("@", None): "at around about @ approximately roughly approx circa near like ard",
        ("~", None): "on for during over",
        ("B", None): "before by",
        ("F", None): "after",
        ("G", None): "from since starting beginning begining",
        ("U", None): "until till til through thru untill",
        ("2", None): "to",
        ("v", None): "between btwn betwen",
        ("&", None): "and n",
        ("|", None): "or",
        ("X", None): "except excluding besides",
        ("N", None): "not no cant cannot dont wont never without unavailable busy avoid isnt doesnt couldnt unable nope",
        ("L", None): "later latter",
        ("E", None): "earlier sooner",
        ("S", None): "asap soonest",
        ("V", None): "whenever anytime",
        ("s", None): "same",
        ("qh", 30): "half",
        ("q", 15): "quarter quarters",
        ("c", None): "oclock clock ish",
        ("b", None): "early start",
        ("M", None): "mid middle",
        ("Z", None): "late end",
        ("k", None): "ago",
        ("j", None): "now",
        ("R", None): "rest remainder",
        ("C", None): "sorry actually instead rather oops correction meant mean wait",
        ("J", None): "born dob birthday birthdate bday",
        ("couple", 2): "couple pair",
        ("few", 3): "few several",
        ("Σ", "spring"): "spring springtime",
        ("Σ", "summer"): "summer summertime",
        ("Σ", "fall"): "fall autumn",
        ("Σ", "winter"): "winter wintertime",
    }
    for entry, names in table.items():
        found |= dict.fromkeys(names.split(), entry)
    return found


def _spanish() -> dict[str, Entry]:
    found: dict[str, Entry] = {word: ("n", number) for number, word in enumerate(_NUMBERS_ES)}
    found |= {word: ("n", number) for word, number in _TENS_ES.items()}
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


# Phrases of several words; each becomes one token. Windows of hours carry their own name, see `calendar.WINDOWS`.
_PHRASES_EN: dict[Entry, str] = {
    ("r", 2): "day after tomorrow; the day after tomorrow; overmorrow",
    ("r", -2): "day before yesterday; the day before yesterday",
    ("S", None): (
        "as soon as possible; as soon as you can; soon as possible; as early as possible; as quickly as possible; earliest possible;"
        " the soonest; first available; the first available; next available; the next available; earliest available; right away;"
        " the earliest; earliest; very soon; first opening; next opening; the first opening; first one available;"
        " soonest available; soonest possible; immediately; a s a p; earliest you have; first appointment available; sooner the better"
    ),
    ("V", None): (
        "any time; any day; any date; whatever works; whatever is available; whatever you have; no preference; any day works; i'm flexible;"
        " im flexible; i am flexible; doesn't matter when; doesnt matter; doesn't matter; does not matter; don't care when; dont care;"
        " i don't care; anything works; anything is fine; any time at all; any time works; makes no difference; open schedule;"
        " at any time; any slot; any appointment; anytime at all"
    ),
    (
        "P",
        "first-thing",
    ): "first thing; first thing in the morning; first thing in the am; crack of dawn; right when you open; when you open",
    (
        "P",
        "last-thing",
    ): "last thing of the day; last thing in the day; as late as possible; the latest you have; latest you have; latest appointment;"
        " the latest appointment; latest slot; latest time; latest possible; end of day; end of the day; end of business; close of business; eod; last appointment of the day",
    (
        "P",
        "after-work",
    ): "after work; after i get off work; after i get off; after office hours; when i get off work; outside work hours",
    ("P", "after-school"): "after school; when school gets out; after school hours; when school lets out; once school is out",
    ("P", "before-work"): "before work; before i go to work; before my shift",
    ("P", "before-school"): "before school; before school starts",
    ("P", "lunch"): (
        "lunch break; lunch hour; lunch time; my lunch; over lunch; during lunch; at lunch; noon hour; around lunch; my lunch break;"
        " on my lunch break; on lunch"
    ),
    ("P", "after-lunch"): "after lunch; after lunchtime; after my lunch break",
    ("P", "before-lunch"): "before lunch; before lunchtime",
    ("P", "after-dinner"): "after dinner; after dinnertime; after supper; after dinner time",
    ("P", "dinner"): "dinner time",
    ("P", "midmorning"): "mid morning; middle of the morning",
    ("P", "midafternoon"): "mid afternoon; middle of the afternoon",
    ("P", "midday-part"): "middle of the day; mid day; mid today",
    ("P", "early-day"): "early in the day; earlier in the day; early on; early in the day on; bright and early",
    ("P", "late-day"): "later in the day; late in the day; later in the afternoon and evening",
    ("P", "late-afternoon"): "later in the afternoon; later afternoon",
    ("P", "late-morning"): "later in the morning; later morning",
    ("P", "early-morning"): "early in the morning; very early; earlier in the morning",
    ("P", "night"): "night time",
    ("t", 0): "mid night; 12 midnight; twelve midnight; 12 at night; twelve at night",
    ("t", 12): "12 noon; twelve noon; high noon; noon time",
    ("c", None): "o clock",
    ("B", None): (
        "prior to; earlier than; sooner than; in advance of; no later than; not later than; at the latest; at latest by; not after;"
        " on or before; ahead of; before or latest on; before or on; by or before; latest by; up to; up until; nothing after; not past;"
        " no later then; anything before; any time before; anytime before"
    ),
    ("F", None): (
        "later than; no earlier than; not earlier than; not before; nothing before; no sooner than; not until; on or after; as early as;"
        " at the earliest; anything after; any time after; anytime after; past the; not till; no earlier then; can't until; cant until;"
        " cannot until; can't come until; can't before; cant before; not sooner than; out until; away until; gone until; busy until;"
        " working until; work until; in school until; not available until; not free until; unavailable until; out of town until;"
        " on vacation until; travelling until; traveling until; not back until; at work until; i get off at; i get out at; get off work at; i finish at; i finish work at; off work at; done at;"
        " done with work at; get home at; get out of work at; get out of school at; gets out of school at; out of school at"
    ),
    ("I", None): "in less than; less than; in under; no more than; in no more than",
    ("G", None): (
        "starting from; starting on; starting with; beginning on; as of; from the; any time from; any day from; anytime from;"
        " week beginning"
    ),
    (
        "wc",
        None,
    ): "w/c; week commencing; week beginning; week beginning on; week starting; week starting on; week of; the week of; wk of",
    ("after-that", None): "after that; after those; after these",
    (
        "b",
        None,
    ): "beginning of; the beginning of; at the beginning of; start of; the start of; first part of; the first part of; early part of; top of",
    ("X", None): (
        "instead of; other than; but not; anything but; anything except; apart from; aside from; any day but; any time but; just not; but no;"
        " any day except; any time except; everything but; every day but; rather not; i would rather not; all but; anything besides"
    ),
    ("N", None): (
        "can't; can not; don't; won't; doesn't work; isn't good; not available; not free; can't do; cant do; don't want; couldn't;"
        " could not; not able; doesn't; isn't; i work on; i work; work on; working on; out of town; away on; no good; i'm away; im away; i am away; we're away; i'll be away; we'll be away; on vacation; i'll be gone;"
        " we'll be gone; i'm gone; on a trip; traveling; travelling; have work; i have class; tied up; not good; won't work; wont work; bad for me"
    ),
    (
        "|L",
        None,
    ): "or later; or afterwards; or after that; and later; and after; and on; and onward; and onwards; and beyond; onward; onwards; on out; on forward; going forward",
    ("|E", None): "or earlier; or sooner; or before that; and earlier; at the latest; latest",
    ("H", "christmas"): "christmas; christmas day; xmas",
    ("H", "christmas-eve"): "christmas eve; xmas eve",
    ("H", "new-year"): "new year's day; new years day; new year day; new year's; new years; new year",
    ("H", "new-year-eve"): "new year's eve; new years eve; new year eve; nye",
    ("H", "thanksgiving"): "thanksgiving; thanksgiving day; turkey day",
    ("H", "black-friday"): "black friday",
    ("H", "cyber-monday"): "cyber monday",
    ("H", "easter"): "easter; easter sunday",
    ("H", "good-friday"): "good friday",
    ("H", "easter-monday"): "easter monday",
    ("H", "independence"): "independence day; july fourth holiday; fourth of july; the fourth of july",
    ("H", "juneteenth"): "juneteenth; freedom day",
    ("H", "memorial"): "memorial day",
    ("H", "labor"): "labor day; labour day",
    ("H", "mlk"): "mlk day; martin luther king day; martin luther king jr day; mlk jr day",
    ("H", "presidents"): "presidents day; president's day; washington's birthday",
    ("H", "columbus"): "columbus day; indigenous peoples day",
    ("H", "veterans"): "veterans day; veteran's day",
    ("H", "valentine"): "valentine's day; valentines day; valentine day; valentine's; valentines",
    ("H", "patrick"): "saint patrick's day; saint patricks day; st patrick's day; st patricks day; st paddys day",
    ("H", "halloween"): "halloween",
    ("H", "mother"): "mother's day; mothers day",
    ("H", "father"): "father's day; fathers day",
    ("H", "groundhog"): "groundhog day; groundhogs day",
    ("H", "earth"): "earth day",
    ("H", "tax"): "tax day",
    ("_", "holiday"): "chinese new year; lunar new year",
    ("holidays", None): "holidays; christmas break; winter break; holiday season",
    ("eom", None): "eom; end of month; end of the month; month end; month's end",
    ("eoy", None): "eoy; end of year; end of the year; year end; year's end; end of this year",
    ("one-after", None): (
        "one after; the one after; one after that; the one after that; the week after that; week after that; the week after; week after;"
        " the following one; the next one; next one after"
    ),
    ("next-but-one", None): "week after next; the week after next; week after the next; two weeks out",
    ("push-later", None): (
        "push it back; push it back by; push back; move it back; move it back by; push it; push it by; push it out; postpone it;"
        " postpone it by; delay it; delay it by; move it later by; push it out by; push back by; postpone; delay; push my appointment back"
    ),
    (
        "push-earlier",
        None,
    ): "move it up; move it up by; bring it forward; bring it forward by; move it forward; move it forward by; move up",
    (
        "that-day",
        None,
    ): "that day; that date; same day; the same day; that same day; the same date; same date; the very same day; that very day",
    ("that-time", None): (
        "same time; the same time; at the same time; that time; that same time; same hour; the same hour; at the same hour; same slot;"
        " same time of day"
    ),
    ("day-and-time", None): "same day and time; same day and same time; the same day and time; same day same time; same day & time",
    ("that-week", None): "that week; that same week; the same week; same week",
    ("that-month", None): "same month; the same month; that month",
    ("_", "idiom"): (
        "on second thought; on second thoughts; second opinion; second time; first time; first visit; second visit; have a good day;"
        " have a nice day; good day; good morning; good afternoon; good evening; good night; happy holidays; happy new year;"
        " merry christmas; day care; the other day; the other night; these days; twice a day; per day; once a day; times a day; at first;"
        " a second; one second; just a second; just a minute; wait a minute; one minute; first name; last name; second name; next door;"
        " next to; next step; next of kin; last time; next time; night sweats; morning sickness; second floor; first floor; third floor;"
        " month old; months old; year old; years old; weeks old; week old; days old; day old; weeks pregnant; months pregnant; one moment;"
        " no thanks; no thank you; no problem; no worries; twenty four seven; around the clock; around the corner; part time; full time;"
        " one on one; one to one; right now; any time soon; anytime soon; how are you today; how are you doing today; help today; you today; on time; no one; talk later; see you later; years ago; months ago; weeks ago; days ago; i mean it;"
        " last visit; last appointment; not yet; not sure; not really; how about; what about; sun screen; would like; i'd like; i like;"
        " like to; like an; you like; don't know; dont know; don't remember; not feeling; no insurance; don't have; dont have; don't need"
    ),
}
_PHRASES_ES: dict[Entry, str] = {
    ("W", (0, 1, 2, 3, 4)): "entre semana; dias de semana; dias laborables",
    ("r", 2): "pasado manana",
    ("P", "morning"): "la manana; las mananas; la mananita",
    ("P", "afternoon"): "la tarde; las tardes",
    ("P", "night"): "la noche; las noches",
    ("P", "first-thing"): "a primera hora; primera hora; primera hora de la manana; a primera hora de la manana; primerito",
    ("P", "last-thing"): "a ultima hora; ultima hora; al final del dia; lo mas tarde posible; la ultima cita; la ultima del dia; ultima cita",
    (
        "P",
        "after-work",
    ): "despues del trabajo; despues de trabajar; saliendo del trabajo; al salir del trabajo; despues de mi trabajo",
    ("P", "after-school"): "despues de la escuela; despues de clases; saliendo de la escuela; despues del colegio",
    ("P", "before-work"): "antes del trabajo; antes de trabajar; antes de entrar a trabajar",
    ("P", "before-school"): "antes de la escuela; antes de clases; antes del colegio",
    (
        "P",
        "lunch",
    ): "hora de comida; hora de comer; hora del almuerzo; hora de almuerzo; hora del lunch; la hora de la comida; a la hora del almuerzo",
    (
        "P",
        "early-morning",
    ): "temprano en la manana; temprano por la manana; muy temprano; la madrugada; por la manana temprano; en la manana temprano",
    ("P", "late-afternoon"): "tarde en la tarde; al final de la tarde",
    ("tonight", None): "esta noche; hoy en la noche; hoy por la noche",
    ("t", 12): "medio dia; el mediodia; al mediodia; las doce del mediodia; las 12 del mediodia",
    ("t", 0): "media noche",
    ("S", None): (
        "lo antes posible; lo mas pronto posible; cuanto antes; lo mas temprano posible; tan pronto como sea posible; lo mas antes posible;"
        " la primera disponible; la primera cita disponible; lo mas pronto; lo primero que haya; lo primero que tenga; ya mismo; ahora mismo;"
        " la mas pronta; la mas proxima; la primera que haya; la primera que tenga; la cita mas cercana; lo mas rapido posible"
    ),
    ("V", None): (
        "cuando sea; cuando haya; cuando pueda; cuando puedan; cuando quiera; cuando quieran; cuando tenga; cuando tengan; cualquier momento;"
        " cualquier dia; cualquier hora; cualquier fecha; en cualquier momento; a cualquier hora; da igual; me da igual; sin preferencia;"
        " no tengo preferencia; no importa; no me importa; el dia que sea; a la hora que sea; cuando gusten; cuando guste;"
        " cualquier horario; cuando tenga disponible; cuando haya espacio; lo que haya; lo que tenga"
    ),
    ("x", None): "que viene; que entra; que sigue",
    ("G", None): "a partir de; a partir del; a partir; comenzando; empezando",
    (
        "B",
        None,
    ): "antes de; antes del; no mas tarde de; a mas tardar; no despues de; antes que; a mas tardar el; no despues del; no mas tarde del",
    ("F", None): (
        "despues de; despues del; luego de; luego del; mas tarde de; no antes de; no antes del; pasadas; pasado las; pasado el; pasada la; salgo a las; salgo del trabajo a las; sale de la escuela a las; hasta despues de;"
        " hasta despues del; no puedo hasta; no antes que; no puedo antes de"
    ),
    ("I", None): "dentro de; de aqui a; en menos de; menos de",
    (
        "X",
        None,
    ): "menos el; menos los; que no sea; que no sean; pero no; a excepcion de; excepto el; excepto los; salvo el; salvo los; aparte de",
    ("N", None): "no puedo; no puede; no estoy; no tengo; no me sirve; no quiero",
    ("L", None): "mas tarde; despues; mas adelante",
    ("E", None): "mas temprano; antes; mas pronto",
    ("|L", None): "en adelante; o mas tarde; o mas adelante; o posterior; o despues de eso",
    ("|E", None): "o mas temprano",
    ("c", None): "en punto",
    (
        "@",
        None,
    ): "a las; a la; como a las; como a la; alrededor de; alrededor de las; a eso de las; sobre las; hacia las; cerca de las; para las; tipo; a eso de la",
    ("u", "weekend"): "fin de semana; fines de semana; finde; el fin de semana",
    ("wc", None): "la semana del; semana del; la semana de; semana de; la semana que empieza el",
    ("one-after", None): "la siguiente; la otra; la que sigue; la de despues; la semana de despues; la semana despues",
    ("next-but-one", None): "la semana despues de la proxima; semana despues de la proxima; la semana siguiente a la proxima",
    ("that-day", None): "ese dia; ese mismo dia; el mismo dia; mismo dia; esa fecha; la misma fecha",
    ("that-time", None): "misma hora; la misma hora; a la misma hora; esa hora; a esa hora; mismo horario",
    ("day-and-time", None): "mismo dia y hora; el mismo dia y hora; mismo dia y la misma hora; el mismo dia a la misma hora",
    ("that-week", None): "esa semana; esa misma semana; la misma semana",
    (
        "b",
        None,
    ): "principios de; a principios de; al principio de; al principio del; comienzos de; inicios de; a inicios de; al inicio de; principio de; principios del",
    (
        "Z",
        None,
    ): "finales de; a finales de; fines de; a fines de; al final de; al final del; fin de; a fin de; finales del; final de; fines del",
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
        "buenos dias; buenas tardes; buenas noches; buen dia; por favor; por telefono; de nada; de parte; por la mano;"
        " todo el dia; todos los dias; cada dia; una pregunta; una cita; un doctor; una doctora; un momento; una vez; la primera vez;"
        " primera vez; por ahora; de hecho; no gracias; segunda opinion; anos de edad; al dia; otro dia"
    ),
    ("C", None): "quiero decir; quise decir; mejor dicho; me equivoque",
}


# Meanings with a long name get one letter too, so that a sentence stays one letter a piece.
_LETTERS = {
    "wc": "ω", "one-after": "ε", "next-but-one": "ν", "tonight": "τ", "qh": "ħ", "couple": "κ", "few": "φ", "|L": "λ", "|E": "ξ",
    "that-day": "δ", "that-time": "θ", "day-and-time": "ψ", "that-week": "ς", "that-month": "μ", "after-that": "α", "push-later": "π",
    "push-earlier": "ρ", "holidays": "η", "eom": "ο", "eoy": "υ",
}  # fmt: skip


def _phrases(table: dict[Entry, str]) -> dict[str, dict[tuple[str, ...], Entry]]:
    """First word -> the phrases that start with it, as words."""
    found: dict[str, dict[tuple[str, ...], Entry]] = {}
    for entry, names in table.items():
        for name in names.split(";"):
            words = tuple(name.split())
            if not words:
                continue
            found.setdefault(words[0], {})[words] = (_LETTERS.get(entry[0], entry[0]), entry[1])
    return found


_COMMON = _common()
_WORDS = {
    language: {word: (_LETTERS.get(letter, letter), value) for word, (letter, value) in table.items()}
    for language, table in ((False, _COMMON | _english()), (True, _COMMON | _english() | _spanish()))
}
_STARTS = {False: _phrases(_PHRASES_EN), True: _phrases(_PHRASES_EN)}
for _first, _entries in _phrases(_PHRASES_ES).items():
    _STARTS[True].setdefault(_first, {}).update(_entries)
_LONGEST = max(len(words) for starts in _STARTS[True].values() for words in starts)

# Words that only Spanish has; two of them, or one in a short text, make it Spanish.
SPANISH_ONLY = words_of(
    "el los las la una de del por para con cita quiero necesito semana manana lunes martes miercoles jueves viernes sabado domingo hoy"
    " tarde noche enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre antes despues entre hasta"
    " desde cualquier dia mes ano proxima proximo siguiente puede puedo tiene hay cuando lo y mi gracias favor mejor que es nacio naci"
    " dentro nacimiento pasado principios finales mediodia temprano posible semanas hora primera primer segunda segundo ultima dos tres cuatro"
    " cinco seis siete ocho nueve diez doce esta este tardes mananas noches ahora mas cualquiera ese misma mismo menos horas minutos dias meses"
)
ENGLISH_ONLY = words_of(
    "the i to of on at for is and or my can you please in it want need like before after next this week day morning afternoon with"
)

# What a misspelled word may be meant as. Short words are left alone: one letter away lies another word.
_SPELLED = [
    *(f"{d}{s}" for d in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday") for s in ("", "s")),
    *"january february august september october november december tomorrow morning mornings afternoon afternoons evening tonight".split(),
    *"thanksgiving christmas noviembre diciembre septiembre miercoles proxima siguiente earliest anytime whenever".split(),
]
_NO_TYPOS = words_of(
    "monthly sunny mourning warning meeting moving sundae money tuesdays saturated someday today's weekday sundays seeming even leaving whatever wherever forever"
    " morning's proximal"
)


def find(words: list[str], at: int, *, spanish: bool) -> tuple[Entry, int] | None:
    """The meaning of the longest known phrase that starts at `at`, and how many words it takes."""
    if phrases := _STARTS[spanish].get(words[at]):
        for count in range(min(_LONGEST, len(words) - at), 0, -1):
            if entry := phrases.get(tuple(words[at : at + count])):
                return entry, count
    entry = _WORDS[spanish].get(words[at])
    return (entry, 1) if entry else None

# Behind one of these, "from ... to ..." is no range: the second is wanted.
MOVES = words_of("move moved moving change changed changing reschedule rescheduled switch switched push cambiar mover pasar cambiarla moverla")


@lru_cache(maxsize=4096)
def corrected(word: str) -> str | None:
    """The word about time that a misspelled `word` was meant as, or None."""
    if len(word) < 6 or len(word) > 14 or word in _NO_TYPOS:
        return None
    best = process.extractOne(word, _SPELLED, scorer=OSA.distance, score_cutoff=1 if len(word) < 8 else 2)
    return best[0] if best and best[0][0] == word[0] else None
