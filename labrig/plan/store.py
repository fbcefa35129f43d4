"""A plan as one JSON document, and back, without loss.

The layout follows the dataclasses: a list of fields by name, a tuple as a list, and every
timeline entry with its ``kind``. Floats are written with all their digits, so reading gives
back an equal plan. Standard library only: the runner loads this.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from labrig.plan.plan import Plan, WellPlan
from labrig.plan.timeline import Film, Frame, TimelineEntry, TrainSpec
from labrig.run_folder import RunFolder

FORMAT = "labrig.plan"
VERSION = 2
OLDER: Mapping[Any, Mapping[str, Any]] = {1: {"protocol": "", "rig": ""}}
"""By version that is still read, what its plans do not hold yet and how that reads."""

_KIND_OF: Mapping[Any, str] = {cls: cls.kind for cls in get_args(TimelineEntry)}
_NAMES: dict[Any, tuple[str, ...]] = {}
_ADDED: dict[Any, frozenset[str]] = {
    WellPlan: frozenset({"carriers", "open_to"}),
    TrainSpec: frozenset({"amplitude_ma"}),
    Frame: frozenset({"z_um"}),
    Film: frozenset({"z_um"}),
    Plan: frozenset({"interlocks"}),
}
"""Fields that plans of an older labrig lack; they are read as their defaults."""


class PlanFormatError(ValueError):
    """A document that is not a plan this version can read."""


def read_plan(folder: RunFolder) -> Plan:
    """The compiled plan of a run.

    Raises:
        PlanFormatError: it cannot be read.
    """
    return from_json(folder.plan.read_text(encoding="utf-8"))


def to_json(plan: Plan) -> str:
    """The plan as JSON, the same text for the same plan."""
    document = {"format": FORMAT, "version": VERSION, "plan": _plain(plan)}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def from_json(text: str) -> Plan:
    """Read what :func:`to_json` wrote.

    Raises:
        PlanFormatError: not JSON, not a plan, of another version, or a field is missing,
            unknown or of the wrong type; the message gives its path.
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise PlanFormatError(f"plan: not JSON ({error}); copy plan.json again") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise PlanFormatError(f"plan: not a {FORMAT} document")
    version, content = document.get("version"), document.get("plan")
    if version != VERSION and version not in OLDER:
        raise PlanFormatError(
            f"plan: version {version!r}, this labrig reads {VERSION}; "
            "compile the protocol again or use the labrig that wrote it"
        )
    if version != VERSION and isinstance(content, dict):
        content = {**OLDER[version], **content}
    try:
        plan: Plan = _reader(Plan)(content)
    except _Wrong as wrong:
        raise PlanFormatError(f"plan{wrong.path}: {wrong.what}") from None
    return plan


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no infinity; Shannon's k of silence is -inf
    if isinstance(value, (str, int, float)) or value is None:
        return value
    kind = _KIND_OF.get(type(value))
    made: dict[str, Any] = {} if kind is None else {"kind": kind}
    for name in _names(type(value)):
        made[name] = _plain(getattr(value, name))
    return made


def _names(cls: Any) -> tuple[str, ...]:  # noqa: ANN401 - any of the plan's dataclasses
    if cls not in _NAMES:
        _NAMES[cls] = tuple(field.name for field in fields(cls))
    return _NAMES[cls]


class _Wrong(Exception):
    """A value of the wrong shape; the path grows as it passes its containers."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.path = ""

    def inside(self, step: str) -> _Wrong:
        self.path = step + self.path
        return self


Reader = Callable[[Any], Any]


@cache
def _reader(wanted: Any) -> Reader:  # noqa: ANN401 - a type form
    """What turns JSON into a ``wanted``; made once a type, since a plan has many entries."""
    origin = get_origin(wanted)
    if isinstance(wanted, type) and is_dataclass(wanted):
        return _dataclass_reader(wanted)
    if origin in (Union, UnionType):
        return _union_reader(get_args(wanted))
    if origin is tuple:
        return _tuple_reader(get_args(wanted))
    if origin is Literal:
        return _literal_reader(get_args(wanted))
    if wanted is float:
        return _read_float
    return _exact_reader(wanted)


def _read_float(value: Any) -> float:  # noqa: ANN401
    if type(value) in (float, int) or value in ("inf", "-inf"):
        return float(value)
    raise _Wrong(f"{value!r} is not a number")


def _exact_reader(wanted: type[Any]) -> Reader:
    def read(value: Any) -> Any:  # noqa: ANN401
        if type(value) is not wanted:
            raise _Wrong(f"{value!r} is not {wanted.__name__}")
        return value

    return read


def _literal_reader(options: tuple[Any, ...]) -> Reader:
    def read(value: Any) -> Any:  # noqa: ANN401
        if value not in options:
            raise _Wrong(f"{value!r} is none of {', '.join(map(str, options))}")
        return value

    return read


def _dataclass_reader(cls: type[Any]) -> Reader:
    hints = get_type_hints(cls)
    readers = {name: _reader(hints[name]) for name in _names(cls)}
    expected = readers.keys() | ({"kind"} if cls in _KIND_OF else set())
    added = _ADDED.get(cls, frozenset())

    def read(value: Any) -> Any:  # noqa: ANN401
        if not isinstance(value, dict):
            raise _Wrong(f"expected the fields of {cls.__name__}, got {value!r}")
        odd = (value.keys() ^ expected) - (added - value.keys())
        if odd:
            raise _Wrong(f"missing or unknown in {cls.__name__}: {', '.join(sorted(odd))}")
        made = {}
        for name, reader in readers.items():
            if name not in value:
                continue
            try:
                made[name] = reader(value[name])
            except _Wrong as wrong:
                raise wrong.inside(f".{name}") from None
        return cls(**made)

    return read


def _union_reader(options: tuple[Any, ...]) -> Reader:
    if NoneType in options:
        (other,) = (option for option in options if option is not NoneType)
        present = _reader(other)
        return lambda value: None if value is None else present(value)
    readers = {_KIND_OF[option]: _reader(option) for option in options}

    def read(value: Any) -> Any:  # noqa: ANN401
        kind = value.get("kind") if isinstance(value, dict) else None
        if kind not in readers:
            raise _Wrong(f"kind {kind!r} is none of {', '.join(readers)}")
        return readers[kind](value)

    return read


def _tuple_reader(parts: tuple[Any, ...]) -> Reader:
    endless = parts[1:] == (Ellipsis,)
    readers = [_reader(part) for part in (parts[:1] if endless else parts)]

    def read(value: Any) -> tuple[Any, ...]:  # noqa: ANN401
        if not isinstance(value, list):
            raise _Wrong(f"expected a list, got {value!r}")
        if not endless and len(value) != len(readers):
            raise _Wrong(f"expected {len(readers)} items, got {len(value)}")
        made = []
        for index, item in enumerate(value):
            try:
                made.append(readers[0 if endless else index](item))
            except _Wrong as wrong:
                raise wrong.inside(f"[{index}]") from None
        return tuple(made)

    return read
