"""docs/faults.md says what the code says."""

from __future__ import annotations

import re
from pathlib import Path

from labrig.catalogue import DEMO_RIG, catalogue_folder
from labrig.launch.fault_script import read_fault_script
from labrig.launch.scripted_faults import BESIDE, CREEP
from labrig.rig.fault_kinds import CAMERA_FAULTS, OF
from labrig.rig.loading import load_rig

PAGE = (Path(__file__).parents[2] / "docs" / "faults.md").read_text(encoding="utf-8")


def test_every_kind_beside_the_instruments_stands_in_the_table():
    rows = re.findall(r"^\| (world|computer|people) \| `(\w+)` \| (.+?) \| (\w*) ?\|", PAGE, re.M)
    assert rows == [
        (whose, name, kind.what, OF.get(name, ""))
        for whose, kinds in BESIDE.items()
        for name, kind in kinds.items()
    ]
    for name, kind in {"creep": CREEP, **CAMERA_FAULTS}.items():
        assert f"| `{name}` | {kind.what} |" in PAGE


def test_the_example_is_one_for_the_demonstration_bench(tmp_path):
    example = re.search(r"```yaml\n(.+?)```", PAGE, re.S)
    path = tmp_path / "faults.yaml"
    path.write_text(example[1], encoding="utf-8")
    rig = load_rig(catalogue_folder() / DEMO_RIG).model
    assert {fault.instrument for fault in read_fault_script(path, rig)} == {
        "nerve_02", "base_left", "world", "computer", "people",
    }  # fmt: skip
