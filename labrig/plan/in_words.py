"""Times and entries of the timeline as a person would say them. Nobody is shown a key."""

from __future__ import annotations

from labrig.plan.timeline import Dose, Film, FlowLevel, Frame, StimulationLevel, TimelineEntry


def in_words(entry: TimelineEntry) -> str:
    """What is to happen, without its time; begins with a small letter and has no full stop."""
    match entry:
        case Dose():
            wells = ", ".join(entry.wells)
            return f"{entry.volume_ul:.4g} µL {entry.factor} into {wells} by {entry.instrument}"
        case Frame():
            return f"picture of {entry.well} ({entry.channel})"
        case Film():
            return f"film of {entry.well} ({entry.channel})"
        case FlowLevel():
            if not entry.rate_ul_min:
                return f"{entry.instrument} stands"
            return f"{entry.instrument} to {entry.rate_ul_min:.4g} µL/min"
        case StimulationLevel():
            return f"impulses by {entry.instrument}" if entry.trains else "impulses off"
        case _:
            return f"reading of {entry.instrument}"


def hours(at_s: float) -> str:
    """Run time as hours and minutes."""
    minutes = round(at_s / 60)
    return f"{minutes // 60}:{minutes % 60:02d} h"
