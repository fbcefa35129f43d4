"""What the commands of ``labrig experiment`` say, as one JSON document each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labrig.documents import Loaded
    from labrig.experiment.checked import CheckedRun
    from labrig.experiment.fixed import CommittedRuns
    from labrig.experiment.loading import ExperimentFile
    from labrig.experiment.planned import PlannedRun
    from labrig.protocol.models import Protocol
    from labrig.rig.models import Rig


def checked_document(
    experiment: ExperimentFile, rig: Loaded[Rig], runs: Sequence[CheckedRun]
) -> dict[str, Any]:
    """Every run with its findings, what speaks against the whole, gates and power."""
    from labrig.commands.power import power_document
    from labrig.experiment.checked import remarks_on
    from labrig.experiment.gates import asked_of
    from labrig.plan.power import PROPOSED, design_of_plan, sights

    power = None
    if runs[0].plan.wells:
        design = design_of_plan(runs[0].protocol.model, rig.model, runs[0].plan)
        many = max(design.donors, len(experiment.model.donors))
        power = power_document(design, PROPOSED, sights(design, PROPOSED, many))
    return {
        "experiment": experiment.model.experiment,
        "rig": rig.model.name,
        "blocked": [run.planned.name for run in runs if run.blocks],
        "runs": [
            planned_document(run.planned)
            | {
                "findings": [
                    {
                        "code": f.code,
                        "severity": f.severity,
                        "where": f.where,
                        "why": f.why,
                        "remedy": f.remedy,
                    }
                    for f in run.plan.findings
                ]
            }
            for run in runs
        ],
        "warnings": list(remarks_on(experiment)),
        "gates": [
            {"protocol": str(gate.protocol), "asks": asked_of(gate)}
            for gate in experiment.model.gates
        ],
        "power": power,
    }


def planned_document(run: PlannedRun) -> dict[str, Any]:
    """One plate, or a gate's run."""
    return {
        "name": run.name,
        "plate": run.plate,
        "gate": run.gate or None,
        "who": run.who,
        "night": None if run.night is None else run.night.isoformat(),
        "seed": run.seed,
    }


def written_document(
    planned: Sequence[PlannedRun], written: Mapping[str, Loaded[Protocol]]
) -> dict[str, Any]:
    """The protocols that were written."""
    return {
        "runs": [planned_document(run) | {"path": str(written[run.name].path)} for run in planned]
    }


def committed_document(
    path: Path, made: CommittedRuns, written: Mapping[str, Loaded[Protocol]]
) -> dict[str, Any]:
    """The experiment's commitment, and what became of each run's."""
    entry = made.experiment.entries[-1]
    states = {
        **dict.fromkeys(made.made, "committed"),
        **dict.fromkeys(made.stood, "stood"),
        **dict.fromkeys(made.pilots, "pilot"),
    }
    return {
        "path": str(path),
        "sha256": entry.sha256,
        "utc": entry.utc,
        "names": list(entry.names),
        "runs": [
            {"name": name, "path": str(written[name].path), "commitment": state}
            for name, state in states.items()
        ],
    }
