"""The state of simulated instruments as plain JSON, and back into instruments made anew.

A simulator is any Python object; what makes its state is found by walking its attributes. To
restore, the same bench is made again and each object gets back what it held: callables, locks and
files stay those of the new one. Reading runs no code that the file names; a class is only looked
up among those that the bench has loaded.
"""

from __future__ import annotations

import random
import sys
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from enum import Enum
from functools import cache
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

_KEPT_TYPES = (FunctionType, MethodType, BuiltinFunctionType, type, type(threading.RLock()))
_SEQUENCES: dict[str, Any] = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
_MAPS: dict[str, Any] = {"dict": dict, "Counter": Counter}


class NoSnapshot(Exception):
    """Something in the bench cannot be written down, or is not there to be restored."""


def capture(root: object, kept: tuple[type, ...]) -> dict[str, Any]:
    """All that ``root`` holds, as plain JSON.

    Args:
        root: objects of the bench.
        kept: classes whose objects stay those of the bench made anew.

    Raises:
        NoSnapshot: it holds something of an unknown kind, such as a running generator.
    """
    writer = _Writer(kept)
    return {"root": writer.value(root), "objects": writer.objects}


def restore(root: object, captured: dict[str, Any]) -> None:
    """Give ``root``, made as the one that was captured had been, what that one held.

    Raises:
        NoSnapshot: it was made otherwise; ``root`` is then half changed and not to be used.
    """
    try:
        _Reader(captured["objects"]).value(captured["root"], root)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise NoSnapshot(f"{error!r}") from error


class _Writer:
    def __init__(self, kept: tuple[type, ...]) -> None:
        self._kept = (*_KEPT_TYPES, *kept)
        self._numbers: dict[int, int] = {}
        self._alive: list[object] = []
        self.objects: list[Any] = []

    def value(self, value: object) -> Any:  # noqa: ANN401 - JSON values
        if value is None or type(value) in (bool, int, str):
            return value
        if type(value) is float:
            return {"float": value.hex()}
        number = self._numbers.get(id(value))
        if number is None:
            number = self._numbers[id(value)] = len(self.objects)
            self._alive.append(value)  # so that no other object gets its id
            self.objects.append(None)
            self.objects[number] = self._object(value)
        return {"object": number}

    def _object(self, value: Any) -> Any:  # noqa: ANN401
        kind = type(value).__name__
        match value:
            case _ if isinstance(value, self._kept):
                return {"kept": kind}
            case Enum():
                return {"enum": _name(type(value)), "name": value.name}
            case bytes() | bytearray():
                return {kind: bytes(value).hex()}
            case random.Random():
                version, state, gauss = value.getstate()
                return {"random": [version, list(state), gauss]}
            case deque():
                return {"deque": [self.value(part) for part in value], "most": value.maxlen}
            case defaultdict():
                return {"defaultdict": self._pairs(value)}
            case _ if type(value) in _MAPS.values():
                return {kind: self._pairs(value)}
            case _ if type(value) in _SEQUENCES.values():
                parts = sorted(value, key=repr) if isinstance(value, set | frozenset) else value
                return {kind: [self.value(part) for part in parts]}
        if _attributes(value) is None:
            raise NoSnapshot(f"a {_name(type(value))} cannot be written down")
        held = {name: self.value(part) for name, part in _held(value)}
        return {"class": _name(type(value)), "held": held}

    def _pairs(self, value: dict[Any, Any]) -> list[Any]:
        return [[self.value(key), self.value(part)] for key, part in value.items()]


class _Reader:
    def __init__(self, objects: list[Any]) -> None:
        self._objects = objects
        self._made: dict[int, Any] = {}

    def value(self, written: Any, fresh: Any) -> Any:  # noqa: ANN401
        """What was written; ``fresh`` is what stands in its place in the bench made anew."""
        if not isinstance(written, dict):
            return written
        if "float" in written:
            return float.fromhex(written["float"])
        number = written["object"]
        if number not in self._made:
            self._made[number] = self._object(number, self._objects[number], fresh)
        return self._made[number]

    def _object(self, number: int, written: dict[str, Any], fresh: Any) -> Any:  # noqa: ANN401
        (kind, content), *_ = written.items()
        if kind == "kept":
            if fresh is None or type(fresh).__name__ != content:
                raise NoSnapshot(f"there is no {content} where there was one")
            return fresh
        if kind == "class":
            return self._instance(number, _class(content), written["held"], fresh)
        if kind in ("bytes", "bytearray"):
            data = bytes.fromhex(content)
            return data if kind == "bytes" else bytearray(data)
        if kind == "enum":
            return _class(content)[written["name"]]
        if kind == "random":
            made = fresh if isinstance(fresh, random.Random) else random.Random()
            made.setstate((content[0], tuple(content[1]), content[2]))
            return made
        if kind == "deque":
            return deque(self._parts(content, fresh), written["most"])
        if kind in _SEQUENCES:
            if kind == "list" and isinstance(fresh, list):
                self._made[number] = fresh
                fresh[:] = self._parts(content, list(fresh))
                return fresh
            return _SEQUENCES[kind](self._parts(content, fresh))
        return self._map(number, kind, content, fresh)

    def _parts(self, content: list[Any], fresh: Any) -> list[Any]:  # noqa: ANN401
        before = list(fresh) if isinstance(fresh, list | tuple | deque) else []
        before += [None] * (len(content) - len(before))
        return [self.value(part, old) for part, old in zip(content, before, strict=False)]

    def _map(self, number: int, kind: str, content: list[Any], fresh: Any) -> Any:  # noqa: ANN401
        if kind == "defaultdict" and not isinstance(fresh, defaultdict):
            raise NoSnapshot("there is no defaultdict where there was one")
        made = fresh if isinstance(fresh, dict) else _MAPS[kind]()
        self._made[number] = made
        before = dict(made)
        made.clear()
        for key, part in content:
            name = self.value(key, None)
            made[name] = self.value(part, before.get(name))
        return made

    def _instance(self, number: int, kind: Any, held: dict[str, Any], fresh: Any) -> Any:  # noqa: ANN401
        made = fresh if type(fresh) is kind else kind.__new__(kind)
        self._made[number] = made
        for name in _attributes(made) or ():
            if name not in held and hasattr(made, name):
                object.__delattr__(made, name)
        for name, part in held.items():
            object.__setattr__(made, name, self.value(part, getattr(fresh, name, None)))
        return made


def _held(value: object) -> Iterable[tuple[str, Any]]:
    return (
        (name, getattr(value, name)) for name in _attributes(value) or () if hasattr(value, name)
    )


def _attributes(value: object) -> list[str] | None:
    """Names of what an object holds; None when it is not an ordinary one."""
    kind: Any = type(value)
    slots = _slots(kind)
    if hasattr(value, "__dict__"):
        return [*slots, *vars(value)]
    return [*slots] or None


@cache
def _slots(kind: type[Any]) -> tuple[str, ...]:
    return tuple(
        name
        for one in kind.__mro__
        for name in _as_names(one.__dict__.get("__slots__", ()))
        if name not in ("__weakref__", "__dict__")
    )


def _as_names(slots: str | Iterable[str]) -> Iterable[str]:
    return (slots,) if isinstance(slots, str) else slots


def _name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _class(name: str) -> Any:  # noqa: ANN401 - a class
    module, _, path = name.partition(":")
    found: Any = sys.modules[module]
    for part in path.split("."):
        found = getattr(found, part)
    if not isinstance(found, type):
        raise NoSnapshot(f"{name} is no class")
    return found
