"""The rig: what stands on the bench, and how liquid, current and light reach the wells."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from labrig.name_types import FileName, WellName
from labrig.protocol.error_entries import ErrorEntries
from labrig.quantities import Cm, Cm2, Degrees, Hours, Ml, Mm, Nm, Ohm, Seconds, Ul, Um
from labrig.rig.chips import Chip, Light
from labrig.rig.climate import ClimateEntry
from labrig.rig.references import check_references
from labrig.strict_model import Strict
from labrig.units import Unit

Name = FileName


class Port(Strict):
    """Where bytes go. Several instruments may share one port at different addresses.

    ``address``: ``sim`` (the simulated bench), ``usb:VID:PID[:SERIAL]``, a path such as
    ``/dev/serial/by-id/...`` or ``COM3``, ``socket://host:port``, a camera number, a video
    file or a folder of images.
    """

    address: str
    baudrate: int | None = Field(default=None, description="None: the instrument's factory setting")
    note: str = ""


class InstrumentEntry(Strict):
    """One instrument on one port."""

    type: Name = Field(description="as `labrig doctor --types` lists them")
    port: Name
    settings: dict[str, Any] = Field(
        default_factory=dict, description="checked against the instrument type's own settings"
    )
    serial_number: str = Field(default="", description="when given, attaching checks it")


def _times(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


class Refill(Strict):
    """People may fill it up, change its syringe, or empty it while a run goes on.

    Where a run needs more than a filling, the plan asks for it in time; `at` says when instead.
    """

    within_s: Seconds = Field(
        default=1800.0, alias="within", gt=0, description="done later than this is late [P]"
    )
    takes_s: Seconds = Field(
        default=600.0, alias="takes", gt=0, le=1800.0, description="how long it takes [P]"
    )
    at_s: Annotated[
        tuple[Annotated[Seconds, Field(gt=0)], ...],
        BeforeValidator(_times, json_schema_input_type=Seconds | tuple[Seconds, ...]),
    ] = Field(
        default=(), alias="at", description="times from the start; omitted: as the run needs it"
    )


class Reservoir(Strict):
    """A bottle or syringe.

    ``holds`` names the medium or stock in it, or ``as planned``: the plan says what to load.
    """

    volume_ml: Ml = Field(alias="volume", gt=0)
    unusable_ml: Ml = Field(default=0.0, alias="unusable", ge=0)
    holds: str = "as planned"
    cold: bool = Field(default=False, description="kept at 4 °C")
    lot: str = ""
    refill: Refill | None = Field(
        default=None, description="people may fill it up, or change its syringe, during a run"
    )


def _said(value: object) -> str:
    return "=nothing" if value == "" else "=name"


_Nothing = Annotated[Literal[""], Tag("=nothing")]
_SAID = Discriminator(_said)


class Line(Strict):
    """A tube from one reservoir or chamber, moved by one pump, into one or more wells.

    Wells fed by one line share it: for a factor it carries they are one experimental unit.
    Lines on one pump (a multi-channel head or rack) run at one rate, the pump's.

    A line from a chamber takes its effluent: it begins at the height of the outflow, so it never
    drains cells, and draws air where less flows into that chamber than its pump would take.
    """

    reservoir: Annotated[Annotated[Name, Tag("=name")] | _Nothing, _SAID] = Field(
        default="", description="a bottle or syringe; or from_chamber"
    )
    from_chamber: Annotated[Annotated[WellName, Tag("=name")] | _Nothing, _SAID] = Field(
        default="", description="in place of a reservoir: the well whose effluent it takes"
    )
    pump: Name
    wells: tuple[WellName, ...] = Field(min_length=1)
    carries: Literal["medium", "additive"] = "additive"
    role: Name | None = Field(
        default=None, description="additives: lines of one role carry one stock or its vehicle"
    )
    inner_diameter_mm: Mm = Field(alias="inner_diameter", gt=0)
    length_mm: Mm = Field(alias="length", gt=0)
    primed: bool = Field(default=True, description="filled to its tip before t0")
    tube_life_h: Hours | None = Field(
        default=None, alias="tube_life", gt=0, description="hours in its pump that its tube stands"
    )
    tube_used_h: Hours = Field(
        default=0.0, alias="tube_used", ge=0, description="hours that its tube has run before"
    )


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class Selector(Strict):
    """A valve before a line: the line's reservoir is what the position says.

    The pump of the line draws through the valve. Wells behind it share what it selects: for what
    it switches they are one experimental unit, as wells of one line are.
    """

    valve: Name = Field(description="an instrument of kind valve")
    lines: Annotated[
        tuple[Name, ...],
        BeforeValidator(_listed, json_schema_input_type=Name | tuple[Name, ...]),
    ] = Field(alias="line", min_length=1, description="the line behind it; a list: all of them")
    positions: dict[int, Name] = Field(min_length=2, description="position: reservoir")
    safe: int = Field(
        description="the position to go to when something is wrong: that of vehicle or medium"
    )
    dead_volume_ul: Ul | None = Field(
        default=None,
        alias="dead_volume",
        ge=0,
        description="between the valve and the tip of a line; omitted: what the line holds",
    )


class Chambers(Strict):
    """The wells as chambers."""

    volume_ml: Ml = Field(alias="volume", gt=0)
    wells: tuple[WellName, ...] = Field(min_length=1)
    closed: bool = Field(
        default=False, description="a closed channel (shear matters) or an open well"
    )
    channel_width_mm: Mm | None = Field(default=None, alias="channel_width")
    channel_height_mm: Mm | None = Field(default=None, alias="channel_height")
    evaporation_ul_h: Annotated[float, Unit("uL/h")] = Field(default=0.0, alias="evaporation", ge=0)


class Outflow(Strict):
    """How liquid leaves."""

    kind: Literal["fixed-height", "pumped"]
    pump: Name | None = None
    ratio: float = Field(default=1.15, gt=1, description="outflow capacity over inflow")
    waste_ml: Ml = Field(alias="waste_volume", gt=0)
    empty: Refill | None = Field(
        default=None, description="people may empty the waste bottle during a run"
    )


class Electrodes(Strict):
    """Electrode pairs on one stimulator channel; its wells are one unit for the pattern."""

    stimulator: Name
    channel: int = Field(ge=1)
    wells: tuple[WellName, ...] = Field(min_length=1)
    material: Literal["platinum", "graphite", "carbon"]
    spacing_cm: Cm = Field(alias="spacing", gt=0)
    area_cm2: Cm2 = Field(alias="area", gt=0, description="of one electrode")
    resistance_ohm: Ohm | None = Field(default=None, alias="resistance", description="of one well")
    resistance_basis: Literal["measured", "computed"] = "computed"


class StageMap(Strict):
    """Where the plate stands on the stage."""

    instrument: Name
    a1_x_um: Um = Field(alias="a1_x")
    a1_y_um: Um = Field(alias="a1_y")
    pitch_x_um: Um = Field(alias="pitch_x")
    pitch_y_um: Um = Field(alias="pitch_y")
    rotation_deg: Degrees = Field(
        default=0.0,
        alias="rotation",
        ge=-10,
        le=10,
        description="of the plate about A1, from the stage's x towards its y",
    )
    well_diameter_mm: Mm = Field(alias="well_diameter", gt=0)
    arrive_within_um: Um = Field(default=5.0, alias="arrive_within", gt=0)
    settle_s: Seconds = Field(default=0.3, alias="settle", ge=0)
    speed_mm_s: float = Field(default=5.0, gt=0)


class Optics(Strict):
    """One optical channel of one camera, with its calibrated pixel size."""

    camera: Name
    objective: str
    pixel_size_um: Um = Field(alias="pixel_size", gt=0)
    width_px: int = Field(gt=0)
    height_px: int = Field(gt=0)
    bit_depth: Literal[8, 10, 12, 14, 16] = 16
    light_mw_cm2: float | None = Field(default=None, description="at the sample, when measured")
    wavelength_nm: Nm | None = Field(
        default=None, alias="wavelength", gt=0, description="of the light that falls on the sample"
    )
    bandwidth_nm: Nm = Field(
        default=30.0, alias="bandwidth", gt=0, description="full width of that light"
    )


class Calibration(Strict):
    """A dated calibration of a pump, a probe or an objective."""

    of: Name
    what: str
    on: date
    by: str = ""
    result: str = ""
    valid_days: int = Field(default=7, ge=1)


class InterlockEntry(Strict):
    """A rule about what is measured, for the runner to act on by itself (docs/interlocks.md).

    Limits and hysteresis are in the unit that the quantity has in its name.
    """

    instrument: Name | None = Field(
        default=None, description="whose readings it judges; or a name of `by_hand`"
    )
    reservoir: Name | None = Field(
        default=None, description="instead: whose level, by what its pumps have moved (`left_ml`)"
    )
    quantity: str = Field(description="e.g. `co2_percent`, `temperature_c`, `stalled`, `left_ml`")
    low: float | None = Field(default=None, description="broken below it")
    high: float | None = Field(default=None, description="broken above it")
    older_than_s: Seconds | None = Field(
        default=None, alias="older_than", gt=0, description="broken when the last value is older"
    )
    for_s: Seconds = Field(
        default=0.0, alias="for", ge=0, description="it acts once it was broken for so long"
    )
    hysteresis: float = Field(
        default=0.0, ge=0, description="so far inside its limits a value must be to end it"
    )
    action: Literal["alarm", "hold", "suspend"] = "alarm"
    suspends: tuple[Name, ...] = Field(default=(), description="instruments, for `suspend`")


class ByHandEntry(Strict):
    """Something that people measure and enter (`labrig reading`), and rules may judge."""

    quantity: str = Field(
        pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)+$",
        description="with its unit at the end of its name, e.g. `weight_g`, `ph_value`",
    )
    possible: tuple[float, float] = Field(
        description="where a value can be at all; another one is a slip of the pen"
    )


class Ends(Strict):
    """What pumps do once nobody wants the run to go on (docs/holds-and-stops.md)."""

    additives: Literal["off", "keep"] = Field(
        default="off", description="pumps of additives alone, after a stop"
    )
    medium_at_abort: Literal["keep", "off"] = Field(
        default="keep", description="pumps that feed the cells, after an abort"
    )


class Rig(Strict):
    """One bench."""

    labrig: Literal[1]
    name: Name
    description: str = ""
    plate: Literal["6-well", "12-well", "24-well", "48-well", "96-well"]
    ports: dict[Name, Port]
    instruments: dict[Name, InstrumentEntry]
    reservoirs: dict[Name, Reservoir] = Field(default_factory=dict)
    lines: dict[Name, Line] = Field(default_factory=dict)
    selectors: dict[Name, Selector] = Field(
        default_factory=dict, description="valves that choose what a line brings"
    )
    chambers: Chambers
    outflow: Outflow | None = None
    electrodes: dict[Name, Electrodes] = Field(default_factory=dict)
    lights: dict[Name, Light] = Field(
        default_factory=dict, description="calibrated LEDs on stimulator channels"
    )
    chips: dict[Name, Chip] = Field(
        default_factory=dict, description="wells that are the two sides of one culture"
    )
    climate: dict[Name, ClimateEntry] = Field(
        default_factory=dict, description="controllers of temperature and gases, and their wells"
    )
    stage: StageMap
    optics: dict[Name, Optics] = Field(description="by the protocol's channel name")
    probe: Name | None = None
    calibrations: tuple[Calibration, ...] = ()
    interlocks: dict[Name, InterlockEntry] = Field(default_factory=dict)
    by_hand: dict[Name, ByHandEntry] = Field(
        default_factory=dict, description="what people measure and enter during a run"
    )
    errors: ErrorEntries = Field(
        default_factory=dict, description="what is done when something fails; protocols go before"
    )
    ends: Ends = Field(default=Ends(), description="what flows after a stop and after an abort")

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        check_references(self)
        return self

    @property
    def simulated(self) -> bool:
        """Whether every port is on the simulated bench."""
        return all(port.address == "sim" for port in self.ports.values())
