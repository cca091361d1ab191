"""Mistakes in what a clinic file says of mails, links and texts."""

from __future__ import annotations

import datetime as dt

import pytest

from scheduling_core.clinic_file.reading import ClinicFileError, read
from tests.conftest import CLINICS

RIGHT = (CLINICS / "maple.yml").read_text(encoding="utf-8")
VIDEO = "video:\n  link: https://video.example/{room}\n"


def written(tmp_path, more):
    file = tmp_path / "clinic.yml"
    file.write_text(f"{RIGHT}\n{more}", encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("more", "explained"),
    [
        ("video:\n  link: https://video.example/room\n", "must begin with https:// and have {room} in it once"),
        ("video:\n  link: http://video.example/{room}\n", "must begin with https://"),
        ("video:\n  link: https://video.example/{patient}/{room}\n", "have {room} in it once"),
        (VIDEO + "  test: video.example\n", "is no address of the web"),
        ('staff_mail: {day_sheet_at: "26:30"}\n', 'is no time of day; write for example "06:30"'),
        ("staff_mail: {day_sheet_at: early}\n", "is no time of day"),
        ("staff_mail: {teams: {biling: a@b.example}}\n", 'there is no team "biling"; did you mean "billing"?'),
        ("staff_mail: {teams: {billing: nobody}}\n", "is no mail address"),
        ("staff_mail: {patients: photos}\n", "initials"),
        ("outreach: {fax_by_mail: fax@fax.example}\n", "is no mail address with {fax} in it"),
    ],
)
def test_a_mistake_is_explained(tmp_path, more, explained):
    with pytest.raises(ClinicFileError) as refused:
        read(written(tmp_path, more))
    assert explained in str(refused.value)


def test_a_time_of_day_needs_no_quotes(tmp_path):
    assert read(written(tmp_path, "staff_mail: {day_sheet_at: 07:15}\n")).staff_mail.day_sheet_at == dt.time(7, 15)


def test_what_is_left_out_has_its_default(tmp_path):
    clinic = read(written(tmp_path, VIDEO))
    assert (clinic.staff_mail.day_sheet_at, clinic.staff_mail.patients, clinic.staff_mail.teams) == (dt.time(6, 30), "initials", {})
    assert (clinic.reminders.calendar_link, clinic.outreach.fax_by_mail) == (False, None)
    assert clinic.video is not None
    assert (clinic.video.test, clinic.video.if_it_fails) == (None, None)
