"""The small bench with a selector valve before each dosing line, or before its line of medium."""

from __future__ import annotations

from typing import Any

WELLS = ("B2", "B3", "C2", "C3")


def valved(bench: Any, dead_volume: str | None = "30 uL") -> Any:
    """Dosing lines that peristaltic pumps move, each behind a valve: 1 the stock, 2 the vehicle."""
    rig = bench.rig
    rig["ports"]["valves"] = {"address": "sim"}
    rig["ports"]["dosing"] = {"address": "sim"}
    for number, well in enumerate(WELLS):
        rig["instruments"][f"nerve_{well}"] = {
            "type": "leadfluid_bt", "port": "dosing",
            "settings": {"address": number + 1, "min_rate_ul_min": 0.05, "max_rate_ul_min": 100.0},
        }  # fmt: skip
        rig["instruments"][f"valve_{well}"] = {
            "type": "hamilton_mvp", "port": "valves", "settings": {"address": "abcd"[number]},
        }  # fmt: skip
        rig["reservoirs"][f"vehicle_{well}"] = {"volume": "50 mL", "cold": True}
        rig["reservoirs"][f"syringe_{well}"]["volume"] = "50 mL"
        selector = {
            "valve": f"valve_{well}", "line": f"nerve_{well}",
            "positions": {1: f"syringe_{well}", 2: f"vehicle_{well}"}, "safe": 2,
        }  # fmt: skip
        if dead_volume is not None:
            selector["dead_volume"] = dead_volume
        rig.setdefault("selectors", {})[f"sel_{well}"] = selector
    return bench


def stopping(bench: Any) -> Any:
    """One arm whose factors stop at 12 h, one that goes on, one that never had them."""
    bench.protocol["arms"] = {
        "kept": {"role": "control", "targets": {"CNTF": "10 ng/mL", "BDNF": "50 ng/mL"},
                 "pattern": "tonic"},
        "stopped": {"pattern": "tonic", "program": [
            {"from": "0 h", "targets": {"CNTF": "10 ng/mL", "BDNF": "50 ng/mL"}},
            {"from": "12 h", "targets": "none", "label": "stop"},
        ]},
    }  # fmt: skip
    bench.protocol["stocks"]["cocktail"]["carrier"] = "dm"
    bench.protocol["stocks"]["plain"]["carrier"] = "dm"
    bench.protocol["phases"] = [{"name": "treatment", "duration": "24 h"}]
    return bench
