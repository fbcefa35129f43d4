"""Everything in the folder of a simulated night that is not so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from labrig.truth import (
    alarms,
    called,
    concentrations,
    doses,
    feeding,
    levels,
    pictures,
    pulses,
    record,
    report,
    settings,
    steps,
    stops,
    suspensions,
    volumes,
)
from labrig.truth.night import Fault, Night, Violation, read_night


def check_truth(folder: Path, faults: Sequence[Fault] = ()) -> list[Violation]:
    """Everything in a run folder that is not so.

    Args:
        folder: of a run on simulated instruments, ended or not.
        faults: scripted ones that ``twin/spec.json`` does not name.
    """
    return list(_violations(read_night(folder, faults)))


def _violations(night: Night) -> Iterable[Violation]:
    for check in (
        record.violations, volumes.violations, doses.violations, pulses.violations,
        pictures.violations, stops.violations, suspensions.violations, levels.violations,
        settings.violations, steps.violations, concentrations.violations, report.violations,
        alarms.violations, called.violations, feeding.violations,
    ):  # fmt: skip
        yield from check(night)
