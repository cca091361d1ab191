"""Every mistake of a clinic file is explained: file, line, key, what is wrong, what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduling_core.clinic_file.reading import ClinicFileError, Mistake, read
from scheduling_core.clinic_file.schema import ClinicFile
from tests.conftest import CLINICS

RIGHT = (CLINICS / "maple.yml").read_text(encoding="utf-8")


def _mistakes(tmp_path: Path, content: str | bytes) -> list[str]:
    file = tmp_path / "clinic.yml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ClinicFileError) as refused:
        read(file)
    lines = str(refused.value).splitlines()
    assert all(line.startswith(f"{file}:") for line in lines)
    return [line.removeprefix(f"{file}:") for line in lines]


def _edited(*edits: tuple[str, str]) -> str:
    content = RIGHT
    for old, new in edits:
        assert old in content, old
        content = content.replace(old, new, 1)
    return content


def _line(content: str, said: str) -> int:
    return content[: content.index(said)].count("\n") + 1


@pytest.mark.parametrize(
    "file", sorted([*CLINICS.glob("*.yml"), *(CLINICS.parent.parent / "clinics").glob("*.yml")]), ids=lambda f: f.name
)
def test_a_clinic_file_without_a_mistake_is_read(file: Path) -> None:
    assert isinstance(read(file), ClinicFile)


@pytest.mark.parametrize(
    ("old", "new", "explained"),
    [
        # unknown keys, missing keys, keys that are written twice
        (
            "hold_minutes: 8",
            "hold_minuts: 8",
            'clinic.hold_minuts: there is no key "hold_minuts" here; did you mean "hold_minutes"?',
        ),
        ("at: north, time", "att: north, time", 'there is no key "att" here; did you mean "at"?'),
        ("  name: Maple Grove Clinic\n", "  nick: x\n", 'clinic.nick: there is no key "nick" here'),
        (
            "grid_minutes: 5",
            "hold_minutes: 5",
            'clinic.hold_minutes: "hold_minutes" is written twice; the first is on line 8; keep one',
        ),
        # ids
        (
            "services: [new-patient, follow-up, physical, sick]\n",
            "services: [new-patient, folow-up, physical, sick]\n",
            'practitioners[0].services[1]: there is no service "folow-up"; did you mean "follow-up"?',
        ),
        (
            "at: north, time",
            "at: nroth, time",
            'practitioners[0].schedule[0].at: there is no location "nroth"; did you mean "north"?',
        ),
        (
            "locations: [south]",
            "locations: [west]",
            'closures[0].locations[0]: there is no location "west"; possible here: north, south',
        ),
        (
            "in_network: [ferreira, n",
            "in_network: [fereira, n",
            'payers[1].in_network[0]: there is no practitioner "fereira"; did you',
        ),
        (
            "{new-patient: 210",
            "{newpatient: 210",
            'self_pay.price_list.newpatient: there is no service "newpatient"; did you mean "new-p',
        ),
        ("accepts: [greatlakes]", "accepts: [grate]", 'referral_partners[0].accepts[0]: there is no payer "grate"'),
        (
            "id: brandt",
            "id: tanaka",
            'practitioners[2].id: the practitioner "tanaka" occurs twice; give each its own; the other is on line 111',
        ),
        (
            "id: south\n",
            "id: South Side\n",
            '"South Side" is no id; use small letters, digits and hyphens, for example "south-side"',
        ),
        ("email: paul@", f"email: {'p' * 190}@", "staff[1].email: the address of staff may have up to 190 characters"),
        (
            "email: paul@maplegrove.example",
            'email: "paul@[maplegrove"',
            'staff[1].email: "paul@[maplegrove" is no mail address; write for example "desk@clinic.example"',
        ),
        ("email: paul@", "email: nora@", 'staff[1].email: the address "nora@maplegrove.example" occurs twice'),
        # sessions and blocks
        (
            'at: north, time: "13:00-17:00"',
            'at: south, time: "11:00-17:00"',
            "practitioners[0].schedule[1]: Dr. Joana Ferreira has two sessions at once on mon, tue, wed, thu: 11:00-17:00 at south "
            "and 08:00-12:00 at north; nobody can be at two places; the other is on line 106",
        ),
        (
            'at: north, time: "13:00-17:00"',
            'at: north, time: "11:00-17:00"',
            "11:00-17:00 at north and 08:00-12:00 at north; join the two or change one",
        ),
        (
            'sat, at: north, time: "09:00-12:00"',
            'sat, at: north, time: "13:00-15:00"',
            "practitioners[3].schedule[1]: Maple Grove North is not open on sat 13:00-15:00; change the session, or the hours",
        ),
        (
            'time: "11:00-12:00", keep_for',
            'time: "11:00-12:30", keep_for',
            "practitioners[0].blocks[0].time: the block 11:00-12:30 lies outside the schedule on mon, tue, wed, thu; "
            "Dr. Joana Ferreira works 08:00-12:00, 13:00-17:00 then",
        ),
        (
            "{days: tue, time",
            "{days: fri, time",
            "blocks[1].days: the block 13:00-14:00 lies outside the schedule on fri; Dr. Joana Ferreira",
        ),
        ("keep_for: urgent", "keep_for: urgnt", 'keep_for: "urgnt" is not possible here; write urgent, or a list of services'),
        (
            "keep_for: [new-patient]",
            "keep_for: [well-child]",
            'the time is kept for "well-child", which Dr. Joana Ferreira does not give',
        ),
        # lengths and the grid
        (
            "    minutes: 40\n",
            "    minutes: 42\n",
            "services[0].minutes: 42 is no multiple of the grid of 5 minutes; write 40 or 45",
        ),
        ("after_minutes: 5", "after_minutes: 7", "services[3].buffer_after_minutes: 7 is no multiple of the grid of 5 minutes"),
        (
            'time: "09:00-12:30"',
            'time: "09:02-12:30"',
            "schedule[0].time: 09:02 is off the grid of 5 minutes; start and end at a multiple",
        ),
        (
            "    minutes: 45\n",
            "    minutes: 300\n",
            "325 minutes with its buffers are longer than any session of those who give it; the longest has 240",
        ),
        # times, dates, zones
        (
            'time: "08:00-12:00"',
            'time: "08:00-25:00"',
            '"08:00-25:00" has a time that no clock shows; write for example "08:00-12:00"',
        ),
        ('time: "08:00-12:00"', "time: 08:00", '"08:00" is no time span; write for example "08:00-12:00"'),
        ('time: "09:00-13:00"', 'time: "09:00-05:00"', '09:00-05:00 ends before it starts; did you mean "09:00-17:00"?'),
        ("America/Chicago", "America/Chicgo", 'clinic.timezone: "America/Chicgo" is no time zone; did you mean "America/Chicago"?'),
        ("days: wed,", "days: wendesday,", '"wendesday" is no weekday or range of weekdays; write for example "mon-fri"'),
        ('{mon-fri: "08:00-17:00", sat', '{mon-fry: "08:00-17:00", sat', 'locations[0].hours.mon-fry: "mon-fry" is no weekday'),
        (', sat: "09:00-12:00"}', ', fri: "09:00-12:00"}', 'locations[0].hours.fri: fri is said twice, here and under "mon-fri"'),
        ("date: 2026-12-24", "date: 2026-02-30", 'closures[1].date: "2026-02-30" is no date; write for example 2026-11-26'),
        ("to: 2026-12-31", "to: 2026-12-01", "absences[0].to: the absence ends on 2026-12-01, before it starts on 2026-12-21"),
        # what nobody can book
        ("services: [vaccine, blood-draw]", "services: [vaccine]", 'services[6].id: nobody gives the service "blood-draw"; add it'),
        ("kind: procedure", "kind: surgery", 'services[7].room: no location where it is given has a room of the kind "procedure"'),
        # the holidays library
        ("US-WI", "US-WZ", 'holiday_calendar: the holiday calendar of US knows no "WZ"; write "US" for the whole country'),
        (
            "US-WI",
            "Narnia",
            'there is no holiday calendar of "Narnia"; write the code of a country and of a subdivision, for example "US-IL"',
        ),
        # words, numbers, and what YAML makes of them
        ("name: Great Lakes Mutual", "name: 12", 'payers[0].name: 12 is read as a number; put it in quotes: "12"'),
        ('payer_id: "70001"', "payer_id: 00123", 'payers[0].payer_id: 00123 is read as a number; put it in quotes: "00123"'),
        ('phone: "+14145550100"', "phone: +14145550100", "clinic.phone: +14145550100 is read as a number; put it in quotes"),
        ('"+14145550120"', '"414 555 0120"', 'handoff.transfer_to: "414 555 0120" is no phone number in international form'),
        ("languages: [en, pt]", "languages: [en, no]", 'languages[1]: no is read as yes or no; put it in quotes: "no"'),
        ("languages: [en, pt]", "languages: [en, english]", '"english" is no language code; write for example "en" or "es"'),
        ("hold_minutes: 8", 'hold_minutes: "8"', 'clinic.hold_minutes: "8" is no whole number; write 8'),
        ("hold_minutes: 8", "hold_minutes: 0", "clinic.hold_minutes: 0 is too small; write 1 or more"),
        ("hold_minutes: 8", "hold_minutes:", "clinic.hold_minutes: nothing is written here; write a value, or leave the key out"),
        ("who: new", "who: knew", 'services[0].who: "knew" is not possible here; did you mean "new"?'),
        ("needs_order: true", "needs_order: perhaps", 'needs_order: "perhaps" is neither true nor false; write true or false'),
        ("210.00", "-3", "self_pay.price_list.new-patient: -3 is too small; write 0 or more"),
        ('ages: "0-17"', "ages: 17", 'services[4].ages: "17" is no range of ages; write for example "0-17" or "18+"'),
        ('ages: "0-17"', 'ages: "17-0"', 'services[4].ages: "17-0" ends before it starts; write for example "0-17"'),
        ("aliases: [first visit]", "aliases: first visit", "services[0].aliases: this must be a list; write [first visit]"),
        # not YAML
        ("  timezone", "\ttimezone", "the line starts with a tab; use spaces"),
        (
            "name: Maple Grove Clinic",
            "name: Maple: Grove",
            "there is a colon where none can be; put text that holds a colon in quotes",
        ),
        ("name: Maple Grove Clinic", "name Maple Grove", 'the colon after the key is missing; write "key: value"'),
        ("name: Maple Grove Clinic", 'name: "Maple Grove', "a quotation mark is opened and not closed; close it in the same line"),
        ("name: Maple Grove Clinic", "name: @Maple", "text cannot start with @; put it in quotes"),
        ("kind: procedure}]", "kind: procedure]", "a bracket is opened and not closed, or a comma is missing in it"),
    ],
)
def test_a_mistake_is_explained_with_its_line(tmp_path: Path, old: str, new: str, explained: str) -> None:
    content = _edited((old, new))
    changed = next(n for n, (a, b) in enumerate(zip(RIGHT.splitlines(), content.splitlines(), strict=False), start=1) if a != b)
    said = [line for line in _mistakes(tmp_path, content) if explained in line]
    assert said, _mistakes(tmp_path, content)
    number = int(said[0].split(":")[0])
    elsewhere = {  # the mistake is told where it can be mended, which is not always where the edit was
        "hold_minutes: 5": _line(RIGHT, "hold_minutes: 8"),
        "services: [vaccine]": _line(RIGHT, "id: blood-draw"),
        "kind: surgery": _line(RIGHT, "room: procedure"),
    }
    assert number == elsewhere.get(new, changed)


def test_all_mistakes_are_told_at_once_by_line(tmp_path: Path) -> None:
    content = _edited(
        ('  phone: "+14145550100"\n', ""),
        ("who: new", "who: knew"),
        ("services: [new-patient, follow-up, physical, sick, well-child]", "services: [follow-up, well-chld]"),
        ('time: "08:00-12:00"', 'time: "8-12"'),
        ("to: 2026-12-31", "to: 2026-12-01"),
        ("payers:", "payer:"),
    )
    said = _mistakes(tmp_path, content)
    assert [line.split(": ", 1)[1].split(":")[0] for line in said] == [
        "clinic.phone",
        "services[0].who",
        "practitioners[0].schedule[0].time",
        "practitioners[1].services[1]",
        "practitioners[3].absences[0].to",
        "payer",
        "referral_partners[0].accepts[0]",
    ]
    lines = [int(line.split(":")[0]) for line in said]
    assert lines == sorted(lines)


def test_what_follows_from_a_mistake_alone_is_not_told_too(tmp_path: Path) -> None:
    """The broken session covers two blocks, the broken service is given by people: only the two mistakes are told."""
    content = _edited(
        ('mon-thu, at: north, time: "08:00-12:00"', 'mon-thu, at: north, time: "8-12"'), ("    minutes: 45", "    minutes: x")
    )
    assert len(_mistakes(tmp_path, content)) == 2


@pytest.mark.parametrize(
    ("content", "explained"),
    [
        (b"", "1: the file is empty"),
        (b"# only a comment\n\n", "1: the file is empty"),
        (b"- a\n- b\n", '1: the file must hold keys with values; start with "clinic:"'),
        ("clinic:\n  name: Caf\u00e9\n".encode("latin-1"), "2: the text is not in UTF-8; save the file as UTF-8"),
        (b"clinic:\n  name: a\x07b\n", "2: there is a character that no text has"),
        (RIGHT.encode() + b"\n---\nclinic: {}\n", "a second document starts here"),
        (b"[" * 2000, "nested too deeply"),
        (b"clinic: &c {name: *c}\n", "clinic.name: the part contains itself"),
    ],
)
def test_what_is_no_clinic_file_at_all_is_refused_in_a_line(tmp_path: Path, content: bytes, explained: str) -> None:
    assert any(explained in line for line in _mistakes(tmp_path, content))


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(ClinicFileError, match="there is no such file"):
        read(tmp_path / "none.yml")
    with pytest.raises(ClinicFileError, match="cannot be read"):
        read(tmp_path)


def test_sessions_in_two_zones_are_compared_by_the_instant(tmp_path: Path) -> None:
    """9 to 11 in New York is over when 10 in Chicago comes, and 10 to 12 is not."""
    zone = ("    address: 2200", "    timezone: America/New_York\n    address: 2200")
    session = '- {days: thu, at: north, time: "14:00-17:00"}'
    apart = _edited(zone, (session, '- {days: tue, at: north, time: "12:00-17:00"}'))
    file = tmp_path / "clinic.yml"
    file.write_text(apart, encoding="utf-8")
    read(file)
    at_once = _edited(zone, (session, '- {days: tue, at: north, time: "11:00-17:00"}'))
    assert "two sessions at once on tue" in _mistakes(tmp_path, at_once)[0]


def test_yes_and_no_are_truth_values_where_one_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "clinic.yml"
    file.write_text(_edited(("needs_order: true", "needs_order: yes")), encoding="utf-8")
    assert read(file).services_by_id["blood-draw"].needs_order


def test_windows_line_ends_and_a_byte_order_mark_are_no_mistake(tmp_path: Path) -> None:
    file = tmp_path / "clinic.yml"
    file.write_bytes(b"\xef\xbb\xbf" + RIGHT.replace("\n", "\r\n").encode())
    assert read(file) == read(CLINICS / "maple.yml")


def test_parts_may_be_shared_with_anchors(tmp_path: Path) -> None:
    file = tmp_path / "clinic.yml"
    shared = _edited(
        ('hours: {mon-fri: "08:00-17:00"}', "hours: *week"),
        ('    hours: {mon-fri: "09:00-18:00"}', '    hours: &week {mon-fri: "09:00-18:00"}'),
    )
    file.write_text(shared, encoding="utf-8")
    assert read(file).handoff.hours == read(CLINICS / "maple.yml").locations_by_id["south"].hours


_JUNK = st.sampled_from(
    ["", "12", "-1", "yes", "[a]", "{a: b}", "08:00", '"x"', "*x", "&x", "!!int x", "2026-02-30", '"\\ud800"', "? a", "\t"]
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=st.lists(st.tuples(st.integers(0, len(RIGHT) - 1), st.integers(0, 20), _JUNK), min_size=1, max_size=3))
def test_whatever_is_written_is_read_or_explained(tmp_path: Path, edits: list[tuple[int, int, str]]) -> None:
    content = RIGHT
    for start, length, put in edits:
        content = content[:start] + put + content[start + length :]
    file = tmp_path / "clinic.yml"
    file.write_text(content, encoding="utf-8")
    mistakes: tuple[Mistake, ...] = ()
    try:
        read(file)
    except ClinicFileError as refused:
        mistakes = refused.mistakes
    assert all(1 <= mistake.line <= len(content.splitlines()) for mistake in mistakes)
    assert not any("Input should" in mistake.problem for mistake in mistakes)  # a sentence of the library, not of ours
