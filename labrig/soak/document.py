"""A night as one YAML file, and back: what `labrig soak --replay` plays.

Its faults are written as in a file of `--faults`; beside them lie protocol and rig as their files
hold them, or instruments and a compiled plan.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from labrig.durable import write_text_whole
from labrig.plan.store import PlanFormatError, from_json, to_json
from labrig.problems import FileProblems, Problem
from labrig.soak.night import Death, SeededNight, Visit
from labrig.soak.playing import Night
from labrig.soak.protocol_night import ProtocolNight
from labrig.twin.spec import FaultSpec
from labrig.yaml_file import read_yaml

FORMAT = "labrig.soak"
VERSION = 1


def night_text(night: Night, said: tuple[str, ...] = ()) -> str:
    """The file; ``said``: lines of comment before it."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "seed": night.seed,
        "faults": [_fault(fault) for fault in night.faults],
        "deaths": [asdict(death) for death in night.deaths],
        # quoted as JSON does it: a text may hold what no file in UTF-8 can
        "visits": [{**asdict(v), "text": json.dumps(v.text)} for v in night.visits],
        **(_of_protocol(night) if isinstance(night, ProtocolNight) else _of_plan(night)),
    }
    yaml = YAML()
    yaml.width = 100
    yaml.default_flow_style = None
    text = StringIO()
    yaml.dump(document, text)
    return "".join(f"# {line}\n" for line in said) + text.getvalue()


def _of_plan(night: SeededNight) -> dict[str, Any]:
    return {
        "instruments": {
            name: {"type": kind, "port": night.port(name), "settings": settings,
                   "counted_ul": night.counted_ul.get(name, 0.0)}
            for name, (kind, settings) in night.instruments.items()
        },
        "plan": json.loads(to_json(night.plan)),
    }  # fmt: skip


def _of_protocol(night: ProtocolNight) -> dict[str, Any]:
    # by way of JSON: dates as text, and nothing shared that YAML would name
    whole = json.dumps({"protocol": night.protocol, "rig": night.rig}, default=str)
    document: dict[str, Any] = json.loads(whole)
    return document


def write_night(path: Path, night: Night, said: tuple[str, ...] = ()) -> None:
    """Write it whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text_whole(path, night_text(night, said))


def read_night_file(path: Path) -> Night:
    """Read what :func:`night_text` wrote.

    Raises:
        labrig.problems.FileProblems: it is none.
    """
    data = read_yaml(path).data
    if data.get("format") != FORMAT or data.get("version") != VERSION:
        raise _not_one(path, f"it says {data.get('format')!r}, version {data.get('version')!r}")
    try:
        faults = [_read_fault(fault) for fault in data["faults"]]
        deaths = [Death(**death) for death in data["deaths"]]
        visits = [Visit(v["at_s"], v["what"], json.loads(v["text"])) for v in data["visits"]]
        if "protocol" in data:
            protocol, rig = data["protocol"], data["rig"]
            return ProtocolNight(data["seed"], protocol, rig, faults, deaths, visits)
        its = data["instruments"]
        return SeededNight(
            data["seed"],
            from_json(json.dumps(data["plan"])),
            {name: (one["type"], dict(one["settings"])) for name, one in its.items()},
            {name: one["port"] for name, one in its.items() if one["port"] != name},
            {name: one["counted_ul"] for name, one in its.items() if one["counted_ul"]},
            faults,
            deaths,
            visits,
        )
    except (KeyError, TypeError, ValueError, AttributeError, PlanFormatError) as error:
        raise _not_one(path, f"{type(error).__name__}: {error}") from None


def _not_one(path: Path, why: str) -> FileProblems:
    what = f"this is no night of `labrig soak`: {why}"
    return FileProblems([Problem(path, 1, 1, "", "", what, "Take a file that it wrote.")])


def _fault(fault: FaultSpec) -> dict[str, Any]:
    written: dict[str, Any] = {
        "instrument": fault.instrument,
        "fault": fault.name,
        "at": f"{fault.from_s!r} s",
    }
    if math.isfinite(fault.until_s):
        written["for"] = f"{fault.until_s - fault.from_s!r} s"
    if fault.value:
        written["value"] = fault.value
    if fault.of:
        written["of"] = fault.of
    return written


def _read_fault(fault: dict[str, Any]) -> FaultSpec:
    from_s = _seconds(fault["at"])
    until_s = from_s + _seconds(fault["for"]) if "for" in fault else math.inf
    value, of = float(fault.get("value", 0.0)), fault.get("of", "")
    return FaultSpec(fault["instrument"], fault["fault"], from_s, until_s, value, of)


def _seconds(text: str) -> float:
    return float(text.removesuffix(" s"))
