"""Settings of a measurement from YAML, as protocols and rigs are written, or JSON."""

from __future__ import annotations

from pathlib import Path

from labrig_analysis.settings import MeasureSettings
from labrig_measure.errors import MeasureError
from labrig_measure.settings_file import settings_from


def read_settings(path: Path) -> MeasureSettings:
    """Settings from a JSON or YAML file; what it leaves out keeps its default.

    Raises:
        MeasureError: unreadable, an unknown name, or a value of the wrong kind.
    """
    from labrig.problems import FileProblems
    from labrig.yaml_file import read_yaml

    try:
        # JSON is YAML too, so the settings.json beside any result can be handed back in.
        content = read_yaml(path).data
    except FileProblems as error:
        raise MeasureError(f"settings {path} cannot be read: {error.problems[0]}") from error
    return settings_from(content.get("settings", content), str(path))
