"""YAML as plain values, with the line of each, and none of YAML's surprises."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from scheduling_core.clinic_file.mistakes import Finding, Key

_BOOL, _INT, _FLOAT, _NULL, _DATE = (f"tag:yaml.org,2002:{kind}" for kind in ("bool", "int", "float", "null", "timestamp"))


class NotYamlError(Exception):
    """The text is not YAML: `line` (counted from 1) and what is wrong there."""

    def __init__(self, line: int, problem: str, hint: str = "") -> None:
        super().__init__(problem)
        self.line, self.problem, self.hint = line, problem, hint


@dataclass
class Tree:
    """`value` holds what the file says in dicts, lists and scalars. `lines` knows the line of each key, `raw` the text of each
    scalar that YAML reads as something else than words, `findings` what went wrong on the way.
    """

    value: Any = None
    lines: dict[Key, int] = field(default_factory=dict)
    raw: dict[Key, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def line(self, key: Key) -> int:
        """The line of a key, or of the nearest part of the file that encloses it."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 1)

    def at(self, key: Key) -> Any:
        """The value at a key, None where there is none."""
        found = self.value
        for part in key:
            try:
                found = found[part]
            except (KeyError, IndexError, TypeError):
                return None
        return found


def parse(text: str) -> Tree:
    """Raises NotYamlError."""
    for number, line in enumerate(text.splitlines(), start=1):
        if "\t" in line[: len(line) - len(line.lstrip())]:
            raise NotYamlError(number, "the line starts with a tab", "use spaces")
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise _in_plain_words(error, text) from None
    except RecursionError:
        raise NotYamlError(1, "the brackets are nested too deeply") from None
    except yaml.reader.ReaderError as error:
        number = text.count("\n", 0, error.position) + 1
        raise NotYamlError(number, f"there is a character that no text has (code {error.character})", "remove it") from None
    tree = Tree()
    if root is not None:
        tree.value = _value(root, (), tree, ())
    return tree


def _value(node: yaml.Node, key: Key, tree: Tree, above: tuple[yaml.Node, ...]) -> Any:
    tree.lines.setdefault(key, node.start_mark.line + 1)
    if node in above:
        tree.findings.append(Finding(key, "the part contains itself", "write it out"))
        return None
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, key, tree, (*above, node))
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*key, number), tree, (*above, node)) for number, item in enumerate(node.value)]
    assert isinstance(node, yaml.ScalarNode)
    return _scalar(node, key, tree)


def _mapping(node: yaml.MappingNode, key: Key, tree: Tree, above: tuple[yaml.Node, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name_node, value_node in node.value:
        if not isinstance(name_node, yaml.ScalarNode):
            tree.findings.append(Finding(key, "a key must be one word", "put its text in quotes"))
            continue
        name = str(name_node.value)  # as written: `on`, `no` and 2026 are words here
        if name == "<<":
            inherited = _value(value_node, (*key, name), tree, above)
            parts = inherited if isinstance(inherited, list) else [inherited]
            for part in parts:
                found = {**part, **found} if isinstance(part, dict) else found
            continue
        if (*key, name) in tree.lines:
            first = tree.lines[*key, name]
            line = name_node.start_mark.line + 1
            tree.lines[*key, name, "again"] = line
            tree.findings.append(
                Finding((*key, name, "again"), f'"{name}" is written twice', f"the first is on line {first}; keep one of them")
            )
            continue
        tree.lines[*key, name] = name_node.start_mark.line + 1
        found[name] = _value(value_node, (*key, name), tree, above)
    return found


def _scalar(node: yaml.ScalarNode, key: Key, tree: Tree) -> Any:
    """YAML 1.1 reads 12:30 as 750, 010 as 8, and no as false. Here a number is a number in digits, and the rest are words."""
    text = str(node.value)
    if any("\ud800" <= character <= "\udfff" for character in text):
        tree.findings.append(Finding(key, "there is half a character in this text", "write the character itself"))
        return "?"
    if node.tag not in (_BOOL, _INT, _FLOAT, _NULL, _DATE):
        return text
    tree.raw[key] = text
    if node.tag == _NULL:
        return None
    if node.tag == _BOOL:
        return text.lower() in ("true", "yes", "on")
    if re.fullmatch(r"[-+]?\d+", text):
        return int(text)
    if re.fullmatch(r"[-+]?\d+\.\d*", text):
        return float(text)
    return text


def _in_plain_words(error: yaml.MarkedYAMLError, text: str) -> NotYamlError:
    lines = text.splitlines()
    mark = error.problem_mark or error.context_mark
    line = min(mark.line + 1 if mark else 1, max(1, len(lines)))
    problem = error.problem or "this is not YAML"
    start = error.context_mark.line + 1 if error.context_mark else line
    if unclosed := next((number for number, said in enumerate(lines[:line], start=1) if said.count('"') % 2), None):
        return NotYamlError(unclosed, "a quotation mark is opened and not closed", "close it in the same line")
    if "mapping values are not allowed" in problem:
        before = next((number for number in range(line - 1, 0, -1) if lines[number - 1].strip()), line)
        if ":" not in lines[before - 1] and not lines[before - 1].lstrip().startswith(("-", "#")):
            return NotYamlError(before, "the colon after the key is missing", 'write "key: value"')
        return NotYamlError(
            line, "there is a colon where none can be", "put text that holds a colon in quotes, or check the indentation"
        )
    if "could not find expected ':'" in problem:
        return NotYamlError(start, "the colon after the key is missing", 'write "key: value"')
    if "quoted scalar" in (error.context or ""):
        return NotYamlError(start, "a quotation mark is opened and not closed", "close it in the same line")
    if "flow" in (error.context or ""):
        return NotYamlError(
            start, "a bracket is opened and not closed, or a comma is missing in it", "check the brackets and commas"
        )
    if "expected <block end>" in problem or "block" in (error.context or ""):
        return NotYamlError(line, "the indentation does not fit the lines above", "put keys that belong together in one column")
    if "cannot start any token" in problem:
        character = re.search(r"character '(.+?)'", problem)
        return NotYamlError(line, f"text cannot start with {character[1] if character else 'this character'}", "put it in quotes")
    if "expected a single document" in (error.context or ""):
        return NotYamlError(line, "a second document starts here", "keep one clinic in a file, without a line of ---")
    if "undefined alias" in problem:
        return NotYamlError(line, "text cannot start with * here", "put it in quotes")
    return NotYamlError(line, problem)
