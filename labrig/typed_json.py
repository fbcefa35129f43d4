"""Frozen dataclasses as JSON and back without loss, every mistake with its path.

A tuple is a list, a dataclass an object by field; classes of a union are told apart by ``kind``.
Floats keep all their digits, and infinity, which JSON lacks, is a text. Standard library only: the
runner loads this.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
Reader = Callable[[Any], Any]


class NotAsTyped(ValueError):
    """A value of another shape than its class has; the message ends with what, after its path."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what
        self.path = ""

    def inside(self, step: str) -> NotAsTyped:
        """The same mistake, seen from the container around it."""
        self.path = step + self.path
        return self

    def __str__(self) -> str:
        return f"{self.path}: {self.what}" if self.path else self.what


class TypedJson:
    """Reads and writes one family of dataclasses.

    Args:
        kind_of: by class, the word that tells it apart in a union.
        may_lack: by class, fields with a default that documents of an older labrig lack.
    """

    def __init__(
        self,
        kind_of: Mapping[Any, str] | None = None,
        may_lack: Mapping[Any, frozenset[str]] | None = None,
    ) -> None:
        self._kind_of = kind_of or {}
        self._may_lack = may_lack or {}
        self._readers: dict[Any, Reader] = {}
        self._in_making: dict[Any, Reader] = {}
        self._making = threading.RLock()
        self._names: dict[Any, tuple[str, ...]] = {}
        self._by_kind = {kind: cls for cls, kind in self._kind_of.items()}
        self._texts: dict[str, str] = {}

    def plain(self, value: Any) -> Any:  # noqa: ANN401 - any JSON value
        """A value of these classes as JSON holds it."""
        if isinstance(value, float) and not math.isfinite(value):
            return str(value)  # JSON has no infinity; Shannon's k of silence is -inf
        if isinstance(value, (str, int, float)) or value is None:
            return value
        if isinstance(value, Mapping):
            return {key: self.plain(item) for key, item in value.items()}
        if isinstance(value, Sequence):
            return [self.plain(item) for item in value]
        kind = self._kind_of.get(type(value))
        made: dict[str, Any] = {} if kind is None else {"kind": kind}
        for name in self._fields(type(value)):
            made[name] = self.plain(getattr(value, name))
        return made

    def read(self, cls: type[T], value: Any) -> T:  # noqa: ANN401 - any JSON value
        """What :meth:`plain` gave, as the class it was.

        Raises:
            NotAsTyped: a field is missing, unknown or of another type.
        """
        try:
            made: T = self._reader(cls)(value)
        finally:
            self._texts.clear()
        return made

    def read_text(self, cls: type[T], text: str, pick: Callable[[Any], Any]) -> T:
        """The same, of a document as text, in little memory however many members of a union it has.

        Each of them is made as soon as its object has been read, and equal texts in them are one.

        Args:
            cls: what is read.
            text: JSON.
            pick: looks at the document, and gives what :meth:`plain` gave.

        Raises:
            json.JSONDecodeError: it is no JSON.
            NotAsTyped: as :meth:`read`; also what ``pick`` raises.
        """
        try:
            return self.read(cls, pick(json.loads(text, object_hook=self._made_at_once)))
        finally:
            self._texts.clear()

    def _made_at_once(self, value: dict[str, Any]) -> Any:  # noqa: ANN401 - a dict, or an object
        cls = self._by_kind.get(value["kind"]) if type(value.get("kind")) is str else None
        if cls is None:
            return value
        try:
            return self._reader(cls)(value)
        except NotAsTyped:
            # Whoever reads what it stands in says where it is.
            return value

    def _text(self, value: Any) -> str:  # noqa: ANN401
        if type(value) is not str:
            raise NotAsTyped(f"{value!r} is not str")
        return self._texts.setdefault(value, value)

    def _fields(self, cls: Any) -> tuple[str, ...]:  # noqa: ANN401 - any of the dataclasses
        if cls not in self._names:
            self._names[cls] = tuple(field.name for field in fields(cls))
        return self._names[cls]

    def _reader(self, wanted: Any) -> Reader:  # noqa: ANN401 - a type form
        """What turns JSON into a ``wanted``; made once per type, since a plan has many entries."""
        found = self._readers.get(wanted)
        if found is not None:
            return found
        with self._making:
            return self._readers.get(wanted) or self._in_making.get(wanted) or self._make(wanted)

    def _make(self, wanted: Any) -> Reader:  # noqa: ANN401 - a type form
        """With all that it is made of; other threads find all of it or nothing."""
        outermost = not self._in_making
        # a class may hold others of itself: those are read by what is made here
        self._in_making[wanted] = lambda value: self._readers[wanted](value)
        try:
            made = self._in_making[wanted] = self._made(wanted)
            if outermost:
                self._readers.update(self._in_making)
        finally:
            if outermost:
                self._in_making.clear()
        return made

    def _made(self, wanted: Any) -> Reader:  # noqa: ANN401 - a type form
        origin = get_origin(wanted)
        if isinstance(wanted, type) and is_dataclass(wanted):
            return self._of_dataclass(wanted)
        if origin in (Union, UnionType):
            return self._of_union(get_args(wanted))
        if origin in (tuple, Sequence):
            parts = get_args(wanted)
            return self._of_tuple(parts if origin is tuple else (*parts, Ellipsis))
        if origin in (dict, Mapping):
            return self._of_mapping(get_args(wanted)[1])
        if origin is Literal:
            return _of_literal(get_args(wanted))
        if wanted is Any:
            return lambda value: value
        if wanted is str:
            return self._text
        return _float if wanted is float else _exactly(wanted)

    def _of_dataclass(self, cls: type[Any]) -> Reader:
        hints = get_type_hints(cls)
        readers = {name: self._reader(hints[name]) for name in self._fields(cls)}
        expected = readers.keys() | ({"kind"} if cls in self._kind_of else set())
        may_lack = self._may_lack.get(cls, frozenset())

        def read(value: Any) -> Any:  # noqa: ANN401
            if not isinstance(value, dict):
                raise NotAsTyped(f"expected the fields of {cls.__name__}, got {value!r}")
            odd = (value.keys() ^ expected) - (may_lack - value.keys())
            if odd:
                raise NotAsTyped(f"missing or unknown in {cls.__name__}: {', '.join(sorted(odd))}")
            made = {}
            for name, reader in readers.items():
                if name not in value:
                    continue
                try:
                    made[name] = reader(value[name])
                except NotAsTyped as wrong:
                    raise wrong.inside(f".{name}") from None
            return cls(**made)

        return read

    def _of_union(self, options: tuple[Any, ...]) -> Reader:
        if NoneType in options:
            (other,) = (option for option in options if option is not NoneType)
            present = self._reader(other)
            return lambda value: None if value is None else present(value)
        readers = {self._kind_of[option]: self._reader(option) for option in options}

        def read(value: Any) -> Any:  # noqa: ANN401
            if type(value) in options:
                return value
            kind = value.get("kind") if isinstance(value, dict) else None
            if kind not in readers:
                raise NotAsTyped(f"kind {kind!r} is none of {', '.join(readers)}")
            return readers[kind](value)

        return read

    def _of_tuple(self, parts: tuple[Any, ...]) -> Reader:
        endless = parts[1:] == (Ellipsis,)
        readers = [self._reader(part) for part in (parts[:1] if endless else parts)]

        def read(value: Any) -> tuple[Any, ...]:  # noqa: ANN401
            if not isinstance(value, list):
                raise NotAsTyped(f"expected a list, got {value!r}")
            if not endless and len(value) != len(readers):
                raise NotAsTyped(f"expected {len(readers)} items, got {len(value)}")
            made = []
            for index, item in enumerate(value):
                try:
                    made.append(readers[0 if endless else index](item))
                except NotAsTyped as wrong:
                    raise wrong.inside(f"[{index}]") from None
            return tuple(made)

        return read

    def _of_mapping(self, of_values: Any) -> Reader:  # noqa: ANN401 - a type form
        reader = self._reader(of_values)

        def read(value: Any) -> dict[str, Any]:  # noqa: ANN401
            if not isinstance(value, dict):
                raise NotAsTyped(f"expected an object, got {value!r}")
            made = {}
            for key, item in value.items():
                try:
                    made[key] = reader(item)
                except NotAsTyped as wrong:
                    raise wrong.inside(f".{key}") from None
            return made

        return read


def _float(value: Any) -> float:  # noqa: ANN401
    if type(value) in (float, int) or value in ("inf", "-inf"):
        return float(value)
    raise NotAsTyped(f"{value!r} is not a number")


def _exactly(wanted: type[Any]) -> Reader:
    def read(value: Any) -> Any:  # noqa: ANN401
        if type(value) is not wanted:
            raise NotAsTyped(f"{value!r} is not {wanted.__name__}")
        return value

    return read


def _of_literal(options: tuple[Any, ...]) -> Reader:
    def read(value: Any) -> Any:  # noqa: ANN401
        if value not in options:
            raise NotAsTyped(f"{value!r} is none of {', '.join(map(str, options))}")
        return value

    return read
