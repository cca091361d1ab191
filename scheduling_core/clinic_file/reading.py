"""Reading a clinic file."""

from __future__ import annotations

from pathlib import Path

import yaml

from scheduling_core.clinic_file.schema import ClinicFile


def read(path: Path) -> ClinicFile:
    return ClinicFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
