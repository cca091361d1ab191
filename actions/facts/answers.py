"""Answers to what was asked: yes or no, one of a list, no preference, nothing to say."""

from __future__ import annotations

import re

from actions.words import either, straight

_FILLER = either(
    r"oh|well|um+|uh+|hmm+|hi|hello|please|pls|plz|and|so|ah|thanks?|thank you|ty|thx|let me think|lol|haha",
    r"ay|pues|bueno|gracias|por favor|porfa(?:vor)?",
)
_YES = either(
    r"y|ya|ye|yes+|ys|yse|yess?s|yees|yeah?|yea|yep|yup|k|kk|ok|okay|okey|okie|that(?:'s| is|s) ok(?:ay)?",
    r"sure(?: thing)?|correct|right|exactly|absolutely|definitely|of course(?! not)|affirmative|fine|perfect|great|good",
    r"sounds (?:good|great|fine|right|perfect)|(?:that|it) works|works(?: for me)?|it is|i do|i am|i agree|agreed",
    r"that(?:'s| is|s) (?:right|correct|fine|good|great|perfect|it|me|the one)",
    r"(?:please )?(?:go ahead|(?:book|cancel|move|confirm|do|take) (?:it|that|this|them|both|all)|do so|confirm)",
    r"i(?:'ll| will) take (?:it|that)|let'?s do (?:it|that)",
    r"si+|sip|claro(?: que si)?|correcto|exacto|de acuerdo|esta bien|vale|por supuesto|perfecto|asi es",
    r"confirmo|adelante|listo|dale|me parece bien|(?:reservela|cancelela|cambiela|hagalo)",
    r"👍|✅|👌",
)
_BEFORE_NO = either(r"oh|ok|okay|well|um+|hi|sorry|actually|hmm+|and|so|good lord|claro que|pues")
_NO = either(
    r"n|no+|nope|nah|don'?t|do not|wrong|incorrect|that(?:'s| is|s) (?:not|wrong)|never ?mind|neither|none|negative",
    r"of course not|absolutely not|not (?:really|that|quite|right|correct|good|yet|now|at all)",
    r"nada|ningun[oa]?|no gracias|mejor no",
    r"👎",
)
_SAYS_YES = re.compile(rf"^\W*(?:{_FILLER}\W+)*{_YES}(?!\w)")
_MORE_YES = re.compile(rf"^\W*(?:{_FILLER}|{_YES})(?!\w)")
_SAYS_NO = re.compile(rf"^\W*(?:{_BEFORE_NO}\W+)*{_NO}(?:\W|$)")
_NO_INSIDE = re.compile(
    r"\b"
    + either(
        r"no wait|don'?t (?:cancel|book|move|do)|do not (?:cancel|book|move)|keep it|keep my|leave it|changed my mind",
        r"doesn'?t work|does not work|won't work|none of (?:those|these|them)",
        r"no la cancele|no lo cancele|no me sirve|ninguna de",
    )
    + r"\b"
)
# After a yes these words take it back, ask something, or wish for something else.
_BUT = re.compile(
    r"[?¿]|\b"
    + either(
        r"but|unless|if|except|however|tho|though|wait|actually|first|rather|instead|only|not|no|never|none|cannot|\w+n't|question",
        r"another|other|different|change|move|cancel|switch|later|earlier|sooner|might|maybe|let me",
        r"what|whats|why|how|who|where|when|which|also|too|as well|check|ask|think",
        r"pero|mejor|si|sino|excepto|otra|otro|cambi\w*|mover|muev\w*|cancel\w*|puedo|puede|que|cual|cuando|donde|como|quien|tambien",
    )
    + r"\b"
    + rf"|(?:^|[,.;!]|\b{either('and|so', 'y')}\b)\W*{either('can|could|would|should|may|do|does|did|is|are|was|will')}\b"
)


def yes_or_no(text: str) -> bool | None:
    """True, False, or None where the words are neither: a yes that goes on with a question, a "but" or another wish is no yes."""
    low = straight(text)
    if "?" not in low and (_NO_INSIDE.search(low) or _SAYS_NO.match(low)):
        return False
    rest = after_yes(text)
    return True if rest is not None and not _BUT.search(rest) else None


def wavers(text: str) -> bool:
    """The words hold a question, a "but" or another wish."""
    return bool(_BUT.search(straight(text)))


def after_yes(text: str) -> str | None:
    """What is said after the words for yes at the beginning, in plain letters; None where the text does not begin with a yes."""
    low = straight(text)
    found = _SAYS_YES.match(low)
    if not found:
        return None
    rest = low[found.end() :]
    while more := _MORE_YES.match(rest):
        rest = rest[more.end() :]
    return rest


_ORDINALS = {
    **dict.fromkeys(("first", "1st", "one", "primero", "primera", "uno", "una"), 1),
    **dict.fromkeys(("second", "2nd", "two", "segundo", "segunda", "dos"), 2),
    **dict.fromkeys(("third", "3rd", "three", "tercero", "tercera", "tres"), 3),
    **dict.fromkeys(("fourth", "4th", "four", "cuarto", "cuarta", "cuatro"), 4),
    **dict.fromkeys(("fifth", "5th", "five", "quinto", "quinta", "cinco"), 5),
}
_BEFORE_CHOICE = either(
    r"ok|okay|yes|yeah|sure|great|perfect|hmm|um|well|oh sure|let me think|please|thanks|so",
    r"si|claro",
)
_WANTED = either(
    r"i(?:'ll| will| would|'d)? ?(?:take|like|want|choose|pick|prefer|go (?:with|for))?\W*",
    r"let'?s do |book |give me |can i (?:have|get|do) ",
    r"quiero |prefiero ",
)
_COUNTER = either(r"the |number |option |no\.? ?|nr\.? ?|# ?|choice |press ", r"la |el |opcion |numero ")
_COUNTED = either(r"one|option|time|slot|appointment", r"opcion|cita")
_AFTER_CHOICE = either(
    r"please|pls|thanks|thank you|works|works for me|is (?:good|fine|great|perfect)|sounds (?:good|great)|sorry.*|thanks for.*",
    r"por favor|gracias",
)
_CHOICE = re.compile(
    rf"^\W*(?:{_BEFORE_CHOICE}\W+)*{_WANTED}?{_COUNTER}*(?P<number>\d|{either(*_ORDINALS)})(?: ?{_COUNTED})?"
    rf"(?:\W+{_AFTER_CHOICE})*\W*$"
)
_LAST = re.compile(rf"\W*(?:the )?{either('last|latest', '(?:la |el )?ultim[oa]')}(?: one)?\W*(?:please)?\W*")


_MIDDLE = re.compile(r"\W*(?:the |la |el )?(?:middle|del medio|de en medio)(?: one)?\W*(?:please|por favor)?\W*")


def choice(text: str, count: int) -> int | None:
    """The number of an option out of `count`, 1 to `count`; None where the words choose none."""
    low = straight(text).strip()
    if count == 3 and _MIDDLE.fullmatch(low):
        return 2
    if _LAST.fullmatch(low):
        return count
    if not (match := _CHOICE.match(low)):
        return None
    number = int(match["number"]) if match["number"].isdigit() else _ORDINALS[match["number"]]
    return number if 1 <= number <= count else None


_NO_PREFERENCE = re.compile(
    r"\b"
    + either(
        r"no pref\w*|any ?(?:one|body|doctor|provider|of them|is fine|works)|who ?ever|whichever|either|first available",
        r"(?:someone|somebody|anyone) else|doesn'?t matter|don'?t (?:care|mind)",
        r"cualquiera?|no importa|el que sea|la que sea|quien sea|otro doctor|otra doctora",
    )
    + r"\b"
)


def no_preference(text: str) -> bool:
    """ "anyone", "whoever is free", "no preference"."""
    return bool(_NO_PREFERENCE.search(straight(text)))


_SKIPS = re.compile(
    r"^\W*no\b|\b"
    + either(
        r"skip|none|later|don'?t have|do not have|not with me|can'?t find|rather not|prefer not|not sure|don'?t know|no idea",
        r"no insurance|not insured|uninsured|self[ -]?pay|pay (?:myself|cash|out of pocket)|cash",
        r"no tengo|no lo tengo|ninguno|sin seguro|prefiero no|no se\b|despues|omitir",
    )
    + r"\b"
)


def skips(text: str) -> bool:
    """ "none", "skip", "I'd rather not say", "I don't have it with me"."""
    return bool(_SKIPS.search(straight(text)))
