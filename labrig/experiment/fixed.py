"""What an experiment's commitment fixes, and the commitments of its runs under it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from labrig.documents import Loaded
from labrig.experiment.loading import ExperimentFile
from labrig.protocol.commitment import CommitmentRefused, commit, commit_document
from labrig.protocol.commitment_file import (
    Commitment,
    CommitmentDamaged,
    commitment_path,
    read_commitment,
    sha256_of_fixed,
)
from labrig.protocol.fixed_part import fixed_part
from labrig.protocol.models import Protocol
from labrig.protocol.verification import verify
from labrig.study.joining import PER_RUN, without

_OF_THE_DAY = ("lot", "night")


@dataclass(frozen=True, slots=True)
class CommittedRuns:
    """What was committed.

    Attributes:
        experiment: its commitment.
        made: runs that were committed now, by name.
        stood: names of those whose commitment stood already.
        pilots: names of runs that are pilots and need none.
    """

    experiment: Commitment
    made: Mapping[str, Commitment]
    stood: tuple[str, ...]
    pilots: tuple[str, ...]


def fixed_of(experiment: ExperimentFile) -> dict[str, Any]:
    """The experiment but for records of the day, and what its protocols fix for every run."""
    whole = experiment.model.model_dump(mode="json", by_alias=True)
    del whole["title"]
    whole["runs"] = [
        {key: value for key, value in line.items() if key not in _OF_THE_DAY}
        for line in whole["runs"]
    ]
    return {
        "experiment": whole,
        "seed": experiment.seed,
        "protocol": without(fixed_part(experiment.protocol.model), PER_RUN),
        "gates": [without(fixed_part(own.model), PER_RUN) for own in experiment.gates],
    }


def sha256_of(experiment: ExperimentFile) -> str:
    """Of what is fixed, as each run's commitment names it."""
    return sha256_of_fixed(fixed_of(experiment))


def committed_sha256(path: Path) -> tuple[str, ...]:
    """All that an experiment's file was committed as, oldest first; none: it was not.

    Raises:
        CommitmentRefused: its commitment is damaged.
    """
    try:
        return tuple(entry.sha256 for entry in read_commitment(commitment_path(path)).entries)
    except FileNotFoundError:
        return ()
    except CommitmentDamaged as error:
        raise CommitmentRefused(f"{error}. Restore it from a copy.") from None


def commit_experiment(
    experiment: ExperimentFile,
    runs: Mapping[str, Loaded[Protocol]],
    names: Sequence[str],
    reason: str | None = None,
    now: datetime | None = None,
) -> CommittedRuns:
    """Fix an experiment, then each of its runs under it.

    Broken off and begun again, it goes on where it was. After an amendment of the experiment, runs
    that it does not change keep the commitment they have.

    Args:
        experiment: with the files that it names.
        runs: their protocol files, by name.
        names: of two different people.
        reason: None for a first commitment; why, for an amendment.
        now: the time to write down; the clock's when None.

    Raises:
        CommitmentRefused: see its message.
        labrig.problems.FileProblems: a file is wrong.
        OSError: a file cannot be written.
    """
    path, fixed = experiment.loaded.path, fixed_of(experiment)
    sha256 = sha256_of_fixed(fixed)
    known = committed_sha256(path)
    states = {name: verify(own.path) for name, own in runs.items() if not own.model.pilot}
    if known and known[-1] == sha256 and any(s.state == "missing" for s in states.values()):
        made = read_commitment(commitment_path(path))
    else:
        made = commit_document(path, experiment.model.experiment, fixed, names, reason, now)
    new: dict[str, Commitment] = {}
    stood = []
    for name, state in states.items():
        if state.state == "committed":
            stood.append(name)
            continue
        why = reason if state.commitment is not None else None
        new[name] = commit(runs[name].path, names, why, now, experiment=sha256)
    pilots = tuple(name for name, own in runs.items() if own.model.pilot)
    return CommittedRuns(made, new, tuple(stood), pilots)
