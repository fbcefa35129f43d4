"""Which runs of an experiment lie in a folder, and which of them count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from labrig.documents import Loaded
from labrig.durable import DamagedFile, read_json
from labrig.experiment.planned import PlannedRun
from labrig.problems import FileProblems
from labrig.protocol.commitment_file import CommitmentDamaged, read_commitment
from labrig.protocol.fixed_part import fixed_part
from labrig.protocol.loading import load_protocol
from labrig.protocol.models import Protocol
from labrig.run_folder import RunFolder, is_rehearsal
from labrig.study.joining import differences

State = Literal["counts", "missing", "unfinished", "changed", "repeat"]


@dataclass(frozen=True, slots=True)
class FoundRun:
    """A run of this experiment by the name of its protocol.

    Attributes:
        under: SHA-256 of the experiment that its commitment names; "" for none.
    """

    folder: RunFolder
    identity: dict[str, Any]
    protocol: Protocol
    under: str

    @property
    def name(self) -> str:
        """Of its folder."""
        return self.folder.root.name

    @property
    def made(self) -> str:
        """When, UTC in ISO form."""
        return str(self.identity.get("made_utc", ""))


@dataclass(frozen=True, slots=True)
class Place:
    """A planned run, and a run that is there for it.

    Attributes:
        said: why it does not count, or what is to be known.
    """

    planned: PlannedRun
    run: FoundRun | None
    state: State
    said: str = ""


def runs_in(folder: Path, names: Iterable[str]) -> tuple[tuple[FoundRun, ...], tuple[str, ...]]:
    """Runs of protocols of these names, oldest first, and what could not be read.

    Rehearsals are none.
    """
    wanted, found, unreadable = set(names), [], []
    for root in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not (root / "run.json").is_file():
            continue
        try:
            run = _run(RunFolder(root), wanted)
        except (FileProblems, DamagedFile, CommitmentDamaged, OSError) as error:
            unreadable.append(f"{root.name} cannot be read: {str(error).splitlines()[0]}")
            continue
        if run is not None:
            found.append(run)
    return tuple(sorted(found, key=lambda run: run.made)), tuple(unreadable)


def placed(
    planned: PlannedRun,
    protocol: Loaded[Protocol],
    runs: Sequence[FoundRun],
    finished: Iterable[str],
) -> tuple[Place, ...]:
    """Every run that is there for a planned one; one place with state ``missing`` where none is.

    Of finished runs of one plate the first counts: which of two is taken is not for people to say.

    Args:
        planned: a plate, or a gate's run in one donor.
        runs: of this experiment, oldest first.
        protocol: its file as it was planned.
        finished: names of folders whose run came to its end.
    """
    own = [run for run in runs if run.protocol.name == planned.name]
    if not own:
        return (Place(planned, None, "missing", "no run of it is there"),)
    ended, counted, found = set(finished), "", []
    for run in own:
        apart = list(differences(fixed_part(protocol.model), fixed_part(run.protocol)))
        if apart:
            said = f"differs from what is planned, in {', '.join(apart[:5])}"
            found.append(Place(planned, run, "changed", said))
        elif run.name not in ended:
            found.append(Place(planned, run, "unfinished", "it did not come to its end"))
        elif counted:
            found.append(Place(planned, run, "repeat", f"{counted} finished before it and counts"))
        else:
            counted = run.name
            found.append(Place(planned, run, "counts"))
    return tuple(found)


def _run(folder: RunFolder, wanted: set[str]) -> FoundRun | None:
    identity = read_json(folder.identity)
    if is_rehearsal(identity) or identity.get("protocol") not in wanted:
        return None
    under = ""
    if folder.commitment.exists():
        under = read_commitment(folder.commitment).entries[-1].experiment
    return FoundRun(folder, identity, load_protocol(folder.protocol).model, under)
