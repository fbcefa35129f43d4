"""How tubes are found in phase contrast; apart, so that a command line can name it at once."""

from __future__ import annotations

from typing import Literal

PhaseMask = Literal["rules", "learned"]
