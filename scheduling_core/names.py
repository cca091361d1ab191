"""Whether two ways of writing a person's name are the same name."""

from __future__ import annotations

import re
import unicodedata

from rapidfuzz.distance import DamerauLevenshtein

_NICKNAMES = (
    "alexander alex al xander sasha",
    "alexandra alex sandra lexi sasha",
    "andrew andy drew",
    "anthony tony",
    "barbara barb barbie",
    "benjamin ben benny",
    "catherine katherine kathryn cathy kathy kate katie kat",
    "charles charlie chuck",
    "christina christine chris tina",
    "christopher chris topher",
    "daniel dan danny",
    "david dave davey",
    "deborah debra deb debbie",
    "donald don donnie",
    "dorothy dot dottie",
    "edward ed eddie ted ned",
    "elizabeth liz lizzie beth betty eliza betsy",
    "francisco paco pancho cisco",
    "gabriela gabriella gabby gaby",
    "guadalupe lupe lupita",
    "gregory greg",
    "isabel isabella bella isa",
    "jacob jake",
    "james jim jimmy jamie",
    "jennifer jen jenny",
    "jesus chuy",
    "john jon johnny jack",
    "jonathan jon nathan",
    "jose pepe",
    "joseph joe joey",
    "judith judy",
    "kenneth ken kenny",
    "lawrence larry",
    "leonard leo len lenny",
    "manuel manny manolo",
    "margaret maggie meg peggy marge greta",
    "matthew matt",
    "michael mike mikey mick",
    "nicholas nick nicky",
    "pamela pam",
    "patricia pat patty trish",
    "patrick pat paddy",
    "rebecca becky becca",
    "richard rick dick ricky rich",
    "robert rob bob bobby robbie",
    "ronald ron ronnie",
    "samantha sam",
    "samuel sam sammy",
    "stephen steven steve",
    "susan sue susie",
    "teresa theresa terry tess",
    "thomas tom tommy",
    "timothy tim",
    "victoria vicky tori",
    "vincent vince vinny",
    "william will bill billy liam",
    "zachary zach zack",
)


def same(left: str, right: str) -> bool:
    """Whether two names differ at most in accents, case, hyphens and spaces."""
    return _plain(left) == _plain(right)


def alike(left: str, right: str) -> bool:
    """Whether two given (or two family) names may well be the same: also a nickname, a middle name left out, one typing slip.

    In a short name only two swapped letters are a slip: Leo is not Lea.
    """
    if same(left, right):
        return True
    a, b = set(_plain(left).split()), set(_plain(right).split())
    if a and b and (a <= b or b <= a):
        return True
    if any(_is_nickname(x, y) for x in a for y in b):
        return True
    x, y = _plain(left), _plain(right)
    swapped = len(x) >= 3 and sorted(x) == sorted(y)
    return (swapped or min(len(x), len(y)) >= 5) and DamerauLevenshtein.distance(x, y) <= 1


def words_of(name: str) -> list[str]:
    """The words of a name in plain letters: "José-Luis O'Brien" is jose, luis, obrien."""
    return _plain(name).split()


def nicknames(word: str) -> frozenset[str]:
    """The names that stand for each other with this one, itself among them; `word` as `words_of` gives it."""
    return frozenset({word}).union(*(group for group in _GROUPS if word in group))


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.casefold())
    spaced = re.sub(r"[\s\-]+", " ", "".join(letter for letter in letters if not unicodedata.combining(letter)))
    return re.sub(r"[^\w ]", "", spaced).strip()


def _is_nickname(left: str, right: str) -> bool:
    return any(left in group and right in group for group in _GROUPS)


_GROUPS = tuple(frozenset(line.split()) for line in _NICKNAMES)
