"""What the simulated world is made of: plain data, written to ``twin/spec.json`` of a run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from labrig.typed_json import TypedJson


@dataclass(frozen=True, slots=True)
class ReservoirSpec:
    """A bottle or syringe as it was loaded.

    ``components`` are those of the medium in it over normal; one not named is normal.
    """

    name: str
    usable_ul: float
    contents_ng_ml: dict[str, float]
    is_medium: bool
    components: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LineSpec:
    """A tube from a reservoir, moved by a pump, into wells that share it equally.

    ``chamber``: in place of a reservoir, the well whose effluent it takes.
    """

    name: str
    reservoir: str
    pump: str
    wells: tuple[str, ...]
    dead_volume_ul: float
    primed: bool
    chamber: str = ""


@dataclass(frozen=True, slots=True)
class SecretionSpec:
    """A substance that the living cells of a chamber give off, an hour over what it holds."""

    well: str
    name: str
    per_h: float


@dataclass(frozen=True, slots=True)
class SelectorSpec:
    """A valve before a line: position and the reservoir that it draws from there.

    ``tube_ul`` lies between valve and tip; ``filled_with`` is the position whose liquid fills it at
    the start, "" where it is plain medium.
    """

    valve: str
    line: str
    positions: tuple[tuple[str, str], ...]
    tube_ul: float
    filled_with: str


@dataclass(frozen=True, slots=True)
class ElectrodeSpec:
    """The wells behind one stimulator channel; the resistance is that of one well."""

    stimulator: str
    channel: int
    wells: tuple[str, ...]
    resistance_ohm: float = 100.0


@dataclass(frozen=True, slots=True)
class FactorSpec:
    """How a factor truly behaves in this world.

    ``true_half_life_h`` is drawn within the credible range of the protocol's assumption, so
    that an assumed half-life is wrong here too, as it may be on a bench.
    """

    name: str
    role: str
    true_half_life_h: float
    recovery: float


@dataclass(frozen=True, slots=True)
class WellSpec:
    """One culture: its donor, and where the stage finds its fields (x, y) in µm.

    ``compartment`` and ``chip`` are those of a chip whose chambers are linked.
    """

    well: str
    donor: str
    donor_age: str
    fields_um: tuple[tuple[float, float], ...]
    days_differentiated: float = 5.0
    passage: int = 4
    compartment: str = ""
    chip: str = ""


@dataclass(frozen=True, slots=True)
class ClimateSpec:
    """A controller and the wells whose ``temperature_c``, ``co2_percent``... it sets.

    ``probe`` hangs in what it holds; "": none does.
    """

    instrument: str
    quantity: str
    wells: tuple[str, ...]
    probe: str = ""


@dataclass(frozen=True, slots=True)
class AmbientSpec:
    """What the incubator itself is set to, by hand."""

    quantity: str
    value: float


@dataclass(frozen=True, slots=True)
class LightSpec:
    """A light on a stimulator channel over wells; (V, mW/mm2) of its calibration, rising.

    ``moves``: wells whose cells answer to this wavelength.
    """

    stimulator: str
    channel: int
    moves: tuple[str, ...]
    calibration: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """A scripted fault of one instrument (see ``labrig_drivers.simulation.Fault``).

    ``instrument`` may be ``people``, ``world`` or ``computer`` (``labrig.rig.fault_kinds``);
    ``of``: which line, reservoir or port of the world or the computer; "": all, or none is meant.
    """

    instrument: str
    name: str
    from_s: float
    until_s: float
    value: float = 0.0
    of: str = ""


@dataclass(frozen=True, slots=True)
class TwinSpec:
    """The whole simulated bench.

    ``own_responses`` is the text of a laboratory's own file of responses; "" for none. ``by_hand``:
    by medium that people put into chambers, its components over normal.
    """

    seed: int
    chamber_volume_ul: float
    stage: str
    wells: tuple[WellSpec, ...]
    reservoirs: tuple[ReservoirSpec, ...]
    lines: tuple[LineSpec, ...]
    electrodes: tuple[ElectrodeSpec, ...]
    factors: tuple[FactorSpec, ...]
    faults: tuple[FaultSpec, ...] = ()
    own_responses: str = ""
    selectors: tuple[SelectorSpec, ...] = ()
    climate: tuple[ClimateSpec, ...] = ()
    ambient: tuple[AmbientSpec, ...] = ()
    lights: tuple[LightSpec, ...] = ()
    by_hand: dict[str, dict[str, float]] = field(default_factory=dict)
    secretions: tuple[SecretionSpec, ...] = ()

    def to_json(self) -> str:
        """One JSON document, stable in order."""
        return json.dumps(asdict(self), indent=1, sort_keys=True)

    @classmethod
    def read(cls, path: Path) -> TwinSpec:
        """Read what :meth:`to_json` wrote.

        Raises:
            OSError: the file cannot be read.
            NotAsTyped: it is not a twin specification.
        """
        return _JSON.read(cls, json.loads(path.read_text(encoding="utf-8")))


_JSON = TypedJson(
    may_lack={
        TwinSpec: frozenset(
            {
                "faults",
                "own_responses",
                "selectors",
                "climate",
                "lights",
                "by_hand",
                "ambient",
                "secretions",
            }
        ),
        WellSpec: frozenset({"days_differentiated", "passage", "compartment", "chip"}),
        LineSpec: frozenset({"chamber"}),
        ClimateSpec: frozenset({"probe"}),
        FaultSpec: frozenset({"of"}),
        ReservoirSpec: frozenset({"components"}),
    }
)
