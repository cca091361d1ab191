"""Plays hard conversations with the real assistant and writes them down as texted: python docs/transcripts.py"""

from __future__ import annotations

import datetime as dt
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.journeys import assistant as running
from tests.journeys.assistant import Assistant

HERE = Path(__file__).parent
CLINIC = HERE.parent / "clinics" / "demo.yml"
BORN = dt.date(1984, 5, 12)
TALKS: dict[str, tuple[str, ...]] = {
    "She changes her mind twice": (
        "hi, physical with dr moro sometime next week, mornings",
        "5/12/1984",
        "hmm actually can we do the week after, and not on a monday",
        "the second one",
        "no wait, make it an afternoon that same week",
        "1",
        "yes",
    ),
    "Everything in one breath": (
        "Good morning, this is Sofia Marlow, born May 12 1984, I would like a recheck with Dr. Whitcomb "
        "on a Tuesday or Thursday after 2, not this week",
        "the later one please",
        "yes that's perfect, thank you",
    ),
    "A question at every step": (
        "need a flu shot this week",
        "why do you need that?",
        "5/12/1984",
        "before I choose, where do I park?",
        "ok. does it take long?",
        "the first one",
        "great, but do I have to bring anything?",
        "yes",
    ),
    "Two in one family": (
        "flu shot for me tomorrow please, and then one for my son Theo too",
        "5/12/1984",
        "1",
        "yes",
        "now a flu shot for my son Theo, tomorrow too",
        "March 3rd 2016",
        "the first one works",
        "yes please",
    ),
    "The birth date goes wrong first": (
        "when am i coming in again?",
        "5/21/1984",
        "sorry, typo, 5/12/1984",
    ),
    "A visit that needs an order, and a way on": (
        "I want my blood drawn on Friday",
        "5/12/1984",
        "ok then a follow-up with anybody on Friday morning",
        "1",
        "yep",
    ),
    "Nothing on that day, so the waitlist": (
        "follow up with Signe Haugen on Thanksgiving",
        "5/12/1984",
        "no, only that week. what about the Wednesday?",
        "1",
        "yes",
    ),
    "It might be an emergency": (
        "I'd like to come in for a checkup",
        "my chest has felt tight since this morning and my left arm tingles",
    ),
    "Angry, and still served": (
        "this is ridiculous, I just want my damn follow-up with Moreau, any day next week",
        "5/12/1984",
        "2",
        "yes",
        "thanks",
    ),
    "En español, con cambios": (
        "Hola, quiero una cita de seguimiento la próxima semana por la tarde",
        "12 de mayo de 1984",
        "mejor el miércoles",
        "la primera",
        "sí",
        "¿a qué hora es mi cita?",
    ),
}

# Three members of the embedded test payer, and what each of them asks.
MEMBERS = {
    "What it costs: the deductible is met": "TEST0000001",
    "What it costs: the deductible is not met": "TEST0000002",
    "What it costs: the plan is not active": "TEST0000003",
}
COST = (
    "do you take Northern Coast, and what would a physical cost me?",
    "5/12/1984",
    "yes please, with Dr. Whitcomb next week in the morning",
    "1",
    "yes",
)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, running.running(Path(folder), CLINIC) as assistant:
        told = [_told(assistant, title, said) for title, said in TALKS.items()]
        told += [_told(assistant, title, COST, member) for title, member in MEMBERS.items()]
    head = (
        "# Hard conversations\n\n"
        "As texted with the clinic of `clinics/demo.yml`, not edited; written by `python docs/transcripts.py`.\n"
    )
    (HERE / "transcripts.md").write_text("\n".join([head, *told]), encoding="utf-8")


def _told(assistant: Assistant, title: str, said: tuple[str, ...], member: str | None = None) -> str:
    phone = assistant.new_phone()
    patient = assistant.put_on_file(given="Sofia", family="Marlow", birth_date=BORN, phone=phone)
    if member:
        assistant.fhir(
            "POST",
            "Coverage",
            {
                "resourceType": "Coverage",
                "status": "active",
                "beneficiary": {"reference": f"Patient/{patient}"},
                "payor": [{"identifier": {"value": "80101"}, "display": "Northern Coast Health Plan"}],
                "subscriberId": member,
            },
        )
    assistant.put_on_file(given="Theo", family="Marlow", birth_date=dt.date(2016, 3, 3), phone=phone)
    lines = [f"## {title}", ""]
    for text in said:
        answer = assistant.text(phone, text).replace("\n", "\\\n> ")
        lines += [f"**Patient:** {text}", "", f"> {answer}", ""]
    if member:
        lines += [f"*Billing's tasks:* {' '.join(_tasks_of(assistant, patient)) or 'none.'}", ""]
    return "\n".join(lines)


def _tasks_of(assistant: Assistant, patient: str) -> list[str]:
    found = assistant.fhir("GET", "Task?status=requested&_count=200").get("entry", [])
    tasks = [entry["resource"] for entry in found]
    return [task["description"] for task in tasks if task.get("for", {}).get("reference") == f"Patient/{patient}"]


if __name__ == "__main__":
    main()
