"""What of a protocol a commitment fixes."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from labrig.protocol.models import Protocol

# Records of the day and words for readers may change after commitment; all else is fixed.
NOT_FIXED = frozenset(
    {"title", "purpose", "catalogue", "culture", "overrides", "pilot", "simulation"}
)
NOT_FIXED_ANYWHERE = frozenset({"lot", "note"})  # fields; a factor of this name is fixed


def fixed_part(protocol: Protocol) -> dict[str, Any]:
    """What a commitment fixes: everything but the day's records and words for readers.

    Of the record of the culture, what stands on which side of a chip: light and read-outs rest
    on it.
    """
    whole = _without_records(protocol, protocol.model_dump(mode="json", by_alias=True))
    fixed = {k: v for k, v in whole.items() if k not in NOT_FIXED}
    sides = whole["culture"]["compartments"]
    return fixed if sides is None else {**fixed, "culture": {"compartments": sides}}


def _without_records(value: Any, dumped: Any) -> Any:  # noqa: ANN401 - any field and its JSON
    """``dumped`` without the records in it; ``value`` tells fields from names that people chose."""
    if isinstance(value, BaseModel):
        keys = {name: field.alias or name for name, field in type(value).model_fields.items()}
        return {
            key: _without_records(getattr(value, name), dumped[key])
            for name, key in keys.items()
            if name not in NOT_FIXED_ANYWHERE
        }
    if isinstance(value, dict):
        return {k: _without_records(v, dumped[k]) for k, v in value.items()}
    if isinstance(value, tuple):
        return [_without_records(v, d) for v, d in zip(value, dumped, strict=True)]
    return dumped
