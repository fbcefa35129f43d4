"""Whether pumps and pixel size were calibrated, and not too long ago."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from labrig.plan.checks.draft import Draft
from labrig.plan.findings import Finding
from labrig.plan.timeline import Dose, FlowLevel


def check(draft: Draft) -> Iterator[Finding]:
    """Findings ``calibration.*``; pumps want one every 3 to 7 days [S]."""
    yield from _in_the_future(draft)
    due = _due(draft)
    end = draft.today + timedelta(seconds=draft.plan.forecast.duration_s)
    used = _pumps_used(draft)
    missing = [name for name in used if name not in due]
    if missing:
        yield Finding(
            "calibration.missing",
            "warn",
            f"rig: calibrations ({', '.join(missing)})",
            "no calibration is recorded for these pumps",
            "weigh what they deliver at three rates, and write it under calibrations:",
        )
    for name, (last, valid_until) in due.items():
        if name in draft.pumps and name not in used:
            continue
        where = f"rig: calibrations ({name})"
        if valid_until < draft.today:
            yield Finding(
                "calibration.expired",
                "block",
                where,
                f"{name} was last calibrated on {last}, valid until {valid_until}; today is "
                f"{draft.today}",
                "calibrate it again and write the date",
                overridable=True,
            )
        elif valid_until < end:
            yield Finding(
                "calibration.expires-in-run",
                "warn",
                where,
                f"the calibration of {name} of {last} ends on {valid_until}, the run on {end}",
                "calibrate before the start, and check the flow after the run",
            )
    yield from _pixel_size(draft, set(due))
    medium = {line.pump for line in draft.rig.lines.values() if line.carries == "medium"}
    if used and medium & set(used):
        yield Finding(
            "calibration.tube-hours",
            "note",
            f"rig: lines ({', '.join(sorted(medium & set(used)))})",
            "how long pump tubes have run is not recorded in a rig; worn tubes deliver less",
            "change tubes of peristaltic pumps by their maker's hours",
        )


def _in_the_future(draft: Draft) -> Iterator[Finding]:
    for index, item in enumerate(draft.rig.calibrations):
        if item.on > draft.today:
            yield Finding(
                "calibration.in-the-future",
                "block",
                f"rig: calibrations.{index}.on",
                f"{item.of} is said to have been calibrated on {item.on}; today is {draft.today}",
                "correct the date, or this computer's clock",
            )


def _due(draft: Draft) -> dict[str, tuple[date, date]]:
    """The latest calibration of each thing, and until when it holds."""
    latest: dict[str, tuple[date, date]] = {}
    for item in draft.rig.calibrations:
        if item.on > draft.today:
            continue
        if item.of not in latest or item.on > latest[item.of][0]:
            latest[item.of] = (item.on, item.on + timedelta(days=item.valid_days))
    return latest


def _pumps_used(draft: Draft) -> list[str]:
    moving = [
        entry.instrument
        for entry in draft.plan.timeline
        if (isinstance(entry, FlowLevel) and entry.rate_ul_min > 0) or isinstance(entry, Dose)
    ]
    return list(dict.fromkeys(moving))


def _pixel_size(draft: Draft, calibrated: set[str]) -> Iterator[Finding]:
    for name in draft.protocol.imaging.channels:
        optics = draft.rig.optics.get(name)
        if optics is not None and not calibrated & {name, optics.camera, optics.objective}:
            yield Finding(
                "calibration.pixel-size",
                "warn",
                f"rig: optics.{name}.pixel_size",
                f"no calibration of {optics.camera} or {optics.objective} is recorded: every "
                "width in µm rests on it",
                "photograph a stage micrometer and write the date under calibrations:",
            )
