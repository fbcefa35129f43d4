"""What the simulated world is made of: plain data, written to ``twin/spec.json`` of a run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from labrig.typed_json import TypedJson


@dataclass(frozen=True, slots=True)
class ReservoirSpec:
    """A bottle or syringe as it was loaded."""

    name: str
    usable_ul: float
    contents_ng_ml: dict[str, float]
    is_medium: bool


@dataclass(frozen=True, slots=True)
class LineSpec:
    """A tube from a reservoir, moved by a pump, into wells that share it equally."""

    name: str
    reservoir: str
    pump: str
    wells: tuple[str, ...]
    dead_volume_ul: float
    primed: bool


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
    """One culture: its donor, and where the stage finds its fields (x, y) in µm."""

    well: str
    donor: str
    donor_age: str
    fields_um: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """A scripted fault of one instrument (see ``labrig_drivers.simulation.Fault``)."""

    instrument: str
    name: str
    from_s: float
    until_s: float
    value: float = 0.0


@dataclass(frozen=True, slots=True)
class TwinSpec:
    """The whole simulated bench."""

    seed: int
    chamber_volume_ul: float
    stage: str
    wells: tuple[WellSpec, ...]
    reservoirs: tuple[ReservoirSpec, ...]
    lines: tuple[LineSpec, ...]
    electrodes: tuple[ElectrodeSpec, ...]
    factors: tuple[FactorSpec, ...]
    faults: tuple[FaultSpec, ...] = ()

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


_JSON = TypedJson(may_lack={TwinSpec: frozenset({"faults"})})
