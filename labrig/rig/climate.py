"""The rig's ``climate:``: what sets the surroundings of which wells, and what measures them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field, ValidationError
from pydantic_core import PydanticCustomError

from labrig.name_types import FileName, WellName
from labrig.problems import KeyPath, Mistake
from labrig.quantities import Seconds
from labrig.strict_model import Strict
from labrig.units import parse_quantity
from labrig_drivers.instrument import InstrumentType

if TYPE_CHECKING:
    from labrig.rig.models import Rig

SETTLES_S = 1800.0
"""[P] Six time constants of five minutes, as a heated plate with medium in it has them."""
_UNITS = {"temperature": "degC", "co2": "percent", "o2": "percent"}
_KEYS = {"temperature": "temperature_c", "co2": "co2_percent", "o2": "o2_percent"}
SAFE = {"temperature": 37.0, "co2": 5.0, "o2": 18.6}
"""[K] An incubator as it is; O2 as humid air with 5 % CO2 has it."""


class ClimateEntry(Strict):
    """A heater, an incubator or a gas mixer that a controller steers.

    What it holds comes to all of its wells: they are one experimental unit for it.
    """

    instrument: FileName = Field(description="an instrument of kind controller")
    sets: Literal["temperature", "co2", "o2"]
    wells: tuple[WellName, ...] = Field(default=(), description="omitted: every well of the rig")
    probe: FileName | None = Field(
        default=None,
        description="a probe that hangs in it; omitted: its own sensor alone says how it is",
    )
    settles_s: Seconds = Field(
        default=SETTLES_S, alias="settles", gt=0, description="from one set point to another"
    )
    safe: str | None = Field(
        default=None, description="e.g. '37 degC': after a stop, and at the end of a run"
    )

    @property
    def quantity(self) -> str:
        """With its unit in its name."""
        return _KEYS[self.sets]

    def safe_value(self) -> float | None:
        """In the unit of its quantity; None where the rig says nothing.

        Raises:
            PydanticCustomError: it is no quantity of that unit.
        """
        return None if self.safe is None else parse_quantity(self.safe, _UNITS[self.sets])


Is = Callable[[KeyPath, str, str], Iterable[Mistake]]
"""Whether an instrument exists and is of a kind: path, name, kind."""
Wells = Callable[[KeyPath, tuple[str, ...]], Iterable[Mistake]]


def climate_mistakes(
    rig: Rig, types: Mapping[str, InstrumentType], is_kind: Is, wells: Wells
) -> Iterator[Mistake]:
    """Instruments that are no controllers, hold something else, or share wells; probes likewise."""
    steered: dict[tuple[str, str], str] = {}
    covered: dict[tuple[str, str], str] = {}
    for name, entry in rig.climate.items():
        path: KeyPath = ("climate", name)
        yield from is_kind((*path, "instrument"), entry.instrument, "controller")
        yield from wells((*path, "wells"), entry.wells)
        yield from _holds(rig, types, path, entry)
        yield from _probe(rig, types, path, entry, is_kind)
        first = steered.setdefault((entry.instrument, entry.sets), name)
        if first != name:
            yield Mistake(
                (*path, "instrument"),
                f"'{entry.instrument}' already sets {entry.sets} of '{first}'",
                f"List the wells of both under '{first}', or name another controller.",
                entry.instrument,
            )
        for well in entry.wells or rig.chambers.wells:
            other = covered.setdefault((entry.sets, well), name)
            if other != name:
                yield Mistake(
                    (*path, "wells"),
                    f"well {well} already has its {entry.sets} from '{other}'",
                    "Name the wells of each: a well has one heater, and one gas.",
                    well,
                )
                break
        try:
            entry.safe_value()
        except (PydanticCustomError, ValidationError) as error:
            what = error.message() if isinstance(error, PydanticCustomError) else str(error)
            yield Mistake((*path, "safe"), what, f"Write e.g. '{_example(entry)}'.", entry.safe)


def _example(entry: ClimateEntry) -> str:
    return f"{SAFE[entry.sets]:g} {'degC' if entry.sets == 'temperature' else '%'}"


def _quantities(
    rig: Rig, types: Mapping[str, InstrumentType], name: str, of: Literal["sets", "measures"]
) -> list[str] | None:
    """Keys of what an instrument sets or measures; None where that cannot be told."""
    entry = rig.instruments.get(name)
    kind = types.get(entry.type) if entry is not None else None
    declared = getattr(kind, of, None)
    if entry is None or kind is None or declared is None:
        return None
    try:
        return [quantity.key for quantity in declared(kind.settings(**entry.settings))]
    except (TypeError, ValueError):
        return None  # its settings are wrong, and that is said where they stand


def _holds(
    rig: Rig, types: Mapping[str, InstrumentType], path: KeyPath, entry: ClimateEntry
) -> Iterator[Mistake]:
    can = _quantities(rig, types, entry.instrument, "sets")
    if can is not None and entry.quantity not in can:
        yield Mistake(
            (*path, "sets"),
            f"'{entry.instrument}' holds {', '.join(can)}, not {entry.quantity}",
            f"Write what it holds, or correct the settings of '{entry.instrument}'.",
            entry.sets,
        )


def _probe(
    rig: Rig, types: Mapping[str, InstrumentType], path: KeyPath, entry: ClimateEntry, is_kind: Is
) -> Iterator[Mistake]:
    if entry.probe is None:
        return
    yield from is_kind((*path, "probe"), entry.probe, "probe")
    can = _quantities(rig, types, entry.probe, "measures")
    if can is not None and entry.quantity not in can:
        yield Mistake(
            (*path, "probe"),
            f"'{entry.probe}' measures {', '.join(can)}, not {entry.quantity}",
            "Name a probe that measures it, or leave the key out: its own sensor is watched then.",
            entry.probe,
        )
