"""What a sentence tells besides the time of a visit and the names of a clinic: answers, people, numbers, wishes, needs."""

from actions.facts.addresses import address, email
from actions.facts.answers import after_yes, choice, no_preference, skips, wavers, yes_or_no
from actions.facts.health import Told, health, health_kind
from actions.facts.insurance import group_number, is_second, relationship
from actions.facts.needs import Need, needs
from actions.facts.numbers import member_id, phone
from actions.facts.persons import PersonName, family_name, first_name_after_relation, one_name, patient_name, person_name
from actions.facts.relations import relation, says_new
from actions.facts.wishes import gender, language, mode, speaks, wants_waitlist

__all__ = [
    "Need",
    "PersonName",
    "Told",
    "address",
    "after_yes",
    "choice",
    "email",
    "family_name",
    "first_name_after_relation",
    "gender",
    "group_number",
    "health",
    "health_kind",
    "is_second",
    "language",
    "member_id",
    "mode",
    "needs",
    "no_preference",
    "one_name",
    "patient_name",
    "person_name",
    "phone",
    "relation",
    "relationship",
    "says_new",
    "skips",
    "speaks",
    "wants_waitlist",
    "wavers",
    "yes_or_no",
]
