"""Impulse patterns as data: by electrodes, by light, or others that take turns."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from labrig.name_types import Name
from labrig.protocol.assays import IfUnknown
from labrig.protocol.compartments import CompartmentName
from labrig.protocol.programmes import MixedPattern
from labrig.quantities import Hertz, Milliamperes, Ms, MwPerMm2, Nm, Percent, Seconds, Volts
from labrig.strict_model import Strict


class Pattern(Strict):
    """An impulse pattern as data; ``sham`` is a pattern with ``amplitude: 0 V``.

    Either ``amplitude``, which a voltage source holds whatever flows, or ``current``, which a
    current source sends through each well whatever voltage that takes, or ``of_capture``, a share
    of the threshold that a staircase finds in the run before.
    """

    phase_ms: Ms = Field(alias="pulse_width", gt=0, description="one phase of a pulse")
    amplitude_v: Annotated[Volts, Field(ge=0)] | None = Field(
        default=None, alias="amplitude", description="at the electrodes"
    )
    amplitude_ma: Annotated[Milliamperes, Field(ge=0)] | None = Field(
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
    shape: Literal["monophasic", "biphasic"]
    frequency_hz: Hertz = Field(alias="frequency", gt=0)
    on_s: Seconds | None = Field(default=None, alias="train_on", description="omitted: continuous")
    off_s: Seconds | None = Field(default=None, alias="train_off")
    mean_rate_hz: Hertz | None = Field(
        default=None, alias="mean_rate", description="checked against the rest when given"
    )
    source: str = ""

    @property
    def live(self) -> bool:
        """Whether anything reaches the cells: a sham does not."""
        return bool(self.amplitude_v or self.amplitude_ma or self.of_capture_percent)

    @property
    def amplitude(self) -> str:
        """The first phase with its unit, e.g. ``15 V`` or ``85 % of capture``."""
        if self.of_capture_percent is not None:
            return f"{self.of_capture_percent:g} % of capture"
        if self.amplitude_ma is not None:
            return f"{self.amplitude_ma:g} mA"
        return f"{self.amplitude_v or 0.0:g} V"


class LightPattern(Pattern):
    """Impulses given as flashes of a calibrated light onto cells with an opsin.

    No current flows: ``irradiance`` stands in place of amplitude and current. ``irradiance:
    0 mW/mm**2`` is the sham.
    """

    by: Literal["light"]
    wavelength_nm: Nm = Field(alias="wavelength", gt=0)
    irradiance_mw_mm2: MwPerMm2 = Field(alias="irradiance", ge=0, description="at the cells")
    onto: CompartmentName = Field(description="the compartment that is lit")
    shape: Literal["monophasic"] = "monophasic"

    @property
    def live(self) -> bool:
        """Whether anything reaches the cells."""
        return self.irradiance_mw_mm2 > 0

    @property
    def amplitude(self) -> str:
        """With its unit, e.g. ``1 mW/mm²``."""
        return f"{self.irradiance_mw_mm2:g} mW/mm²"


def _kind_of_pattern(value: object) -> str:
    written = value if isinstance(value, dict) else getattr(value, "__dict__", {})
    if "sequence" in written:
        return "=mixed"
    return "=light" if "by" in written else "=electrodes"


# Told apart by what it says of itself, so that an error speaks only of what was meant.
AnyPattern = Annotated[
    Annotated[Pattern, Tag("=electrodes")]
    | Annotated[LightPattern, Tag("=light")]
    | Annotated[MixedPattern, Tag("=mixed")],
    Discriminator(_kind_of_pattern),
]
