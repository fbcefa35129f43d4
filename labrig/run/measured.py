"""What was measured, as data: the one form in which a reading comes from an instrument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Measured:
    """What one look at one instrument gave.

    Attributes:
        values: by quantity, which carries its unit in its name (``co2_percent``); None: it gave
            none. JSON values.
        at_s: on the run's clock.
        trusted: the instrument itself vouches for it; ``note`` says why it does not.
    """

    instrument: str
    values: Mapping[str, Any]
    at_s: float
    trusted: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """All that was measured of one instrument, as far as a rule may ask for it.

    Attributes:
        latest: the last look.
        trusted_s: by quantity, when it last had a value that could be trusted.
    """

    latest: Measured
    trusted_s: Mapping[str, float] = field(default_factory=dict)

    def value(self, quantity: str) -> float | None:
        """As last measured, a yes as 1; None: nothing that could be trusted."""
        value = self.latest.values.get(quantity)
        return float(value) if self.latest.trusted and isinstance(value, int | float) else None


def seen_by(before: Seen | None, look: Measured) -> Seen:
    """What is seen after one more look."""
    trusted_s = {} if before is None else dict(before.trusted_s)
    if look.trusted:
        trusted_s |= {q: look.at_s for q, value in look.values.items() if value is not None}
    return Seen(look, trusted_s)
