"""Whether the tables of a run are those that were closed, measured as was committed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from labrig.measure.sealing import MANIFEST, SealDamaged, differences, read_seals
from labrig.protocol.models import Protocol


def faults_of_measures(
    measures: Path, run: str, protocol: Protocol, *, closed: bool
) -> Iterator[str]:
    """What is wrong with the tables, each with what to do.

    Args:
        measures: the run's folder of them.
        run: its id.
        protocol: as committed.
        closed: whether the run has ended under a labrig that lists its tables.
    """
    try:
        seals = read_seals(measures / MANIFEST)
    except SealDamaged as error:
        yield str(error)
        return
    if not seals:
        tables = ", ".join(sorted(path.name for path in measures.glob("*.csv")))
        if closed and tables:
            yield (
                f"measures/{MANIFEST} is not there: {tables} were never closed, or it was deleted. "
                "`labrig follow RUN` measures what is missing and closes them"
            )
        return
    if others := sorted({seal.run for seal in seals} - {run}):
        yield (
            f"measures are those of run {', '.join(others)}, not of this one ({run}). Put this "
            "run's own back from a copy"
        )
    yield from differences(measures)
    for seal in seals:
        if seal.changed:
            yield (
                f"measures: {', '.join(seal.changed)} had been changed by something else before "
                f"{seal.why} made tables again ({seal.utc}). Compare with a copy of the older ones"
            )
    min_nuclei = protocol.definition.min_nuclei
    fusion = seals[-1].settings.get("fusion", {})
    if fusion and fusion.get("min_nuclei") != min_nuclei:
        yield (
            f"measures were made with {fusion.get('min_nuclei')} nuclei a myotube at least, the "
            f"definition says {min_nuclei}. Measure again with the definition's settings"
        )
    tubes = seals[-1].settings.get("tubes", {})
    mask = tubes.get("phase_mask", "rules")  # An older labrig knew rules alone.
    if tubes and mask != protocol.imaging.phase_mask:
        yield (
            f"measures were made with the phase mask {mask}, imaging.phase_mask of the protocol "
            f"says {protocol.imaging.phase_mask}. Measure again with the protocol's"
        )


def notes_on_measures(measures: Path) -> Iterator[str]:
    """How often tables were made again, in the open."""
    try:
        seals = read_seals(measures / MANIFEST)
    except SealDamaged:
        return
    for seal in seals[1:]:
        by = f" by {seal.by}" if seal.by else ""
        settings = ", with other settings" if seal.settings != seals[0].settings else ""
        yield f"Tables were made again at {seal.utc}{by} ({seal.why}){settings}"
