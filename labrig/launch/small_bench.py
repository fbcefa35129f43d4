"""A bench cut down to what a short run needs: a few wells of every arm, and what reaches them.

Every pump is asked for its state once a simulated minute, so those that bring nothing cost as much
as those that do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from labrig.plan.plan import Plan, WellPlan
from labrig.plan.timeline import Dose, FlowLevel

WELLS = 2
"""[P] Wells of an arm and donor that are looked at, or more: each is held against its own start."""


def few_wells(wells: Collection[WellPlan]) -> frozenset[str]:
    """A few wells of every arm and donor.

    Wells of one dosing line stay together: a line that feeds fewer wells may be too slow for its
    pump, which then runs in thousands of short pieces. So do the sides of a chip.
    """
    groups: dict[tuple[str, str], dict[str, list[str]]] = {}
    for well in wells:
        lines = groups.setdefault((well.arm, well.donor), {})
        lines.setdefault(well.chip or well.factor_unit, []).append(well.well)
    return frozenset(well for lines in groups.values() for well in _few(lines.values()))


def _few(lines: Collection[list[str]]) -> Iterator[str]:
    found = 0
    for line in sorted(lines, key=len):
        if found < WELLS:
            found += len(line)
            yield from line


def roles_in_use(plan: Plan, rig: Mapping[str, Any]) -> frozenset[str]:
    """Roles of the additives that flow at some time."""
    moved = {
        entry.instrument
        for entry in plan.timeline
        if isinstance(entry, Dose) or (isinstance(entry, FlowLevel) and entry.rate_ul_min > 0)
    }
    return frozenset(line["role"] for line in rig["lines"].values()
                     if line["pump"] in moved and "role" in line)  # fmt: skip


def write_small_bench(source: Path, plan: Plan, wells: Collection[str], target: Path) -> None:
    """Write a bench with some of its wells, and without the additives that a plan leaves still.

    Args:
        source: file of the bench.
        plan: of the protocol on the whole bench.
        wells: those that stay.
        target: where the small one goes.

    Raises:
        OSError: a file cannot be read or written.
    """
    yaml = YAML(typ="safe")
    rig: dict[str, Any] = yaml.load(source.read_text(encoding="utf-8"))
    roles = roles_in_use(plan, rig)
    lines = {
        name: line
        for name, line in _reaching(rig.get("lines", {}), wells).items()
        if (line.get("role") is None or line["role"] in roles)
        and line.get("from_chamber", line["wells"][0]) in wells
    }
    gone = [line for name, line in rig.get("lines", {}).items() if name not in lines]
    rig["lines"] = lines
    rig["chambers"]["wells"] = [well for well in rig["chambers"]["wells"] if well in wells]
    if "chips" in rig:
        rig["chips"] = {
            name: chip
            for name, chip in rig["chips"].items()
            if {chip["nerve"], chip["muscle"]} <= {*wells}
        }
    for part in ("electrodes", "lights", "climate"):
        if part in rig:
            rig[part] = _reaching(rig[part], wells)
    selectors = {
        name: {**one, "line": [line for line in _listed(one["line"]) if line in lines]}
        for name, one in rig.get("selectors", {}).items()
    }
    gone_instruments = {line["pump"] for line in gone} - {line["pump"] for line in lines.values()}
    gone_instruments |= {one["valve"] for one in selectors.values() if not one["line"]}
    rig["selectors"] = {name: one for name, one in selectors.items() if one["line"]}
    kept = {line["reservoir"] for line in lines.values() if "reservoir" in line}
    kept |= {r for one in rig["selectors"].values() for r in one["positions"].values()}
    rig["reservoirs"] = {name: one for name, one in rig["reservoirs"].items() if name in kept}
    rig["instruments"] = {
        name: one for name, one in rig["instruments"].items() if name not in gone_instruments
    }
    rig["calibrations"] = [one for one in rig["calibrations"] if one["of"] not in gone_instruments]
    with target.open("w", encoding="utf-8") as out:
        yaml.dump(rig, out)


def _reaching(parts: Mapping[str, Any], wells: Collection[str]) -> dict[str, Any]:
    """What reaches any of the wells, and of its wells those."""
    reach = {
        name: {**part, "wells": [well for well in part["wells"] if well in wells]}
        for name, part in parts.items()
        if "wells" in part
    }
    of_all = {name: part for name, part in parts.items() if "wells" not in part}
    return of_all | {name: part for name, part in reach.items() if part["wells"]}


def _listed(names: str | list[str]) -> list[str]:
    return [names] if isinstance(names, str) else names
