"""Rasa without TensorFlow: a stand-in takes its place, because nothing in our pipeline computes with it.

Rasa imports TensorFlow for components that we do not use (DIET, TED). The real one costs 300 MB of memory and several seconds at
every start. Import this module before Rasa.
"""

import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Sequence
from typing import Any

STOOD_IN = frozenset({"tensorflow", "keras", "tensorflow_hub", "tensorflow_text"})


class _Anything(type):
    """Any attribute of a stand-in is the stand-in, so that classes can be derived from it and annotations name it."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return cls


class _StandIn(metaclass=_Anything):
    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __class_getitem__(cls, _: Any) -> Any:
        return cls

    def __call__(self, decorated: Any = None, *_: Any, **__: Any) -> Any:
        return decorated


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.split(".")[0] in STOOD_IN:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        module = types.ModuleType(spec.name)
        module.__dict__["__getattr__"] = lambda name: getattr(_StandIn, name)
        return module

    def exec_module(self, module: types.ModuleType) -> None: ...


sys.meta_path.insert(0, _Finder())
