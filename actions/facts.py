"""What else a sentence tells: yes or no, a choice, a person's name, for whom, a member number, an address, wishes about whom and how."""

from __future__ import annotations

import re
from dataclasses import dataclass

import phonenumbers

from actions.words import plain, tokens

# yes and no

_YES = re.compile(
    r"^\W*(?:(?:oh|ok|okay|well|um+|perfect|great|hi|hello|thanks?|thank you|please|and|so)\W+)*"
    r"(?:y|ya|ye|yes+|yeah?|yea|yep|yup|yess+|sure|correct|right|exactly|absolutely|definitely|of course|affirmative|ok|okay|okey|k|kk|"
    r"fine|perfect|great|good|sounds (?:good|great|fine|right|perfect)|that(?:'s| is|s) (?:right|correct|fine|good|great|perfect|it|me|the one|ok(?:ay)?)|"
    r"that works|works(?: for me)?|(?:please )?(?:do|go ahead|book it|book that|confirm(?: it)?|do it|do that|take it)|i(?:'ll| will) take (?:it|that)|"
    r"let's do (?:it|that)|lets do (?:it|that)|it is|i do|i am|si+|sip|claro|correcto|exacto|de acuerdo|esta bien|vale|bueno|por supuesto|perfecto|asi es|"
    r"confirmo|adelante|listo|dale|me parece bien|👍|✅|👌)(?:\W|$)"
)
_NO = re.compile(
    r"^\W*(?:(?:oh|ok|okay|well|um+|hi|sorry|actually|hmm+|and|so)\W+)*"
    r"(?:no+|nope|nah|n|not (?:really|that|quite|right|correct|good|yet|now)|don't|dont|do not|wrong|incorrect|that(?:'s| is|s) (?:not|wrong)|"
    r"never ?mind|neither|none|nada|ningun[oa]?|no gracias|negative|👎)(?:\W|$)"
)
_NO_INSIDE = re.compile(
    r"\b(?:no wait|don't (?:cancel|book|move|do)|dont (?:cancel|book|move|do)|do not (?:cancel|book|move)|keep it|keep my|leave it|no la cancele|no lo cancele|"
    r"changed my mind|doesn't work|does not work|won't work|doesnt work|none of (?:those|these|them)|no me sirve|ninguna de)\b"
)


def yes_or_no(text: str) -> bool | None:
    """True, False, or None where the words are neither."""
    low = plain(text).replace("’", "'")
    if _NO_INSIDE.search(low) or _NO.match(low):
        return False
    return True if _YES.match(low) else None


# choices

_ORDINALS = {
    **dict.fromkeys(("first", "1st", "one", "primero", "primera", "uno", "una"), 1),
    **dict.fromkeys(("second", "2nd", "two", "segundo", "segunda", "dos"), 2),
    **dict.fromkeys(("third", "3rd", "three", "tercero", "tercera", "tres"), 3),
    **dict.fromkeys(("fourth", "4th", "four", "cuarto", "cuarta", "cuatro"), 4),
    **dict.fromkeys(("fifth", "5th", "five", "quinto", "quinta", "cinco"), 5),
}
_CHOICE = re.compile(
    r"^\W*(?:(?:ok|okay|yes|yeah|sure|great|perfect|hmm|um|well|si|claro|oh sure|let me think|please|thanks|so)\W+)*"
    r"(?:i(?:'ll| will| would|'d)? ?(?:take|like|want|choose|pick|prefer|go (?:with|for))?\W*|let's do |lets do |book |give me |quiero |prefiero |can i (?:have|get|do) )?"
    r"(?:the |number |option |no\.? ?|nr\.? ?|# ?|choice |la |el |opcion |numero |press )*"
    r"(?P<number>\d|first|second|third|fourth|fifth|1st|2nd|3rd|4th|5th|one|two|three|four|five|primer[oa]|segund[oa]|tercer[oa]|cuart[oa]|quint[oa]|uno|una|dos|tres|cuatro|cinco)"
    r"(?: ?(?:one|option|time|slot|appointment|opcion|cita))?"
    r"(?:\W+(?:please|pls|thanks|thank you|works|is (?:good|fine|great|perfect)|sounds (?:good|great)|por favor|gracias|works for me|sorry.*|thanks for.*))*\W*$"
)


def choice(text: str, count: int) -> int | None:
    """The number of an option out of `count`, 1 to `count`; None where the words choose none."""
    low = plain(text).replace("’", "'").strip()
    if re.fullmatch(r"\W*(?:the )?(?:last|latest|ultim[oa]|la ultima|el ultimo)(?: one)?\W*(?:please)?\W*", low):
        return count
    if not (match := _CHOICE.match(low)):
        return None
    number = int(match["number"]) if match["number"].isdigit() else _ORDINALS.get(match["number"], 0)
    return number if 1 <= number <= count else None


# for whom

_RELATIONS = {
    "son": "son boy hijo nino",
    "daughter": "daughter girl hija nina",
    "child": "child kid baby toddler newborn infant bebe",
    "mother": "mother mom mum mama mommy madre",
    "father": "father dad papa daddy padre",
    "wife": "wife esposa mujer",
    "husband": "husband esposo marido",
    "partner": "partner boyfriend girlfriend fiance fiancee pareja novio novia",
    "grandmother": "grandmother grandma granny abuela",
    "grandfather": "grandfather grandpa abuelo",
    "grandchild": "grandson granddaughter grandchild grandkid nieto nieta",
    "sister": "sister hermana",
    "brother": "brother hermano",
    "friend": "friend neighbor neighbour aunt uncle cousin niece nephew roommate amigo amiga vecino vecina tia tio primo prima sobrino sobrina",
}
_RELATION_OF = {word: relation for relation, some in _RELATIONS.items() for word in some.split()}
CHILDREN = frozenset({"son", "daughter", "child", "grandchild"})
_REL = "|".join(sorted(_RELATION_OF, key=len, reverse=True))
_FOR_OTHER = re.compile(
    rf"\b(?:for|about|see|seen|bring(?:ing)?|para|de|sobre|cancel|move|reschedule|book|schedule|on behalf of|calling for|patient is|meant|mean)\s+(?:that\s+one\s+for\s+)?(?:my|our|the|mi|mis|nuestro|nuestra)\s+"
    rf"(?:\d+ ?(?:year|yr|month|week)s? ?-?old\s+|little\s+|oldest\s+|youngest\s+|new\s+|elderly\s+|late\s+)*(?P<a>{_REL})\b(?!'s (?:name|insurance|doctor))"
    rf"|\b(?:my|our|mi|nuestra|nuestro)\s+(?:\d+ ?(?:year|yr|month|week)s? ?-?old\s+|little\s+|oldest\s+|youngest\s+|elderly\s+)*(?P<b>{_REL})(?:\s+[^\W\d]+){{0,2}}?\s+"
    rf"(?:needs?|has|is|was|wants?|would|could|can(?!')|should|got|hurt|isn't|hasn't|feels?|woke|keeps|needed|fell|also|necesita|tiene|esta|quiere|'s)\b(?!\s+(?:sick of|gave|told|said))"
    rf"|\b(?:my|our|mi)\s+(?P<c>{_REL})(?:\s+[^\W\d]+){{0,2}}?'s?\s+(?:\w+\s+){{0,2}}(?:appointment|visit|checkup|check-up|physical|shot|shots|vaccine|appt)"
    rf"|^\W*(?:(?:it's|its|it is|es|no|yes|actually|sorry)\W+)*(?:for |para )?(?:my|our|mi)\s+(?P<d>{_REL})(?:[\s,]+(?!(?:can|says|said|thinks|told|will|is|was|sees|wrote|loves)\b)[^\W\d]+){{0,3}}\W*$"
)
_FOR_SELF = re.compile(
    r"\b(?:(?<!down )(?<!it )(?<!that )for me\b|for myself|it's me\b|its me\b|myself|i am the patient|i'm the patient|para mi\b(?!\s+\w*(?:hij|espos|madre|padre|mam|pap|abuel|herman))|soy yo|first for me)"
)


def relation(text: str) -> str | None:
    """Whom the visit is for: "self", a word of _RELATIONS, or None where the text does not say."""
    low = plain(text).replace("’", "'")
    if _FOR_SELF.search(low) and not re.search(r"\bnot for me\b", low):
        return "self"
    if match := _FOR_OTHER.search(low):
        return _RELATION_OF[next(group for group in match.groups() if group)]
    return None


# people's names


@dataclass(frozen=True)
class PersonName:
    given: str
    family: str

    @property
    def full(self) -> str:
        return f"{self.given} {self.family}".strip()


_WORD = r"[^\W\d_]+(?:['’.-][^\W\d_]+)*\.?"
_NAME = rf"{_WORD}(?:\s+{_WORD}){{0,4}}"
_CAPITAL = r"[^\W\d_a-zß-öø-ÿ][\w'’.-]*"
_CAPITAL_NAME = rf"{_CAPITAL}(?:\s+(?:(?:de|del|la|las|los|van|von|der|den|bin|al|da|dos|y)\s+)*{_CAPITAL}){{1,3}}"
_INTRODUCED = re.compile(
    rf"(?:\bmy\s+(?:full\s+)?name(?:'s|’s| is)|\bi'?m\b|\bi’m\b|\bi am|\bthis is|\bpatient is(?:\s+my\s+\w+)?|\bname\s*:|\bme llamo|\bmi nombre es|\bsoy|\bhis name is|\bher name is|\btheir name is)\s+(?P<name>{_CAPITAL_NAME})",
)
_PATIENT_IS = re.compile(
    rf"(?i:patient is(?:\s+(?:my|our)\s+\w+)?|for my \w+|my (?:{_REL})|name is|se llama|para mi \w+|mi (?:{_REL}))[,:]?\s+(?P<name>{_CAPITAL_NAME})"
)
_LEAD = re.compile(
    r"^(?:(?:hi|hello|hey|oh|ok|okay|sure|yes|yeah|well|um+|let me think|ok so|so|hola|si|claro|thanks|of course)\b[\s,.!…-]*)*"
    r"(?:my (?:full |legal )?name(?:'s|’s| is)?|the (?:patient'?s? )?name is|the patient is|it'?s|it’s|it is|this is|i'?m|i’m|i am|name|his name is|her name is|"
    r"full name|first and last name|me llamo|mi nombre es|el nombre es|su nombre es|soy|es|se llama|for|para|under)?[\s:,-]*",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"(?:[\s,.;!-]+(?:thanks?(?: you)?(?: for.*)?|please|gracias|por favor|here|sir|ma'?am|speaking|sorry.*|born.*|dob.*|date of birth.*|nacid[oa].*|and .*|y mi .*|"
    r"is (?:my|his|her|the) name.*))+[\s.!]*$",
    re.IGNORECASE,
)
_NOT_A_NAME = frozenset(
    """yes no ok okay sure why what when where who how hi hello appointment visit doctor dr tomorrow today monday tuesday wednesday thursday friday saturday
    sunday morning afternoon the a an i you it for new patient already been never first time need want cancel book move please thanks thank
    not don't dont know can help si gracias hola cita nuevo paciente not telling rather skip none insurance stop have there is are my your calling about
    birthday birth date enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre lunes martes miercoles jueves viernes
    sabado domingo january february march april june july august september october november december either any anyone""".split()
)


def person_name(text: str, *, asked: bool) -> PersonName | None:
    """A person's first and last name. `asked`: the name was asked for, so that bare words are one; else it must be introduced.

    Of "I'm Ann Roe. The patient is my son Leo Roe" the patient's name counts.
    """
    for pattern in (_PATIENT_IS, _INTRODUCED):
        if found := [match for match in pattern.finditer(_case_blind(text))]:
            if name := _split(found[-1]["name"]):
                return name
    if not asked:
        return None
    rest = re.sub(r"\d[\d/.,-]*(?:st|nd|rd|th)?", ",", text)
    pieces = [piece for piece in re.split(r"[,;\n]|\s-\s|\.\s", rest) if piece.strip()]
    for piece in pieces:
        bare = _TAIL.sub("", _LEAD.sub("", piece.strip())).strip(" .!,\"'“”")
        bare = re.sub(
            rf"(?i)^(?:(?:it'?s|is)?\s*(?:for\s+)?(?:my|mi)\s+(?:{_REL})\b[\s,:]*(?:is |named |called )?)", "", bare
        ).strip()
        if bare and re.fullmatch(_NAME, bare) and (name := _split(bare)):
            return name
    return None


def _case_blind(text: str) -> str:
    """Introductions in any case; the name itself keeps its capitals."""
    return re.sub(
        r"(?i)\b(my (?:full )?name(?:'s|’s| is)|i'?m|i’m|i am|this is|patient is|name:|me llamo|mi nombre es|soy|his name is|her name is)\b",
        lambda m: m[0].lower(),
        text,
    )


def _split(name: str) -> PersonName | None:
    words = [word.strip(".,") for word in name.split() if word.strip(".,")]
    low = [plain(word) for word in words]
    if (
        len(words) < 2
        or low[0] in ("de", "del", "la", "el", "y")
        or len(words) > 5
        or sum(word in _NOT_A_NAME for word in low) > 0
        or any(len(word) > 30 for word in words)
    ):
        return None
    words = [
        word if word != word.lower() and word != word.upper() else "-".join(p.capitalize() for p in word.split("-"))
        for word in words
    ]
    return PersonName(" ".join(words[:-1]), words[-1])


def first_name_after_relation(text: str) -> str | None:
    """ "my son Leo" gives Leo."""
    match = re.search(rf"(?i:\b(?:my|our|mi)\s+(?:{_REL})),?\s+({_CAPITAL})", text)
    name = re.sub(r"['’]s$", "", match[1]) if match else ""
    return name if name and plain(name) not in _NOT_A_NAME else None


def says_new(text: str) -> bool | None:
    """Whether the patient says to be new here (True), known here (False), or neither (None)."""
    low = plain(text).replace("’", "'")
    if re.search(
        r"\b(?:already (?:a )?patient|a patient (?:of yours|here|there) already|patient of yours|been (?:there|here|to your|with you|a patient|seen)|established|existing patient|current patient|returning|ya soy paciente|he (?:ido|venido|estado)|long ?time patient|i'm a patient\b|not new|not my first)",
        low,
    ) and not re.search(
        r"\bnever been|not been|haven't been|hasn't been|has not been|have not been|no he (?:ido|venido|estado)", low
    ):
        return False
    if re.search(
        r"\b(?:new patient|i'm new|im new|i am new|new here|never been|not been (?:there|here)|haven't been|hasn't been|has not been|have not been|first (?:time|visit|appointment)\b(?! available)|become a patient|new to (?:the|your)|take new patients|taking new patients|"
        r"accepting new|just moved|paciente nuev[oa]|nuev[oa] paciente|soy nuev[oa]|primera vez|primera visita|primera cita|establish care|get established|need a (?:new )?(?:primary|doctor\b(?! (?:visit|appointment))))",
        low,
    ):
        return True
    return None


# numbers and addresses


def member_id(text: str, *, asked: bool) -> str | None:
    """An insurance member number: letters and digits together, at least five, "X O F 4 4 0" spelled included. Upper case, no blanks or dashes."""
    low = re.sub(r"(?i)^.*?\b(?:member|id|number|numero|#)\b[\s:#]*(?:is|es)?[\s:#]*", "", text) if asked else text
    spelled = re.sub(r"(?<=\b[A-Za-z0-9])[\s-]+(?=[A-Za-z0-9]\b)", "", low)
    for candidate in (low, spelled, text):
        for match in re.finditer(r"\b(?=[A-Za-z0-9-]*\d)[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*\b", candidate):
            value = match[0].replace("-", "").upper()
            if (
                len(value) >= 6
                and sum(c.isdigit() for c in value) >= 3
                and (asked or re.search(r"[A-Z]", value))
                and not re.fullmatch(r"\d{1,2}[-/]\d{1,2}[-/]\d{2,4}", match[0])
            ):
                return value
    return None


def email(text: str) -> str | None:
    match = re.search(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", text)
    if match:
        return match[0].rstrip(".").lower()
    spoken = re.search(r"([\w.]+(?: dot \w+)*) at (\w+(?: dot \w+)+)", text, re.IGNORECASE)
    return (f"{spoken[1]}@{spoken[2]}".replace(" dot ", ".")).lower() if spoken else None


def phone(text: str, region: str = "US") -> str | None:
    """A phone number as E.164."""
    for match in phonenumbers.PhoneNumberMatcher(text, region, leniency=phonenumbers.Leniency.POSSIBLE):
        return str(phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164))
    return None


_ADDRESS_LEAD = re.compile(
    r"(?is)^.*?\b(?:moved to|moving to|address (?:is|to|now is|will be)|it'?s(?: now)?|it is(?: now)?|is now|live at|living at|new one is|direccion es|vivo en|me mude a)\s+(?=\d)"
)


def address(text: str, *, asked: bool) -> str | None:
    """A postal address: from the house number on, up to where something else is said."""
    rest = _ADDRESS_LEAD.sub("", text)
    match = re.search(r"\b\d{1,6}[A-Za-z]?\s+(?:[NSEW]\.?\s+)?[^\W\d][^\n;!?]{4,160}", rest)
    if not match:
        return None
    found = re.split(r"(?i)[,.]\s+(?:please|thanks?|thank you|can you|could you|update|i|my|and)\b", match[0])[0].strip(" ,.")
    street = re.search(
        r"(?i)\b(?:st|street|ave|avenue|rd|road|blvd|boulevard|dr|drive|ln|lane|ct|court|pl|place|way|pkwy|parkway|ter|terrace|cir|circle|hwy|apt|suite|unit|calle|avenida|[A-Z]{2} \d{5})\b",
        found,
    )
    return found if street or (asked and "," in found) else None


# wishes about whom and how

_GENDER = (
    ("female", r"\b(?:female|woman|women|lady|doctora|mujer|una medica)\b"),
    ("male", r"\b(?:male|man|hombre|un varon)\b(?! ?chester)"),
)


def gender(text: str) -> str | None:
    """The practitioner's gender that is wished for."""
    low = plain(text)
    for value, pattern in _GENDER:
        if (
            re.search(
                rf"{pattern}(?=[^.?!]{{0,25}}\b(?:doctor|dr|provider|practitioner|nurse|physician|gyn|one|please|if|medic[oa])?)",
                low,
            )
            and re.search(
                r"\b(?:doctor|dr|provider|practitioner|nurse|physician|see|with|by|prefer|please|only|con|medico|medica|doctora|female|male)\b",
                low,
            )
            and not re.search(
                r"\bdr[a.]* \w", low if value == "female" and "doctora" in low and re.search(r"doctora [a-z]", low) else ""
            )
        ):
            return value
    return None


_LANGUAGES = {
    "es": "spanish espanol castellano",
    "pl": "polish polaco",
    "zh": "chinese mandarin cantonese",
    "hi": "hindi",
    "ar": "arabic arabe",
    "fr": "french frances",
    "ru": "russian ruso",
    "vi": "vietnamese",
    "tl": "tagalog filipino",
    "ur": "urdu",
    "ko": "korean",
    "de": "german aleman",
    "it": "italian italiano",
    "pt": "portuguese portugues",
    "uk": "ukrainian",
    "so": "somali",
    "am": "amharic",
    "fa": "farsi persian",
    "bn": "bengali",
    "ja": "japanese",
    "ht": "creole",
    "en": "english ingles",
    "sign": "asl sign senas",
}
_LANGUAGE_OF = {word: code for code, some in _LANGUAGES.items() for word in some.split()}


def language(text: str) -> str | None:
    """A language that is named, as its code ("sign" for sign language)."""
    return next((_LANGUAGE_OF[token.plain] for token in tokens(text) if token.plain in _LANGUAGE_OF), None)


def speaks(text: str) -> str | None:
    """The language that the practitioner should speak."""
    low = plain(text)
    if re.search(r"\bspeak|\bspeaking\b|\bhabl[ea]|en espanol|in spanish|bilingual|fluent", low) and not re.search(
        r"\b(?:i|my \w+) (?:don't|dont|do not|only) speak", low
    ):
        return language(text)
    return None


def mode(text: str) -> str | None:
    """ "video" or "in-person" where the words say so."""
    low = plain(text)
    if re.search(
        r"\b(?:video|virtual(?:ly)?|tele ?(?:health|medicine|visit)|telemedicin[ea]|on ?line|zoom|remote(?:ly)?|facetime|videollamada|por internet|from home)\b",
        low,
    ):
        return (
            "in-person"
            if re.search(r"\b(?:not|no|instead of|rather than) (?:a |by |on |por )?(?:video|virtual|online)", low)
            else "video"
        )
    if re.search(r"\bin[ -]person\b|\ben persona\b|\bpresencial\b|\bface to face\b", low):
        return "in-person"
    return None


_NEEDS = (
    (
        "language-access",
        "sign-language",
        r"\b(?:asl\b|sign[ -]language|i'?m deaf|am deaf|hard of hearing|deaf\b|sordo|sorda|lengua de senas)",
    ),
    ("language-access", "interpreter", r"\b(?:interpret(?:er|ers|s|ing)?\b|translat(?:or|er|es|e for)|interprete|traductor)"),
    (
        "mobility",
        "wheelchair",
        r"\b(?:wheel ?chair|silla de ruedas|walker\b|mobility|scooter access|ramp\b|hoyer|can'?t (?:climb|stand|walk)|help getting (?:on|onto|out|in|from)|transfer (?:help|board))",
    ),
    (
        "mobility",
        "low-vision",
        r"\b(?:i'?m blind|am blind|visually impaired|low vision|guide dog|service dog|service animal|ciego|ciega)",
    ),
)


@dataclass(frozen=True)
class Need:
    team: str
    kind: str


def needs(text: str) -> tuple[Need, ...]:
    """Help that a patient needs at the visit, with the team that sees to it."""
    low = plain(text).replace("’", "'")
    found = [Need(team, kind) for team, kind, pattern in _NEEDS if re.search(pattern, low)]
    kinds = {need.kind for need in found}
    if {"sign-language", "interpreter"} <= kinds:
        found = [need for need in found if need.kind != "interpreter"]
    if re.search(r"\b(?:no|don't need|dont need|without) (?:an? |any )?(?:interpreter|wheel)", low):
        return ()
    return tuple(
        Need(need.team, f"interpreter:{code}") if need.kind == "interpreter" and (code := language(text)) and code != "en" else need
        for need in found
    )


def wants_waitlist(text: str) -> bool:
    return bool(
        re.search(
            r"\bwait(?:ing)?[ -]?list\b|\blista de espera\b|\bif (?:something|anything|a (?:spot|slot|time)|one|it) (?:opens|comes up|frees|becomes)|\bcancell?ation list\b|\bsi se (?:abre|libera|desocupa)",
            plain(text),
        )
    )


def no_preference(text: str) -> bool:
    """ "anyone", "whoever is free", "no preference"."""
    return bool(
        re.search(
            r"\b(?:no pref\w*|any ?(?:one|body|doctor|provider|of them|is fine|works)|whoever|who ever|someone else|somebody else|anyone else|doesn'?t matter|don'?t (?:care|mind)|either|whichever|"
            r"first available|cualquier[a]?|no importa|el que sea|la que sea|otro doctor|otra doctora|quien sea)\b",
            plain(text).replace("’", "'"),
        )
    )


def skips(text: str) -> bool:
    """ "none", "skip", "I'd rather not say", "I don't have it with me"."""
    return bool(
        re.search(
            r"\b(?:skip|none|no insurance|don'?t have|do not have|not insured|uninsured|self[ -]?pay|pay (?:myself|cash|out of pocket)|cash|rather not|prefer not|later|not sure|"
            r"don'?t know|no idea|can'?t find|not with me|no tengo|no lo tengo|ninguno|sin seguro|prefiero no|no se\b|despues|omitir)\b",
            plain(text).replace("’", "'"),
        )
    )
