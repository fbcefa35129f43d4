"""Nights on other benches of the catalogue: valves, heaters, chips and light, tests, 54 pumps.

Each is a protocol of the catalogue with its hours cut down, on its bench with a few of its wells.
"""

from __future__ import annotations

import copy
import json
import random
import re
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from labrig.catalogue import catalogue_folder
from labrig.launch.small_bench import few_wells, write_small_bench
from labrig.plan.compile import compile as compile_plan
from labrig.protocol.loading import load_protocol
from labrig.rig.loading import load_rig
from labrig.soak.protocol_night import TODAY
from labrig.yaml_file import read_yaml

Document = dict[str, Any]


@dataclass(frozen=True)
class Bench:
    """A protocol and its bench, as files of the catalogue.

    Attributes:
        hours: between which a night of it is long.
        whole: no well of the bench is left out.
    """

    protocol: str
    rig: str
    hours: tuple[float, float] = (1.5, 4.0)
    whole: bool = False


BENCHES = {
    "heat": Bench("seed/heat-preconditioning.yaml", "rigs/climate-bench.yaml"),
    "valves": Bench("seed/mechano-growth-factor.yaml", "rigs/selector-bench.yaml"),
    "chips": Bench("nmj-chip.yaml", "rigs/simulated-chip-bench.yaml", (6.0, 9.0)),
    "effluent": Bench("seed/muscle-feeds-nerve.yaml", "rigs/simulated-effluent-bench.yaml"),
    "series": Bench("seed/mass-and-strength.yaml", "rigs/wide-bench.yaml", (2.0, 4.0)),
    "54 pumps": Bench("demo-night.yaml", "rigs/wide-bench.yaml", (0.75, 1.25), whole=True),
}
SHARES = ("heat", "heat", "valves", "valves", "chips", "effluent", "series", "series")
"""Of those that are drawn often; in this order for ever."""
_TIMED = ("phases", "arms", "environment", "steps", "imaging")
"""Parts of a protocol whose hours are hours of the night."""
_HOURS = re.compile(r"(?<![\w./])(\d+(?:\.\d+)?) h\b")
_MINUTES = re.compile(r"(?<![\w./])(\d+(?:\.\d+)?) min\b")


def other_bench(rng: random.Random, name: str) -> tuple[Document, Document]:
    """A protocol and a rig, drawn.

    Args:
        rng: of the night.
        name: of :data:`BENCHES`.
    """
    bench = BENCHES[name]
    protocol, rig = (copy.deepcopy(document) for document in _documents(name))
    whole_h = sum(_hours(phase["duration"]) for phase in protocol["phases"])
    part = rng.uniform(*bench.hours) / whole_h
    for key in _TIMED:
        if key in protocol:
            protocol[key] = cut_down(protocol[key], part)
    for series in protocol["imaging"].get("series", ()):
        series["at"] = [_MINUTES.sub(lambda at: f"{float(at[1]) * part:.1f} min", str(at))
                        for at in series["at"]]  # fmt: skip
    protocol["imaging"]["interval"] = f"{rng.choice([15, 30])} min"
    protocol["imaging"]["sites"] = 1
    protocol["randomisation"]["seed"] = rng.randrange(10**6)
    protocol["pilot"] = True
    protocol.pop("outcomes", None)  # asked of nights that are whole
    return protocol, rig


def cut_down(part_of: Any, part: float) -> Any:  # noqa: ANN401 - JSON
    """A part of a protocol, with every time that is written in hours so much shorter."""
    if isinstance(part_of, dict):
        return {key: cut_down(value, part) for key, value in part_of.items()}
    if isinstance(part_of, list):
        return [cut_down(value, part) for value in part_of]
    if isinstance(part_of, str):
        # What is short by itself stays: a test, a wait after a bolus.
        return _HOURS.sub(lambda found: f"{float(found[1]) * part * 60.0:.1f} min", part_of)
    return part_of


def _hours(text: str) -> float:
    found = _HOURS.fullmatch(text)
    assert found is not None, f"{text} is not in hours"
    return float(found[1])


@cache
def _documents(name: str) -> tuple[Document, Document]:
    bench = BENCHES[name]
    source, rig = (catalogue_folder() / part for part in (bench.protocol, bench.rig))
    protocol: Document = json.loads(json.dumps(read_yaml(source).data, default=str))
    if bench.whole:
        whole: Document = json.loads(json.dumps(read_yaml(rig).data, default=str))
        return protocol, whole
    plan = compile_plan(load_protocol(source), load_rig(rig), today=TODAY)
    wells = few_wells(plan.wells)
    for donor in protocol["donors"]:
        if "wells" in donor:
            donor["wells"] = [well for well in donor["wells"] if well in wells]
    with tempfile.TemporaryDirectory() as scratch:
        small = Path(scratch) / "rig.yaml"
        write_small_bench(rig, plan, wells, small)
        cut: Document = json.loads(json.dumps(read_yaml(small).data, default=str))
    return protocol, cut
