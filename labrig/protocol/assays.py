"""Assays: test pulses in steps, each step filmed, that say more of a culture than one twitch does.

A staircase of amplitudes gives the capture threshold, trains of rising frequency the
force–frequency curve, minutes of trains the fatigue, single pulses the twitch. What an assay asks
is free of hardware: :mod:`labrig.plan.series` decides which well is tested when.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError

from labrig.name_types import Name
from labrig.protocol.nmj_assay import Nmj
from labrig.quantities import Hertz, Milliamperes, Ms, Percent, Seconds, Volts
from labrig.strict_model import Strict
from labrig.units import parse_quantity

_AMPERES = re.compile(r"[0-9. ][mµμu]?A\s*$")

IfUnknown = Literal["ask", "fallback", "leave-out"]
"""What becomes of an amplitude in % of capture where no capture threshold was found."""


class VoltSteps(Strict):
    """Amplitudes of a staircase, the lowest first."""

    from_v: Volts = Field(alias="from", gt=0)
    to_v: Volts = Field(alias="to", gt=0)
    step_v: Volts = Field(alias="step", gt=0)

    unit: ClassVar[Literal["V"]] = "V"

    @property
    def steps(self) -> tuple[float, ...]:
        """Every amplitude; the last is ``to``, or the last whole step before it."""
        return _steps(self.from_v, self.to_v, self.step_v)


class CurrentSteps(Strict):
    """Currents of a staircase through each well, the lowest first: for current sources."""

    from_ma: Milliamperes = Field(alias="from", gt=0)
    to_ma: Milliamperes = Field(alias="to", gt=0)
    step_ma: Milliamperes = Field(alias="step", gt=0)

    unit: ClassVar[Literal["mA"]] = "mA"

    @property
    def steps(self) -> tuple[float, ...]:
        """Every current; the last is ``to``, or the last whole step before it."""
        return _steps(self.from_ma, self.to_ma, self.step_ma)


def _steps(first: float, last: float, step: float) -> tuple[float, ...]:
    count = int((last - first) / step + 1e-6) + 1
    return tuple(round(first + i * step, 9) for i in range(max(count, 1)))


def _volts_or_current(value: object) -> str:
    if isinstance(value, CurrentSteps):
        return "=current"
    written = value.values() if isinstance(value, Mapping) else ()
    return "=current" if any(_AMPERES.search(str(text)) for text in written) else "=volts"


# Told apart by the unit, so that an error speaks only of what was meant.
StaircaseSteps = Annotated[
    Annotated[VoltSteps, Tag("=volts")] | Annotated[CurrentSteps, Tag("=current")],
    Discriminator(_volts_or_current),
]


class _Pulses(Strict):
    """What pulses of every assay have."""

    phase_ms: Ms = Field(alias="pulse_width", gt=0, description="one phase of a pulse")
    shape: Literal["monophasic", "biphasic"] = "biphasic"
    source: str = Field(default="", description="where the numbers come from")


class _OneStrength(_Pulses):
    """Pulses of one amplitude: in volts, as a current, or as a share of the capture threshold."""

    amplitude_v: Annotated[Volts, Field(gt=0)] | None = Field(
        default=None, alias="amplitude", description="at the electrodes"
    )
    amplitude_ma: Annotated[Milliamperes, Field(gt=0)] | None = Field(
        default=None, alias="current", description="through each well, in place of amplitude"
    )
    of_capture_percent: Annotated[Percent, Field(gt=0, le=400)] | None = Field(
        default=None,
        alias="of_capture",
        description="of the channel's capture threshold, in place of amplitude",
    )
    capture: Name | None = Field(
        default=None, description="the staircase that finds it; omitted: the only one there is"
    )
    fallback_v: Annotated[Volts, Field(gt=0)] | None = Field(
        default=None, alias="fallback", description="amplitude where no threshold was found"
    )
    at_most_v: Annotated[Volts, Field(gt=0)] | None = Field(
        default=None,
        alias="at_most",
        description="a threshold that asks for more is none; omitted: of_capture of the top step",
    )
    if_unknown: IfUnknown = Field(
        default="ask",
        description="where no threshold was found: ask (silent until answered), fallback, "
        "leave-out (silent)",
    )


class Staircase(_Pulses):
    """Rising amplitudes: the lowest that the culture follows is its capture threshold."""

    kind: Literal["staircase"]
    frequency_hz: Hertz = Field(alias="frequency", gt=0, le=2)
    pulses: int = Field(ge=3, le=60, description="of each step")
    amplitude: StaircaseSteps = Field(
        description="from, to, step: in V, or in mA through each well for a current source"
    )
    captured_percent: Percent = Field(
        default=80.0,
        alias="captured",
        gt=0,
        le=100,
        description="share of a step's pulses that must be followed to call it captured [P]",
    )
    rest_s: Seconds = Field(default=5.0, alias="rest", ge=1, description="between steps")


class Frequencies(_OneStrength):
    """One short train at each frequency: the force–frequency curve."""

    kind: Literal["frequencies"]
    at_hz: tuple[Annotated[Hertz, Field(gt=0)], ...] = Field(
        alias="at", min_length=2, max_length=20
    )
    train_s: Seconds = Field(alias="train", gt=0, le=10, description="of each frequency")
    rest_s: Seconds = Field(default=20.0, alias="rest", ge=1, description="between trains")


def _stretch(text: str) -> str:
    film_stretch_s(text)
    return text


def film_stretch_s(text: str) -> tuple[Literal["first", "last"], float]:
    """``first 5 s`` as which end of a test, and for how long.

    >>> film_stretch_s("last 0.5 min")
    ('last', 30.0)

    Raises:
        PydanticCustomError: it says neither.
    """
    which, _, length = text.strip().partition(" ")
    if which not in ("first", "last") or not length:
        raise PydanticCustomError(
            "film_stretch",
            "'{text}' is no part of a test",
            {"text": text, "remedy": "Write `first 5 s` or `last 5 s`."},
        )
    seconds = parse_quantity(length, "s")
    if seconds <= 0:
        raise PydanticCustomError(
            "film_stretch",
            "'{text}' films nothing",
            {"text": text, "remedy": "Write a time above 0 s, as in `first 5 s`."},
        )
    return ("first" if which == "first" else "last"), seconds


FilmStretch = Annotated[
    str,
    AfterValidator(_stretch),
    WithJsonSchema({"type": "string", "pattern": "^(first|last) .+", "examples": ["first 5 s"]}),
]


class Fatigue(_OneStrength):
    """Minutes of trains: how much of the first contraction is left at the end."""

    kind: Literal["fatigue"]
    frequency_hz: Hertz = Field(alias="frequency", gt=0)
    on_s: Seconds | None = Field(
        default=None, alias="on", gt=0, description="of each train; omitted: without a pause"
    )
    off_s: Seconds | None = Field(default=None, alias="off", gt=0)
    for_s: Seconds = Field(alias="for", gt=0, le=1800)
    film: tuple[FilmStretch, ...] = Field(
        default=("first 5 s", "last 5 s"),
        min_length=1,
        max_length=2,
        description="parts that are filmed: `first 5 s`, `last 5 s`",
    )
    rest_s: Seconds = Field(
        default=600.0,
        alias="rest",
        ge=1,
        description="before the next well on the same channel, which feels every test of it [P]",
    )


class Twitch(_OneStrength):
    """Single pulses, each relaxed by the next."""

    kind: Literal["twitch"]
    frequency_hz: Hertz = Field(default=1.0, alias="frequency", gt=0, le=2)
    pulses: int = Field(default=8, ge=1, le=60)
    rest_s: Seconds = Field(default=5.0, alias="rest", ge=1)


PulseAssay = Staircase | Frequencies | Fatigue | Twitch
"""Those whose pulses electrodes give to what is filmed."""
Assay = Annotated[PulseAssay | Nmj, Field(discriminator="kind")]


class Series(Strict):
    """When an assay is done, and of which wells."""

    at: tuple[str, ...] = Field(
        min_length=1,
        description="moments: `2 h` from the start, `end - 2 h`, a phase's name, `PHASE + 30 min`",
    )
    assay: Name
    wells: Literal["all", "one-per-channel"] = Field(
        default="all",
        description="one-per-channel: a well of each channel is drawn, so that wells which share "
        "it get fewer test pulses",
    )
