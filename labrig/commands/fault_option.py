"""``--fault INSTRUMENT:FAULT[=VALUE][@FROM[-UNTIL]]``: one scripted fault, in a few characters."""

from __future__ import annotations

import math
import re

import typer

from labrig.problems import did_you_mean
from labrig.rig.bench import BenchSpec
from labrig.twin.spec import FaultSpec
from labrig_drivers.instrument import installed_types

_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_FORM = re.compile(
    r"(?P<instrument>[^:]+):(?P<fault>[a-z_]+)"
    rf"(?:=(?P<value>-?{_NUMBER}))?(?:@(?P<from_s>{_NUMBER})(?:-(?P<until_s>{_NUMBER}))?)?"
)


def read_fault(text: str, bench: BenchSpec) -> FaultSpec:
    """One fault of an instrument of this bench; times in seconds from the start.

    Raises:
        typer.BadParameter: it is not written so, or its instrument or simulator does not know it.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise typer.BadParameter(
            f"'{text}': write INSTRUMENT:FAULT, with =VALUE and @FROM-UNTIL in seconds where they "
            "are meant, e.g. base:stall@60-120"
        )
    types = {entry.name: entry.type for entry in bench.instruments}
    name, fault = found["instrument"], found["fault"]
    if name not in types:
        raise typer.BadParameter(
            f"'{text}': no instrument '{name}'. {did_you_mean(name, list(types))}"
        )
    declared = installed_types()[types[name]].faults
    if fault not in declared:
        raise typer.BadParameter(
            f"'{text}': a simulated {types[name]} knows no '{fault}'. It knows "
            + "; ".join(f"{known} ({kind.what})" for known, kind in declared.items())
        )
    from_s = float(found["from_s"] or 0.0)
    until_s = float(found["until_s"] or math.inf)
    if until_s <= from_s:
        raise typer.BadParameter(f"'{text}': it ends at {until_s:g} s, before it begins")
    return FaultSpec(name, fault, from_s, until_s, float(found["value"] or 0.0))
