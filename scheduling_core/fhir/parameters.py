"""The Parameters resource of an operation, whatever kind of value its sender chose for each parameter."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from scheduling_core.fhir import reading
from scheduling_core.fhir.codes import Resource
from scheduling_core.fhir.reading import MalformedError

_PLAIN = ("valueString", "valueCode", "valueId", "valueUri", "valueDateTime", "valueDate", "valueInstant", "valueInteger")


@dataclass(frozen=True)
class Parameters:
    """`words`: the plain values by name, in order (references by their reference, tokens by their code); `resources` by name."""

    words: dict[str, list[str]]
    resources: dict[str, list[Resource]]

    def first(self, name: str) -> str | None:
        return next(iter(self.words.get(name, [])), None)

    def ids(self, name: str, kind: str) -> list[str]:
        """The ids of references to a kind of resource, each once."""
        return list(dict.fromkeys(reading.id_of(value, kind, name) for value in self.words.get(name, [])))

    def resource(self, name: str) -> Resource | None:
        return next(iter(self.resources.get(name, [])), None)


def read_parameters(resource: Resource, known: Collection[str]) -> Parameters:
    """Raises MalformedError for a parameter that the operation does not have or that holds no value."""
    reading.of_type(resource, "Parameters")
    words: dict[str, list[str]] = {}
    resources: dict[str, list[Resource]] = {}
    for place, parameter in enumerate(reading.objects(resource, "parameter", "Parameters")):
        name = reading.text(parameter, "name", f"Parameters.parameter[{place}]")
        where = f"Parameters.parameter[{name or place}]"
        _refuse_unknown(name, known, where)
        assert name
        if "resource" in parameter:
            resources.setdefault(name, []).append(reading.child(parameter, "resource", where))
        else:
            words.setdefault(name, []).append(_value(parameter, where))
    return Parameters(words, resources)


def from_query(pairs: Iterable[tuple[str, str]], known: Collection[str]) -> Parameters:
    """The parameters of an operation that was asked for with GET; values with commas stand for several. Raises MalformedError."""
    words: dict[str, list[str]] = {}
    for name, value in pairs:
        if name == "_format":
            continue
        _refuse_unknown(name, known, name)
        words.setdefault(name, []).extend(_code(reading.clean(part, name)) for part in value.split(",") if part)
    return Parameters(words, {})


def _refuse_unknown(name: str | None, known: Collection[str], where: str) -> None:
    if name is None or name not in known:
        raise MalformedError(where, f"is no parameter here; there are {', '.join(known)}")


def _value(parameter: Resource, where: str) -> str:
    for element in _PLAIN:
        if element in parameter:
            value = parameter[element]
            if isinstance(value, int) and not isinstance(value, bool):
                return str(value)
            if found := reading.text(parameter, element, where):
                return _code(found)
    for element, inner in (("valueReference", "reference"), ("valueCoding", "code"), ("valueIdentifier", "value")):
        if element in parameter:
            value = reading.child(parameter, element, where)
            if element == "valueReference" and "reference" not in value:
                value, inner = reading.child(value, "identifier", f"{where}.{element}"), "value"
            if found := reading.text(value, inner, f"{where}.{element}"):
                return found
    if said := reading.codes_in([reading.child(parameter, "valueCodeableConcept", where)], where):
        return said[0]
    raise MalformedError(where, "has no value that can be read here")


def _code(value: str) -> str:
    """A token `system|code` as its code."""
    return value.rpartition("|")[2]
