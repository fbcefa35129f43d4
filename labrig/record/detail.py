"""What a row says, as a value of its class and as the JSON of its detail. Pure.

A class of rows is a frozen dataclass whose fields are the keys of the detail. A field without a
default must be there when a row is read; one with a default may be missing from what an older
labrig wrote, and is written all the same, unless it is :func:`left_out`. Keys that no field has
(of a newer labrig) are passed over: they stay in the row.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
_Check = Callable[[Any], bool]


class BadDetail(ValueError):
    """A key is missing, or holds what it should not; the message names it."""


def left_out(default: T) -> T:
    """A field that stands in the detail only where it is not this."""
    found: T = field(default=default, metadata={"left out": True})
    return found


WITHIN: Mapping[str, bool] = {"within": True}
"""Metadata of a field whose own fields stand among the others in the detail."""
PERHAPS_WITHIN: Mapping[str, bool] = {"within": True, "left out": True}
"""The same of one that is None where its first key is missing."""


THE_REST: Mapping[str, bool] = {"rest": True}
"""Metadata of a mapping of all keys that no field has and whose values are numbers or None."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One field, compiled; a value of one of the ``plain`` types is taken as it is."""

    name: str
    default: Any
    left_out: bool
    within: type[Any] | None
    is_list: bool
    plain: frozenset[type]
    check: _Check
    what: str
    rest: bool = False


def to_detail(said: Any) -> dict[str, Any]:  # noqa: ANN401 - any class of rows
    """The detail of a row that says this."""
    detail: dict[str, Any] = {}
    for part in _parts(type(said)):
        value = getattr(said, part.name)
        if part.left_out and value == part.default:
            continue
        if part.rest:
            detail |= value
        elif part.within is not None:
            detail |= to_detail(value)
        else:
            detail[part.name] = list(value) if part.is_list else value
    return detail


def from_detail(cls: type[T], detail: Mapping[str, Any]) -> T:
    """What a row with this detail says.

    Raises:
        BadDetail: a key is missing, or holds what it should not.
    """
    values = []
    for part in _parts(cls):
        value = detail.get(part.name, MISSING)
        if type(value) in part.plain:
            values.append(value)  # nearly all of them: a journal of days has millions
            continue
        if part.rest:
            values.append(_rest(cls, detail))
            continue
        if part.within is not None:
            values.append(_from_within(part, part.within, detail))
            continue
        if value is MISSING:
            value = part.default
            if value is MISSING:
                raise BadDetail(f"has no {part.name!r}")
        elif not part.check(value):
            raise BadDetail(f"says {part.name!r}: {value!r:.80}, which is not {part.what}")
        elif part.is_list:
            value = tuple(value)
        values.append(value)
    return cls(*values)


def _rest(cls: type[Any], detail: Mapping[str, Any]) -> dict[str, float | None]:
    named = {part.name for part in _parts(cls)}
    return {k: v for k, v in detail.items() if k not in named and _is_number_or_none(v)}


def _is_number_or_none(value: Any) -> bool:  # noqa: ANN401
    return value is None or _is_number(value)


def _is_number(value: Any) -> bool:  # noqa: ANN401
    """Also a float of numpy's, of what a driver gives: JSON has but one kind."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _from_within(part: _Part, cls: type[Any], detail: Mapping[str, Any]) -> Any:  # noqa: ANN401
    if part.left_out and _parts(cls)[0].name not in detail:
        return None
    return from_detail(cls, detail)


_compiled: dict[type[Any], tuple[_Part, ...]] = {}


def _parts(cls: type[Any]) -> tuple[_Part, ...]:
    found = _compiled.get(cls)
    if found is None:
        hints = get_type_hints(cls)
        found = _compiled[cls] = tuple(
            _part(each.name, hints[each.name], each.default, each.metadata) for each in fields(cls)
        )
    return found


def _part(name: str, hint: Any, default: Any, metadata: Mapping[str, Any]) -> _Part:  # noqa: ANN401
    if metadata.get("rest"):
        return _Part(name, default, False, None, False, frozenset(), _anything, "", rest=True)
    if metadata.get("within"):
        hints: tuple[Any, ...] = (hint, *get_args(hint))
        cls = next(each for each in hints if isinstance(each, type) and is_dataclass(each))
        return _Part(name, default, "left out" in metadata, cls, False, frozenset(), _anything, "")
    check, what = _checked(hint)
    is_list = get_origin(hint) is tuple
    plain = frozenset(_types(hint))
    return _Part(name, default, "left out" in metadata, None, is_list, plain, check, what)


def _anything(value: Any) -> bool:  # noqa: ANN401
    return True


def _types(hint: Any) -> Iterator[type]:  # noqa: ANN401
    """Types of which every value will do, so that nothing else need be asked: this is quick."""
    if get_origin(hint) in (Union, types.UnionType):
        for argument in get_args(hint):
            yield from _types(argument)
    elif get_origin(hint) is Literal:
        yield str
    elif hint is float:
        yield from (float, int)
    elif hint in (str, bool, int, type(None)):
        yield hint


_PLAIN: dict[Any, tuple[_Check, str]] = {
    str: (lambda value: isinstance(value, str), "a text"),
    bool: (lambda value: type(value) is bool, "true or false"),
    int: (lambda value: type(value) is int, "a whole number"),
    float: (_is_number, "a number"),
    type(None): (lambda value: value is None, "null"),
    Any: (_anything, "anything"),
}


def _checked(hint: Any) -> tuple[_Check, str]:  # noqa: ANN401
    """How a value of this type is told in JSON; a Literal is any text: a newer labrig has more."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return _PLAIN[str]
    if origin is tuple:
        one, what = _checked(arguments[0])
        return lambda value: type(value) is list and all(map(one, value)), f"a list, each {what}"
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        one, what = _checked(arguments[1])
        return (
            lambda value: isinstance(value, dict) and all(map(one, value.values())),
            f"a table, each {what}",
        )
    if origin in (Union, types.UnionType):
        checks = [_checked(argument) for argument in arguments]
        firsts = tuple(check for check, _ in checks)
        what = " or ".join(what for _, what in checks)
        return lambda value: any(check(value) for check in firsts), what
    raise TypeError(f"{hint} is no type that a row can hold")
