"""Settings from a file and beside the results, so that a table can be made again."""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labrig_analysis.settings import MeasureSettings
from labrig_measure.errors import MeasureError


def read_settings(path: Path) -> MeasureSettings:
    """Settings from a JSON file; what it leaves out keeps its default.

    Raises:
        MeasureError: unreadable, an unknown name, or a value of the wrong kind.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise MeasureError(f"settings {path} cannot be read: {error}; give a JSON file") from error
    if not isinstance(content, Mapping):
        raise MeasureError(f"settings {path} hold no names and values; give a JSON object")
    return settings_from(content.get("settings", content), str(path))


def settings_from(content: Mapping[str, Any], where: str) -> MeasureSettings:
    """Settings from plain data.

    Args:
        content: by group and name, e.g. ``{"fusion": {"min_nuclei": 3}}``.
        where: named in errors.

    Raises:
        MeasureError: an unknown name, or a value of the wrong kind.
    """
    from pydantic import TypeAdapter, ValidationError

    _refuse_unknown(MeasureSettings(), content, where)
    try:
        return TypeAdapter(MeasureSettings).validate_python(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(map(str, first["loc"]))
        raise MeasureError(
            f"settings {where}: {name} is {first['input']!r}: {first['msg']}"
        ) from error


def settings_to_json(settings: MeasureSettings) -> dict[str, Any]:
    """Plain data, every default in force spelt out."""
    return dataclasses.asdict(settings)


def settings_sha256(settings: MeasureSettings) -> str:
    """Of the canonical JSON: equal settings, equal hash."""
    return written_sha256(settings_to_json(settings))


def written_sha256(content: Mapping[str, Any]) -> str:
    """Of settings as a file has them: that of their day, also where settings were added since."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _refuse_unknown(settings: object, content: object, where: str) -> None:
    if not dataclasses.is_dataclass(settings):
        return
    if not isinstance(content, Mapping):
        raise MeasureError(f"settings {where}: {type(settings).__name__} wants names and values")
    known = {field.name for field in dataclasses.fields(settings)}
    for name, value in content.items():
        if name not in known:
            close = difflib.get_close_matches(str(name), known, 1)
            hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(sorted(known))}"
            raise MeasureError(f"settings {where}: {name} is unknown; {hint}")
        _refuse_unknown(getattr(settings, str(name)), value, f"{where}, {name}")
