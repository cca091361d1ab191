"""Tasks and messages, as an EHR reads them."""

from __future__ import annotations

from scheduling_core import handoff, messaging
from scheduling_core.models import Priority
from tests.bot.fhir.conftest import Api


def test_a_handoff_of_a_stranger_carries_the_number(api: Api) -> None:
    with api.database.transaction() as session:
        handoff.open_task(
            session,
            team="clinical",
            reason="emergency",
            description="Chest pain",
            priority=Priority.STAT,
            phone="+14145550177",
            agent="test",
        )
    task = api.search("Task?status=requested,received,accepted,ready,in-progress,on-hold")[0]
    assert task["for"] == {"identifier": {"system": "urn:frontdesk:phone", "value": "+14145550177"}}
    assert task["priority"] == "stat"
    assert task["description"] == "Chest pain"
    assert task["performerType"][0]["coding"][0]["code"] == "clinical"
    assert api.search("Task?priority=routine") == []
    assert api.get(f"Task/{task['id']}") == task


def test_messages_to_a_patient_are_found_by_record_or_by_number(api: Api) -> None:
    ruth = api.patient()
    ben = api.patient(birthDate="2015-01-02")
    with api.database.transaction() as session:
        for body, patient_id in (("To Ruth", ruth["id"]), ("To the number", None), ("To Ben", ben["id"])):
            messaging.queue(session, phone="+14145550142", body=body, author="assistant", kind="reply", patient_id=patient_id)
        messaging.queue(session, phone="+14145550143", body="To another", author="assistant", kind="reply")
    found = api.search(f"Communication?recipient=Patient/{ruth['id']}")
    assert [message["payload"][0]["contentString"] for message in found] == ["To Ruth", "To the number"]
    assert found[0]["recipient"][0]["reference"] == f"Patient/{ruth['id']}"
    assert {message["status"] for message in found} == {"preparation"}
    assert found[0]["medium"][0]["coding"][0]["code"] == "SMSWRIT"
    assert api.search(f"Communication?sender=Patient/{ruth['id']}") == []
    assert len(api.search(f"Communication?recipient={ben['id']}")) == 2
