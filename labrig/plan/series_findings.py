"""What is said of series that cannot be done as asked for."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from labrig.plan.findings import Finding
from labrig.protocol.models import Protocol

MOVED_FAR_S = 1800.0


def untested(where: str, wells: Sequence[str]) -> Finding:
    """Finding ``series.no-electrodes``."""
    return Finding(
        "series.no-electrodes",
        "warn",
        where,
        f"{len(wells)} wells have no electrodes and cannot be tested: {', '.join(wells)}",
        "wire them to a stimulator channel, or leave the series out",
    )


def unmoved(where: str, assay: str, chips: Sequence[str]) -> Finding:
    """Finding ``series.chip-not-moved``."""
    return Finding(
        "series.chip-not-moved",
        "warn",
        where,
        f"{assay} cannot be done on {', '.join(chips)}: no light or electrodes reach a side that "
        "it moves",
        "light their nerve sides, wire their muscle sides, or leave these chips out",
    )


def unfit(where: str, assay: str, length_s: float) -> Finding:
    """Finding ``series.does-not-fit``."""
    return Finding(
        "series.does-not-fit",
        "block",
        where,
        f"{assay} takes {length_s / 60:.0f} min for the whole plate, and nowhere in the run is as "
        "much time beside other films and series [C]",
        "film one well of each channel (`wells: one-per-channel`), take fewer steps, shorter rests "
        "or fewer times",
    )


def moved(where: str, assay: str, at_s: float, start_s: float) -> Finding:
    """Finding ``series.moved``."""
    return Finding(
        "series.moved",
        "warn" if abs(start_s - at_s) > MOVED_FAR_S else "note",
        where,
        f"{assay} was asked for at {at_s / 3600:.2f} h and begins at {start_s / 3600:.2f} h, where "
        "the stage is free",
        "nothing, or ask for a time between rounds and films",
    )


def left_out(protocol: Protocol, rounds: Collection[int]) -> list[Finding]:
    """Finding ``series.rounds-left-out``."""
    if not rounds:
        return []
    imaging = protocol.imaging
    hours = ", ".join(
        f"{(imaging.first_s + n * imaging.interval_s) / 3600:g} h" for n in sorted(rounds)
    )
    return [
        Finding(
            "series.rounds-left-out",
            "warn",
            "protocol: imaging.series",
            f"series are longer than the gaps between rounds, so {len(rounds)} rounds of pictures "
            f"are not taken: {hours}",
            "nothing, or lengthen imaging.interval, take fewer steps, or film one well of each "
            "channel (`wells: one-per-channel`)",
        )
    ]
