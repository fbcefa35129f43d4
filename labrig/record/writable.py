"""Any value as JSON that can be written and read back: what a journal row or an answer holds.

Total: whatever text, number or object comes in, some JSON goes out, and nearly every value goes
out as it is. What cannot be kept is shown instead (a lone surrogate as U+FFFD, NaN as null, an
object by its repr), because a row that says less is better than a journal that stops.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DEEPEST = 32
"""[P] Levels of nesting; JSON readers give up at some hundreds, each at its own."""
MOST_CHARACTERS = 1_000_000
"""[P] Of one row: some hundred times the largest that a run writes."""
_MOST_PARTS = 20_000
_MOST_SHOWN = 2_000
_LARGEST_INTEGER_BITS = 10_000  # Python refuses to write or read decimals of much more

_NESTED = (dict, list, tuple)
# What holds itself ends in a RecursionError as well, and need not be looked for in every value.
_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False,
    check_circular=False,
)  # fmt: skip


def json_text(value: Any) -> str:  # noqa: ANN401 - that is the point
    """``value`` as canonical JSON that encodes as UTF-8; mended only when it has to be."""
    try:
        text = _ENCODER.encode(value)
        if len(text) <= MOST_CHARACTERS and not _too_deep(text, value):
            text.encode()
            return text
    except (ValueError, TypeError, RecursionError, OverflowError):
        pass
    text = _ENCODER.encode(_mended(value, _Budget(_MOST_PARTS), 0))
    if len(text) <= MOST_CHARACTERS:
        return text
    return _ENCODER.encode({"cut_off_after": text[:_MOST_SHOWN], "characters": len(text)})


def clean_text(text: str) -> str:
    """``text`` with every lone surrogate as U+FFFD; a pair of them is the character it means.

    They come from terminals with another encoding and from emoji cut in two; neither UTF-8 nor
    SQLite can hold them.
    """
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def clean(value: Any) -> Any:  # noqa: ANN401 - JSON values
    """JSON values with every text in them cleaned.

    Raises:
        ValueError: nested deeper than :data:`DEEPEST`.
    """
    return _clean(value, 0)


def shown(value: object) -> str:
    """A repr for a person: never fails, never long, and encodes as UTF-8."""
    try:
        text = repr(value)
    except Exception as error:
        text = f"<{type(value).__name__} without a repr: {type(error).__name__}>"
    text = clean_text(text)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}… ({len(text)} characters)"


def _clean(value: Any, depth: int) -> Any:  # noqa: ANN401 - JSON values
    if depth > DEEPEST:
        raise ValueError(f"nested deeper than {DEEPEST} levels")
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_text(name): _clean(part, depth + 1) for name, part in value.items()}
    if isinstance(value, list):
        return [_clean(part, depth + 1) for part in value]
    return value


@dataclass(slots=True)
class _Budget:
    """Parts that may still be written: a value that holds itself would have no end."""

    parts: int


def _too_deep(text: str, value: Any) -> bool:  # noqa: ANN401
    return text.count("{") + text.count("[") > DEEPEST and _depth(value) > DEEPEST


def _depth(value: Any) -> int:  # noqa: ANN401
    """Levels of nesting; of what is too deep, one more than may be."""
    depth, level = 0, [value] if isinstance(value, _NESTED) else []
    while level and depth <= DEEPEST:
        depth += 1
        level = [
            each
            for part in level
            for each in (part.values() if isinstance(part, dict) else part)
            if isinstance(each, _NESTED)
        ]
    return depth


def _mended(value: Any, left: _Budget, depth: int) -> Any:  # noqa: ANN401
    left.parts -= 1
    if left.parts < 0:
        return "…"
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        small = int.bit_length(value) <= _LARGEST_INTEGER_BITS
        return int(value) if small else f"an integer of {int.bit_length(value)} bits"
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, str):
        return clean_text(str.__str__(value))
    if isinstance(value, bytes | bytearray):
        return bytes(value).hex(" ")
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        if depth >= DEEPEST:
            return "…"
        try:
            return _mended_parts(value, left, depth + 1)
        except Exception:
            return shown(value)
    return shown(value)


def _mended_parts(value: Any, left: _Budget, depth: int) -> Any:  # noqa: ANN401
    if not isinstance(value, Mapping):
        ordered = sorted(value, key=shown) if isinstance(value, set | frozenset) else value
        return [_mended(part, left, depth) for part in ordered if left.parts > 0]
    mended: dict[str, Any] = {}
    for name, part in value.items():
        if left.parts <= 0:
            break
        text = clean_text(name) if isinstance(name, str) else shown(name)
        while text in mended:
            text += "'"
        mended[text] = _mended(part, left, depth)
    return mended
