"""What a sentence tells besides the time of a visit and the names of a clinic: answers, people, numbers, wishes, needs."""

from actions.facts.addresses import address, email
from actions.facts.answers import choice, no_preference, skips, yes_or_no
from actions.facts.needs import Need, needs
from actions.facts.numbers import member_id, phone
from actions.facts.persons import PersonName, first_name_after_relation, person_name
from actions.facts.relations import relation, says_new
from actions.facts.wishes import gender, language, mode, speaks, wants_waitlist

__all__ = [
    "Need",
    "PersonName",
    "address",
    "choice",
    "email",
    "first_name_after_relation",
    "gender",
    "language",
    "member_id",
    "mode",
    "needs",
    "no_preference",
    "person_name",
    "phone",
    "relation",
    "says_new",
    "skips",
    "speaks",
    "wants_waitlist",
    "yes_or_no",
]
