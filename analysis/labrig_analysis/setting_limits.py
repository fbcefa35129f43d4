"""Refuse settings outside the range in which they mean something."""

from __future__ import annotations

import math
from collections.abc import Mapping

Limits = Mapping[str, tuple[float, float]]
"""By name, the least and the greatest value; `math.inf` where nothing bounds it."""


def check_limits(settings: object, limits: Limits) -> None:
    """Refuse a setting that lies outside its limits; what is None is not looked at.

    Raises:
        ValueError: it names the setting, its value and what to give.
    """
    for name, (least, most) in limits.items():
        value = getattr(settings, name)
        if value is not None and not least <= value <= most:
            wanted = f"{least:g} or more" if most == math.inf else f"{least:g} to {most:g}"
            raise ValueError(f"{type(settings).__name__}.{name} is {value}; give {wanted}")
