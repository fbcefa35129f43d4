"""``--fault INSTRUMENT:FAULT[=VALUE][@FROM[-UNTIL]]``: one scripted fault, in a few characters."""

from __future__ import annotations

import math
import re

import typer

from labrig.launch.scripted_faults import NoSuchFault, OnBench, scripted
from labrig.plan.timeline import PEOPLE
from labrig.rig.fault_kinds import COMPUTER
from labrig.twin.spec import FaultSpec

_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_FORM = re.compile(
    r"(?P<instrument>[^:]+):(?P<fault>[a-z_]+)"
    rf"(?:=(?P<value>-?{_NUMBER}))?(?:@(?P<from_s>{_NUMBER})(?:-(?P<until_s>{_NUMBER}))?)?"
)


def beyond_hosted(fault: FaultSpec) -> str:
    """Why `labrig sim`, which hosts instruments and no run, cannot play it; "" when it can."""
    if fault.instrument == COMPUTER and fault.name != "unplug":
        return (
            f"`labrig sim` hosts instruments, and '{fault.name}' happens to the computer of a run: "
            "do it to the program that talks to them (`kill -STOP PID`, a full disk), or script it "
            "in `labrig run --simulate --faults`"
        )
    if fault.instrument == PEOPLE:
        return "`labrig sim` hosts instruments: nobody is asked for anything"
    return ""


def read_fault(text: str, bench: OnBench) -> tuple[FaultSpec, ...]:
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
    when = (from_s, until_s - from_s)
    try:
        played = scripted(found["instrument"], found["fault"], when, value, "", bench)
    except NoSuchFault as error:
        raise typer.BadParameter(f"'{text}': {error}") from None
    if why := beyond_hosted(played[0]):
        raise typer.BadParameter(f"'{text}': {why}")
    return played
