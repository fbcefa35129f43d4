"""``--fault INSTRUMENT:FAULT[=VALUE][@FROM[-UNTIL]]``: one scripted fault, in a few characters."""

from __future__ import annotations

import math
import re

import typer

from labrig.launch.drills import Drill, NoSuchFault, scripted
from labrig.rig.bench import BenchSpec
from labrig.twin.spec import FaultSpec

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
    from_s = float(found["from_s"] or 0.0)
    until_s = float(found["until_s"] or math.inf)
    if until_s <= from_s:
        raise typer.BadParameter(f"'{text}': it ends at {until_s:g} s, before it begins")
    value = float(found["value"] or 0.0)
    try:
        scripted(Drill(found["fault"], found["instrument"], from_s, until_s - from_s), bench)
    except NoSuchFault as error:
        raise typer.BadParameter(f"'{text}': {error}") from None
    return FaultSpec(found["instrument"], found["fault"], from_s, until_s, value)
