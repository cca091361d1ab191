"""Reading a clinic file: all of its mistakes at once, each with its line and what would be right."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from scheduling_core.clinic_file import checking
from scheduling_core.clinic_file.mistakes import ClinicFileError, Finding, Key, Mistake, did_you_mean, written
from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.clinic_file.tree import NotYamlError, Tree, parse

__all__ = ["ClinicFileError", "Mistake", "read"]


def read(path: Path) -> ClinicFile:
    """The clinic that the file describes. Raises ClinicFileError with every mistake, by line."""
    return read_text(_text(path), path)


def read_text(text: str, path: Path) -> ClinicFile:
    """As `read`, of a text that is called `path` where mistakes are told."""
    try:
        tree = parse(text)
    except NotYamlError as error:
        raise ClinicFileError([Mistake(path, error.line, "", error.problem, error.hint)]) from None
    if tree.value is None:
        raise ClinicFileError([Mistake(path, 1, "", "the file is empty", "start from a file in clinics/")])
    if not isinstance(tree.value, dict):
        raise ClinicFileError([Mistake(path, 1, "", "the file must hold keys with values", 'start with "clinic:"')])
    clinic, findings = _understand(tree)
    if findings or clinic is None:
        raise ClinicFileError(_in_order({_mistake(path, tree, finding) for finding in findings}))
    return clinic


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise ClinicFileError([Mistake(path, 1, "", "there is no such file")]) from None
    except OSError as error:
        raise ClinicFileError([Mistake(path, 1, "", f"the file cannot be read ({error.strerror})")]) from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ClinicFileError([Mistake(path, line, "", "the text is not in UTF-8", "save the file as UTF-8")]) from None


def _understand(tree: Tree) -> tuple[ClinicFile | None, list[Finding]]:
    """Shape first; then, on what is left without the broken parts, what the parts say together."""
    findings = list(tree.findings)
    value, places = copy.deepcopy(tree.value), _Places(tree.value)
    clinic: ClinicFile | None = None
    broken: list[Key] = []
    while clinic is None:  # each round has fewer broken parts
        try:
            clinic = ClinicFile.model_validate(value)
        except ValidationError as error:
            details = [(places.original(_key(detail, value)), detail) for detail in error.errors()]
            if not broken:
                findings += [_explain(key, detail, tree) for key, detail in details]
            fresh = [key for key, detail in details if key not in broken or detail["type"] == "missing"]
            if not fresh or not all(_stand_in(value, key) or places.drop(value, key) for key in fresh):
                return None, findings
            broken += fresh
    known = checking.Known.of(tree.value)
    for finding in checking.check(clinic, known):
        moved = Finding(
            places.original(finding.key),
            finding.problem,
            finding.hint,
            tuple(places.original(key) for key in finding.relies_on),
            places.original(finding.see) if finding.see else None,
        )
        if not any(_under(key, whole) for whole in (moved.key, *moved.relies_on) for key in broken):
            findings.append(moved)
    return clinic, findings


_STAND_INS: Mapping[str, Mapping[str, Any]] = {
    "clinic": {"name": "-", "timezone": "UTC", "phone": "+10000000000"},
    "emergency": {"say": "-"},
    "handoff": {"hours": {}, "transfer_to": "+10000000000"},
}


def _stand_in(value: Any, key: Key) -> bool:
    """Put something harmless where the file must say something and does not, so that the rest can be looked at."""
    section, rest = str(key[0]) if key else "", key[1:]
    if section not in _STAND_INS or (rest and rest[0] not in _STAND_INS[section]):
        return False
    if not isinstance(value.get(section), dict):
        value[section] = {}
    for name in rest[:1] or _STAND_INS[section]:
        value[section][name] = _STAND_INS[section][str(name)]
    return True


class _Places:
    """Where the parts of the file stood before broken ones were taken out of its lists."""

    def __init__(self, value: Any) -> None:
        self._kept: dict[Key, list[int]] = {}
        self._original = value

    def original(self, key: Key) -> Key:
        """The place in the file of a place in what is left."""
        found: Key = ()
        for part in key:
            kept = self._kept.get(found)
            found = (*found, kept[part] if kept is not None and isinstance(part, int) and part < len(kept) else part)
        return found

    def drop(self, value: Any, key: Key) -> bool:
        """Take out the part at this place of the file: the key, where the rest stands without it, else the list item around it.

        False when it belongs to no list and nothing can stand without it.
        """
        *above, last = key
        parent = self._find(value, tuple(above))
        if isinstance(parent, dict) and last in parent:
            del parent[last]
            return True
        for length in range(len(key) - 1, -1, -1):  # the item of a list that is nearest above
            if isinstance(key[length], int) and self._drop_item(value, key[:length], key[length]):
                return True
        return False

    def _drop_item(self, value: Any, place: Key, number: str | int) -> bool:
        items = self._find(value, place)
        if not isinstance(items, list):
            return False
        kept = self._kept.setdefault(place, list(range(len(items))))
        if number not in kept:
            return True  # gone already, with another mistake of the same item
        del items[kept.index(int(number))]
        kept.remove(int(number))
        return True

    def _find(self, value: Any, place: Key) -> Any:
        found: Key = ()
        for part in place:
            kept = self._kept.get(found)
            if kept is not None and isinstance(part, int):
                if part not in kept:
                    return None
                value = value[kept.index(part)]
            elif isinstance(value, (dict, list)):
                try:
                    value = value[part]  # type: ignore[index]
                except (KeyError, IndexError):
                    return None
            else:
                return None
            found = (*found, part)
        return value


def _key(detail: ErrorDetails, value: Any) -> Key:
    """The place of an error: pydantic adds words for union members and keys of dicts, which the file does not have."""
    key: Key = ()
    for number, part in enumerate(detail["loc"]):
        last = number == len(detail["loc"]) - 1
        in_dict = isinstance(value, dict) and part in value
        if in_dict or (isinstance(value, list) and isinstance(part, int) and part < len(value)):
            key, value = (*key, part), value[part]
        elif last and detail["type"] == "missing":
            key = (*key, part)
    return key


def _explain(key: Key, detail: ErrorDetails, tree: Tree) -> Finding:
    kind, context = detail["type"], detail.get("ctx", {})
    value = tree.at(key)
    raw = tree.raw.get(key, value)
    if kind == "missing":
        return Finding(key, f'"{key[-1]}" is missing')
    if kind == "extra_forbidden":
        return Finding(key, f'there is no key "{key[-1]}" here', did_you_mean(str(key[-1]), _possible_keys(key)))
    if value is None:
        return Finding(key, "nothing is written here", "write a value, or leave the key out")
    if kind == "value_error":
        return Finding(key, *_split(str(context["error"])))
    if kind == "string_type":
        if isinstance(value, (dict, list)):
            return Finding(key, "this must be one text")
        said = "yes or no" if isinstance(value, bool) else "a number"
        return Finding(key, f"{raw} is read as {said}", f'put it in quotes: "{raw}"')
    if key[-1] == "keep_for":
        return Finding(key, f'"{raw}" is not possible here', "write urgent, or a list of services, for example [follow-up]")
    if kind == "literal_error":
        possible = [str(choice) for choice in _literals(str(context["expected"]))]
        return Finding(key, f'"{raw}" is not possible here', did_you_mean(str(raw), possible))
    if kind in ("int_type", "int_parsing", "int_from_float"):
        right = f"write {str(raw).lstrip('0') or '0'}" if str(raw).isdigit() else "write digits, for example 20"
        return Finding(key, f'"{raw}" is no whole number', right)
    if kind.startswith("decimal"):
        return Finding(key, f'"{raw}" is no amount of money', "write for example 110.00")
    if kind.startswith("bool"):
        return Finding(key, f'"{raw}" is neither true nor false', "write true or false")
    if kind.startswith("date"):
        return Finding(key, f'"{raw}" is no date', "write for example 2026-11-26")
    if kind == "greater_than_equal":
        return Finding(key, f"{raw} is too small", f"write {context['ge']} or more")
    if kind == "less_than_equal":
        return Finding(key, f"{raw} is too large", f"write {context['le']} or less")
    if kind == "too_short":
        return Finding(key, "there must be at least one here")
    if kind == "list_type":
        return Finding(
            key, "this must be a list", f"write [{raw}]" if not isinstance(value, dict) else "start each item with a hyphen"
        )
    if kind in ("model_type", "dict_type"):
        return Finding(key, "there must be keys with values here")
    return Finding(key, detail["msg"])


def _split(sentence: str) -> tuple[str, str]:
    problem, _, hint = sentence.partition("; ")
    return problem, hint


def _literals(expected: str) -> list[str]:
    """Of "'new', 'established' or 'any'" the three words."""
    return [part.strip().strip("'") for part in expected.replace(" or ", ", ").split(",") if part.strip()]


def _possible_keys(key: Key) -> Iterator[str]:
    """The keys of the part of the schema that a key stands in."""
    model: Any = ClinicFile
    for part in key[:-1]:
        if isinstance(part, str) and isinstance(model, type) and issubclass(model, BaseModel):
            fields: Mapping[str, Any] = {field.alias or name: field for name, field in model.model_fields.items()}
            model = _model_in(fields[part].annotation) if part in fields else None
    if isinstance(model, type) and issubclass(model, BaseModel):
        yield from (field.alias or name for name, field in model.model_fields.items())


def _model_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model_in(inner))), None)


def _under(key: Key, whole: Key) -> bool:
    return key[: len(whole)] == whole


def _mistake(path: Path, tree: Tree, finding: Finding) -> Mistake:
    hint = finding.hint
    if finding.see is not None:
        hint = f"{hint}; " * bool(hint) + f"the other is on line {tree.line(finding.see)}"
    key = finding.key[:-1] if finding.key[-1:] == ("again",) else finding.key
    return Mistake(path, tree.line(finding.key), written(key), finding.problem, hint)


def _in_order(mistakes: set[Mistake]) -> list[Mistake]:
    return sorted(mistakes, key=lambda mistake: (mistake.line, mistake.key, mistake.problem))
