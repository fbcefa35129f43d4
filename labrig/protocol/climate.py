"""The surroundings of the cells: ``environment:``, what is held and when, and what is watched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from labrig.name_types import Name
from labrig.problems import KeyPath, Mistake, did_you_mean
from labrig.quantities import Celsius, Percent, Seconds
from labrig.strict_model import Strict

if TYPE_CHECKING:
    from labrig.protocol.models import Protocol


Sets = Literal["temperature", "co2", "o2"]
KEYS: Mapping[Sets, str] = {
    "temperature": "temperature_c", "co2": "co2_percent", "o2": "o2_percent",
}  # fmt: skip
"""By YAML key, the quantity with its unit."""
COLDEST_C, WARMEST_C = 4.0, 50.0
"""Beyond these no protocol means what it says: a slip of unit, most likely."""


class ClimateStep(Strict):
    """From a time on, other surroundings; with ``for``, what was before comes back after it."""

    at_s: Seconds = Field(alias="at", ge=0)
    for_s: Seconds | None = Field(
        default=None, alias="for", gt=0, description="omitted: to the end of the run"
    )
    temperature_c: Celsius | None = Field(default=None, alias="temperature")
    co2_percent: Percent | None = Field(default=None, alias="co2", ge=0, le=100)
    o2_percent: Percent | None = Field(default=None, alias="o2", ge=0, le=100)
    on: Name | None = Field(
        default=None, description="an entry of the rig's climate; omitted: all that set it"
    )
    arms: tuple[Name, ...] = Field(
        default=(), description="omitted: every arm; else only wells that are heated apart"
    )

    @property
    def values(self) -> dict[str, float]:
        """What it changes, by quantity."""
        held = {key: getattr(self, key) for key in KEYS.values()}
        return {key: value for key, value in held.items() if value is not None}

    @property
    def end_s(self) -> float:
        """When what was before comes back; infinity: never."""
        return float("inf") if self.for_s is None else self.at_s + self.for_s


class Environment(Strict):
    """What surrounds the cells, and how it is watched; limits of incubator practice [K].

    ``temperature`` and ``co2`` are the set points with their units; ``temperature_c`` and
    ``co2_percent`` say the same as bare numbers.
    """

    interval_s: Seconds = Field(default=300.0, alias="interval", gt=0)
    co2_percent: float = 5.0
    temperature_c: float = 37.0
    warn_co2_percent: float = 0.5
    warn_temperature_c: float = 0.5
    own_temperature_c: Celsius | None = Field(
        default=None, alias="temperature", description="in place of temperature_c"
    )
    own_co2_percent: Percent | None = Field(
        default=None, alias="co2", ge=0, le=100, description="in place of co2_percent"
    )
    o2_percent: Percent | None = Field(
        default=None, alias="o2", ge=0, le=100, description="omitted: as the incubator has it"
    )
    steps: tuple[ClimateStep, ...] = Field(
        default=(), alias="set", description="other surroundings for a time"
    )

    def at_first(self, quantity: str) -> float | None:
        """What is held where no step says otherwise; None: nobody asks for it."""
        own = {
            "temperature_c": self.own_temperature_c,
            "co2_percent": self.own_co2_percent,
            "o2_percent": self.o2_percent,
        }[quantity]
        if own is not None or quantity == "o2_percent":
            return own
        return self.temperature_c if quantity == "temperature_c" else self.co2_percent


def climate_mistakes(protocol: Protocol) -> Iterator[Mistake]:
    """Steps outside the run, that change nothing, of arms that are not there; slips of unit."""
    env, usual = protocol.environment, Environment()
    for new, old, key in (
        ("own_temperature_c", "temperature_c", "temperature"),
        ("own_co2_percent", "co2_percent", "co2"),
    ):
        own, bare = getattr(env, new), getattr(env, old)
        # written out whole, a protocol holds the usual value of the bare key beside its own
        if own is not None and bare not in (own, getattr(usual, old)):
            yield Mistake(
                ("environment", key),
                f"{key} and {old} say different things ({own:g} and {bare:g})",
                f"Keep `{key}:`, and remove `{old}:`.",
            )
    for key, value in (
        ("temperature", env.own_temperature_c),
        ("temperature_c", env.temperature_c),
    ):
        yield from _degrees(("environment", key), value)
    for index, step in enumerate(env.steps):
        yield from _step(protocol, ("environment", "set", index), step)


def _degrees(path: KeyPath, value: float | None) -> Iterator[Mistake]:
    if value is not None and not COLDEST_C <= value <= WARMEST_C:
        yield Mistake(
            path,
            f"{value:g} °C is no temperature for cells ({COLDEST_C:g} to {WARMEST_C:g} °C)",
            "Is the unit right? Write e.g. `37 degC`.",
            value,
        )


def _step(protocol: Protocol, path: KeyPath, step: ClimateStep) -> Iterator[Mistake]:
    hours = protocol.duration_s / 3600
    if not step.values:
        yield Mistake(
            path, "it changes nothing", "Add `temperature: ... degC`, `co2: ... %` or `o2: ... %`."
        )
    if step.at_s >= protocol.duration_s:
        yield Mistake(
            (*path, "at"),
            f"{step.at_s / 3600:g} h is not before the end of the run ({hours:g} h)",
            "Correct it, or lengthen the phases.",
            step.at_s,
        )
    elif step.for_s is not None and step.end_s > protocol.duration_s:
        yield Mistake(
            (*path, "for"),
            f"it lasts to {step.end_s / 3600:g} h, beyond the end of the run ({hours:g} h)",
            "Shorten it, or remove `for:`: it then lasts to the end.",
            step.for_s,
        )
    yield from _degrees((*path, "temperature"), step.temperature_c)
    for arm in step.arms:
        if arm not in protocol.arms:
            what = f"there is no arm '{arm}'"
            yield Mistake((*path, "arms"), what, did_you_mean(arm, list(protocol.arms)), arm)
    if len(set(step.arms)) != len(step.arms):
        yield Mistake((*path, "arms"), "an arm stands here twice", "Remove one.")
