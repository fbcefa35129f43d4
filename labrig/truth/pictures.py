"""Where the stage really stood at every picture."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator

from labrig.truth.night import Night, Violation

SLACK_UM = 1.0


def violations(night: Night) -> Iterator[Violation]:
    """What of this is not so."""
    within_um = night.plan["rules"]["arrive_within_um"] + SLACK_UM
    planned = {entry["key"]: entry for entry in night.entries("frame", "film")}
    unverified = set()
    for row in night.of("frame", "film"):
        entry = planned.get(row.key)
        if row.state != "confirmed" or entry is None:
            continue
        if not row.detail["position_verified"]:
            unverified.add((entry["well"], entry["field"], entry.get("round"), entry["channel"]))
            continue
        taken_s = row.detail["offset_s"] + row.detail["lateness_s"]
        stands = night.physical.stands.get(entry["stage"], [])
        index = bisect_right(stands, taken_s + 0.001, key=lambda stand: stand[0])
        at = stands[index - 1][1:] if index else (0.0, 0.0)
        off_um = max(abs(at[0] - entry["x_um"]), abs(at[1] - entry["y_um"]))
        if off_um > within_um:
            yield Violation(
                "position",
                f"{row.key} is verified at ({entry['x_um']:g}, {entry['y_um']:g}) µm; the stage "
                f"stood at ({at[0]:g}, {at[1]:g})",
            )
    yield from _rendered(night, within_um, unverified)


def _rendered(
    night: Night, within_um: float, unverified: set[tuple[str, int, int | None, str]]
) -> Iterator[Violation]:
    """What the simulated camera really saw, where there was one."""
    path = night.folder / "twin" / "truth.jsonl"
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        picture = json.loads(line)
        asked, true = picture["asked"], picture["true"]
        shown = (asked["well"], asked["field"], asked.get("round"), asked["channel"])
        if shown in unverified:
            continue
        off_um = max(abs(true["dx_um"]), abs(true["dy_um"]))
        if (true["well"], true["field"]) != shown[:2] or off_um > within_um:
            yield Violation(
                "picture",
                f"a picture of {shown} shows {true['well']} field {true['field']}, "
                f"{off_um:.1f} µm off",
            )
