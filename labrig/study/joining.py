"""Which runs may be joined to one study, and where they differ.

Runs of a study share all that a commitment fixes, but for who the donors are, where they lie on the
plate, the seed of the layout and the wells left out by name. A run that was changed, or whose
commitment came after its data, does not become sound by company.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labrig.measure.sealing import MANIFEST, SealDamaged, read_seals
from labrig.protocol.fixed_part import fixed_part
from labrig.report.analysis import Analysis

PER_RUN = ("name", "donors", "randomisation.seed", "analysis.exclusions", "wells")
"""What may differ, as dotted paths into what a commitment fixes."""
MOST_SHOWN = 12


class NotOneStudy(Exception):
    """The runs cannot be joined; the message says which of them, where, and what to do."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether what the runs show together tests what was committed.

    Attributes:
        failures: by run, in words: changed, not committed, amended after its data, a pilot,
            without an analysis plan. None of the study's sentences is then a test of a hypothesis.
        remarks: what a reader must know all the same.
    """

    failures: tuple[str, ...]
    remarks: tuple[str, ...]


def joined(runs: Sequence[Analysis]) -> Standing:
    """Whether runs belong together.

    Raises:
        NotOneStudy: fewer than two, the same run twice, or they differ in what a study fixes.
    """
    if len(runs) < 2:
        raise NotOneStudy("a study joins two runs or more: name their folders")
    names = [_name(run) for run in runs]
    seen: dict[str, str] = {}
    for run, name in zip(runs, names, strict=True):
        run_id = str(run.record.identity.get("id", name))
        if run_id in seen:
            raise NotOneStudy(f"{name} and {seen[run_id]} are the same run: name it once")
        seen[run_id] = name
    if blind := [name for run, name in zip(runs, names, strict=True) if run.record.blinding.blind]:
        raise NotOneStudy(
            f"the arms of {', '.join(blind)} are still coded: a study tells them apart. When all "
            "measures are closed, `labrig unblind RUN --reason TEXT` opens each"
        )
    first = without(fixed_part(runs[0].record.protocol), PER_RUN)
    for run, name in zip(runs[1:], names[1:], strict=True):
        other = without(fixed_part(run.record.protocol), PER_RUN)
        if apart := list(differences(first, other)):
            more = f" and {len(apart) - MOST_SHOWN} more" if len(apart) > MOST_SHOWN else ""
            raise NotOneStudy(
                f"{name} was committed to something else than {names[0]}, in "
                f"{', '.join(apart[:MOST_SHOWN])}{more}: runs of one study differ in donors, wells "
                "and seed only. Join those that agree"
            )
        if run.design.levels != runs[0].design.levels:
            raise NotOneStudy(
                f"the rig of {name} gives the arms something else than that of {names[0]} "
                "(factors, impulses or flow): what they show cannot be averaged"
            )
    return Standing(tuple(said for run in runs for said in _failures(run)), tuple(_remarks(runs)))


def differences(one: object, other: object, path: str = "") -> Iterator[str]:
    """Dotted paths at which two documents differ, in the order of the first."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in [*one, *(key for key in other if key not in one)]:
            where = f"{path}.{key}" if path else str(key)
            if key not in one or key not in other:
                yield where
            else:
                yield from differences(one[key], other[key], where)
    elif one != other:
        yield path


def without(document: Mapping[str, Any], paths: Sequence[str]) -> dict[str, Any]:
    """A document without what lies at some dotted paths."""
    left = {}
    for key, value in document.items():
        if key in paths:
            continue
        below = [path.removeprefix(f"{key}.") for path in paths if path.startswith(f"{key}.")]
        left[key] = without(value, below) if below and isinstance(value, Mapping) else value
    return left


def _failures(run: Analysis) -> Iterator[str]:
    record, name = run.record, _name(run)
    yield from (f"{name}: {said}" for said in record.integrity.failures)
    if record.commitment is None:
        yield f"{name} had no commitment"
    elif not record.commitment.fits:
        yield f"{name} was done with something else than was committed"
    elif record.commitment.post_hoc:
        yield f"{name} was committed, or amended, after there could be data"
    elif record.identity.get("pilot"):
        yield f"{name} was a pilot"
    elif record.protocol.analysis is None:
        yield f"{name} was committed without an analysis plan"


def _remarks(runs: Sequence[Analysis]) -> Iterator[str]:
    rigs = dict.fromkeys(run.record.plan.rig_name for run in runs)
    if len(rigs) > 1:
        yield f"done on {len(rigs)} rigs: {', '.join(rigs)}"
    settings = [_settings(run) for run in runs]
    if any(own != settings[0] for own in settings[1:]):
        other = [_name(r) for r, own in zip(runs, settings, strict=True) if own != settings[0]]
        yield (
            f"pictures of {', '.join(other)} were measured with other settings than those of "
            f"{_name(runs[0])}: measure them again alike"
        )
    for run in runs:
        if run.outcome.condition != "finished":
            yield f"{_name(run)} is {run.outcome.condition}"
    simulated = [_name(run) for run in runs if run.record.identity.get("simulated")]
    if simulated and len(simulated) < len(runs):
        yield f"simulated runs joined with real ones: {', '.join(simulated)}"


def _settings(run: Analysis) -> Mapping[str, Any]:
    try:
        seals = read_seals(run.record.folder.measures / MANIFEST)
    except (OSError, SealDamaged):
        return {}  # told by the run's own integrity
    return seals[-1].settings if seals else {}


def _name(run: Analysis) -> str:
    return run.record.folder.root.name
