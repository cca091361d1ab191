"""The command line from outside: exit statuses, and one line a mistake."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import CLINICS
from tests.journeys.assistant import clean_environ

MAPLE = str(CLINICS / "maple.yml")


def frontdesk(*arguments: str, data: Path, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "bot.cli", *arguments],
        cwd=data,
        env=clean_environ() | {"FRONTDESK_ENV": "test", "FRONTDESK_DATA": str(data)} | environ,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_every_promised_command_explains_itself(tmp_path: Path) -> None:
    shown = frontdesk("--help", data=tmp_path).stdout
    for command in ("up", "chat", "check", "load", "web", "dialogue", "actions", "worker", "train", "understand"):
        assert f"  {command} " in shown
    for group in ("db", "token", "staff", "handoff"):
        assert f"  {group} " in shown


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("chekc",),
        ("check",),
        ("up", "--port", "eighty"),
        ("up", "--port", "70000"),
        ("token", "new"),
        ("token", "new", "--name", "ehr", "--role", "king"),
        ("staff", "add", "nobody", "--name", "N", "--role", "manager"),
        ("check", "missing.yml"),
        ("load", "missing.yml"),
        ("up", "--clinic", "missing.yml"),
    ],
)
def test_wrong_use_has_status_2_and_no_traceback(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = frontdesk(*arguments, data=tmp_path)
    assert done.returncode == 2
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_each_mistake_of_a_clinic_file_is_a_line_with_its_place(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yml"
    text = Path(MAPLE).read_text(encoding="utf-8")
    bad.write_text(
        text.replace("timezone: America/Chicago", "timezone: America/Chicagoo").replace("hold_minutes: 8", "hold_minuts: 8"),
        encoding="utf-8",
    )
    for arguments in (("check", str(bad)), ("load", str(bad)), ("up", "--clinic", str(bad))):
        done = frontdesk(*arguments, data=tmp_path)
        assert done.returncode == 2
        lines = done.stderr.strip().splitlines()
        assert any("timezone" in line for line in lines)
        assert any("hold_minuts" in line for line in lines)
        assert all("bad.yml:" in line for line in lines)


def test_check_and_load_say_what_they_found(tmp_path: Path) -> None:
    checked = frontdesk("check", MAPLE, data=tmp_path)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "Maple Grove Clinic" in checked.stdout
    first, again = frontdesk("load", MAPLE, data=tmp_path), frontdesk("load", MAPLE, data=tmp_path)
    assert first.returncode == again.returncode == 0, first.stderr + again.stderr
    assert "Nothing has changed" not in first.stdout
    assert "Nothing has changed" in again.stdout


def test_a_token_is_printed_once_and_kept_as_a_digest(tmp_path: Path) -> None:
    assert frontdesk("db", "upgrade", data=tmp_path).returncode == 0
    made = frontdesk("token", "new", "--name", "ehr", "--role", "integration", data=tmp_path)
    assert made.returncode == 0, made.stderr
    token = made.stdout.strip()
    assert len(token) >= 32
    stored = b"".join(file.read_bytes() for file in tmp_path.glob("frontdesk.db*"))
    assert token.encode() not in stored
    assert b"ehr" in stored


def test_a_staff_account_is_made_once(tmp_path: Path) -> None:
    frontdesk("db", "upgrade", data=tmp_path)
    arguments = ("staff", "add", "Ada@maplegrove.example", "--name", "Ada Reyes", "--role", "scheduler")
    made = frontdesk(*arguments, data=tmp_path)
    assert made.returncode == 0
    link = re.search(r"/console/welcome/(\S{32})$", made.stdout.strip())
    assert link
    stored = b"".join(file.read_bytes() for file in tmp_path.glob("frontdesk.db*"))
    assert link[1].encode() not in stored
    again = frontdesk(*arguments, data=tmp_path)
    assert again.returncode == 1
    assert len(again.stderr.strip().splitlines()) == 1


def test_the_audit_trail_is_verified(tmp_path: Path) -> None:
    frontdesk("db", "upgrade", data=tmp_path)
    found = frontdesk("audit", "verify", data=tmp_path)
    assert (found.returncode, found.stdout[:11]) == (0, "0 rows hold")
    cut = frontdesk("audit", "verify", "--noted", f"7:{'a' * 64}", data=tmp_path)
    assert cut.returncode == 1
    assert cut.stderr.startswith("The audit trail was changed after it was sealed.")
    assert frontdesk("audit", "verify", "--noted", "7", data=tmp_path).returncode == 2


def test_a_database_without_tables_is_said_in_one_line(tmp_path: Path) -> None:
    done = frontdesk("token", "new", "--name", "ehr", data=tmp_path)
    assert done.returncode == 1
    assert done.stderr.strip() == "The database has no tables yet; make them with: frontdesk db upgrade"


def test_a_database_that_does_not_answer_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"postgresql+psycopg://u:secret@127.0.0.1:{nobody.getsockname()[1]}/d"
        done = frontdesk("token", "new", "--name", "ehr", data=tmp_path, FRONTDESK_DATABASE_URL=url)
    assert done.returncode == 1
    assert done.stderr.startswith("The database does not answer: ")
    assert "secret" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_refused_setting_is_wrong_use(tmp_path: Path) -> None:
    done = frontdesk("web", data=tmp_path, FRONTDESK_ENV="production")
    assert done.returncode == 2
    assert done.stderr.startswith("TWILIO_ACCOUNT_SID")
    done = frontdesk("up", data=tmp_path, FRONTDESK_ENV="production", FRONTDESK_CLOCK="clock")
    assert done.returncode == 2
    assert "FRONTDESK_CLOCK" in done.stderr


def test_up_says_that_its_port_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = frontdesk("up", "--clinic", MAPLE, "--port", str(port), data=tmp_path)
    assert done.returncode == 1
    assert done.stderr.strip() == f"Port {port} is in use; choose another with --port, or --port 0 for any free one"


def test_up_says_that_its_data_folder_cannot_be_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = frontdesk("up", "--clinic", MAPLE, "--data", str(tmp_path / "file" / "data"), data=tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.skipif(subprocess.run(["unshare", "-rm", "true"], check=False).returncode != 0, reason="may not mount a disk here")
def test_up_says_that_its_disk_is_full(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = f"mount -t tmpfs -o size=5m tmpfs {disk} && {sys.executable} -P -m bot.cli up --clinic {MAPLE} --data {disk}/data"
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", command], env=clean_environ(), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.strip() == f"Less than 200 MB are free on the disk of {disk}/data"


def test_understand_names_the_line_that_it_cannot_read(tmp_path: Path) -> None:
    lines = [json.dumps({"id": "a", "text": "hello", "now": "2026-11-16T09:10:00"}), "hello", json.dumps({"id": "b"})]
    done = frontdesk("understand", "--clinic", MAPLE, "--jsonl", data=tmp_path, stdin="\n".join(lines))
    assert done.returncode == 2
    assert [line.split(": ")[0] for line in done.stderr.strip().splitlines()] == ["standard input:2", "standard input:3"]


def test_help_does_not_wait_for_libraries() -> None:
    """The database driver, the web framework and the readers of language are imported by the command that needs them."""
    heavy = "sqlalchemy, flask, pydantic, dateparser, twilio, rasa_sdk, httpx"
    code = f"import sys, bot.cli; print([name for name in '{heavy}'.split(', ') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
