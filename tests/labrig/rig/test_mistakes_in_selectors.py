"""What people get wrong in selectors: where it is, what it is, how to mend it."""

from __future__ import annotations

import json

import pytest

from labrig.catalogue import catalogue_folder
from labrig.problems import FileProblems
from labrig.rig.loading import load_rig
from labrig.yaml_file import read_yaml

BENCH = catalogue_folder() / "rigs" / "selector-bench.yaml"

# name: (key of selectors.nerve_01, value, path, what, remedy)
MISTAKES = {
    "a valve that is not there": (
        "valve", "nerve_valve_99", "selectors.nerve_01.valve", "no valve", "There is:",
    ),
    "a pump for a valve": (
        "valve", "nerve_01", "selectors.nerve_01.valve", "is a pump", "Name a valve",
    ),
    "the valve of another": (
        "valve", "nerve_valve_02", "selectors.nerve_02.valve", "already that of selector",
        "`line: [a, b]`",
    ),
    "a line that is not there": (
        "line", "nerve_1x", "selectors.nerve_01.line", "no line", "'nerve_01'",
    ),
    "the line of another": (
        "line", "nerve_02", "selectors.nerve_02.line", "already behind selector", "one selector",
    ),
    "a reservoir that is not there": (
        "positions", {1: "nerve_stock_01", 2: "nerve_vehicel"},
        "selectors.nerve_01.positions.2", "no reservoir", "'nerve_vehicle'",
    ),
    "a safe position that is not there": (
        "safe", 3, "selectors.nerve_01.safe", "has no position 3", "1, 2",
    ),
    "a position that the head has not": (
        "positions", {1: "nerve_stock_01", 2: "nerve_vehicle", 7: "second_bottle"},
        "selectors.nerve_01.positions.7", "has no position 7", "It has: 1, 2, 3",
    ),
    "a position 0": (
        "positions", {0: "second_bottle", 1: "nerve_stock_01", 2: "nerve_vehicle"},
        "selectors.nerve_01.positions.0", "no position 0", "counted from 1",
    ),
    "no position for the line's own reservoir": (
        "positions", {1: "second_bottle", 2: "nerve_vehicle"},
        "lines.nerve_01.reservoir", "no position for 'nerve_stock_01'", "add a position",
    ),
    "a position called by its bottle": (
        "positions", {"one": "nerve_stock_01", 2: "nerve_vehicle"},
        "selectors.nerve_01.positions.one", "'one' is no whole number", "before the colon",
    ),
    "a safe position called by its bottle": (
        "safe", "nerve_vehicle", "selectors.nerve_01.safe", "'nerve_vehicle'", "that of vehicle",
    ),
    "a length for a dead volume": (
        "dead_volume", "7 mm", "selectors.nerve_01.dead_volume", "a volume is wanted", "'10 uL'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_each_is_placed_and_explained(name, tmp_path):
    key, value, path, what, remedy = MISTAKES[name]
    document = json.loads(json.dumps(read_yaml(BENCH).data, default=str))
    document["selectors"]["nerve_01"][key] = value
    file = tmp_path / "bench.yaml"
    lines = json.dumps(document, indent=1)
    for digit in range(10):
        lines = lines.replace(f'"{digit}": ', f"{digit}: ")
    file.write_text(lines, encoding="utf-8")
    with pytest.raises(FileProblems) as caught:
        load_rig(file)
    found = [problem for problem in caught.value.problems if problem.path == path]
    assert found, [str(problem) for problem in caught.value.problems]
    assert any(what in p.what and remedy in p.remedy for p in found), found
