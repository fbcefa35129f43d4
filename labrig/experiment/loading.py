"""Loads an experiment with the protocols that it names, and holds one against the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from labrig.documents import Loaded, Mistaken, load
from labrig.experiment.models import Experiment, Gate
from labrig.problems import FileProblems, KeyPath, Problem, did_you_mean, dotted
from labrig.protocol.analysis_plan import reference_arm
from labrig.protocol.loading import load_protocol
from labrig.protocol.models import Protocol

_A_PROTOCOL = Mistaken(
    "arms",
    "this is a protocol, and an experiment file is wanted here",
    "An experiment names its protocol: `experiment: NAME`, `protocol: FILE`, `rig: FILE`, donors "
    "and runs. `labrig check` takes a protocol.",
)


@dataclass(frozen=True)
class ExperimentFile:
    """An experiment and what it rests on.

    Attributes:
        gates: each gate's protocol, in the order of the file.
        rig: the rig's file.
    """

    loaded: Loaded[Experiment]
    protocol: Loaded[Protocol]
    gates: tuple[Loaded[Protocol], ...]
    rig: Path

    @property
    def model(self) -> Experiment:
        """The experiment itself."""
        return self.loaded.model

    @property
    def seed(self) -> int:
        """That the seeds of plates are drawn from."""
        own = self.model.seed
        return self.protocol.model.randomisation.seed if own is None else own


def load_experiment(path: Path) -> ExperimentFile:
    """Read and check an experiment and the files that it names.

    Raises:
        labrig.problems.FileProblems: all that is wrong in one of the files.
    """
    loaded = load(path, Experiment, _A_PROTOCOL)
    experiment = loaded.model
    named: list[tuple[KeyPath, str]] = [
        (("protocol",), experiment.protocol),
        (("rig",), experiment.rig),
        *((("gates", at, "protocol"), gate.protocol) for at, gate in enumerate(experiment.gates)),
    ]
    missing = [
        problem_at(
            loaded, where, file, f"there is no file {file} beside {path.name}",
            f"{_alike(path.parent, file)}Write it as seen from {path.parent.resolve()}.",
        )
        for where, file in named
        if not (path.parent / file).is_file()
    ]  # fmt: skip
    if missing:
        raise FileProblems(missing)
    protocol = load_protocol(path.parent / experiment.protocol)
    gates = tuple(load_protocol(path.parent / gate.protocol) for gate in experiment.gates)
    problems = [
        problem
        for at, (gate, own) in enumerate(zip(experiment.gates, gates, strict=True))
        for problem in _against_its_protocol(loaded, at, gate, own, protocol)
    ]
    if problems:
        raise FileProblems(problems)
    return ExperimentFile(loaded, protocol, gates, path.parent / experiment.rig)


def problem_at(
    loaded: Loaded[Experiment], where: KeyPath, value: str, what: str, remedy: str
) -> Problem:
    """A problem at a place of the experiment's file."""
    line, column = loaded.document.place(where)
    return Problem(loaded.path, line, column, dotted(where), value, what, remedy)


def _against_its_protocol(
    loaded: Loaded[Experiment],
    at: int,
    gate: Gate,
    own: Loaded[Protocol],
    protocol: Loaded[Protocol],
) -> Iterator[Problem]:
    """What a gate asks for that its protocol does not have."""
    here: KeyPath = ("gates", at)
    file, needs, arms = own.path.name, gate.needs, list(own.model.arms)
    if own.sha256 == protocol.sha256:
        yield problem_at(
            loaded, (*here, "protocol"), gate.protocol,
            "the gate is the experiment's own protocol, which cannot come before itself",
            "Name the protocol whose run shows that the cells answer, such as atrophy-window.yaml.",
        )  # fmt: skip
    for key, arm in (("arm", needs.arm), ("against", needs.against)):
        if arm is not None and arm not in own.model.arms:
            yield problem_at(
                loaded, (*here, "needs", key), arm, f"{file} has no arm '{arm}'",
                did_you_mean(arm, arms),
            )  # fmt: skip
    if needs.against is None and reference_arm(own.model) is None:
        yield problem_at(
            loaded, (*here, "needs"), "", f"{file} has no control to hold '{needs.arm}' against",
            f"Add `against: ARM`, one of {', '.join(arms)}.",
        )  # fmt: skip
    names = [o.name for o in own.model.outcomes if o.name]
    if needs.outcome is not None and needs.outcome not in names:
        yield problem_at(
            loaded, (*here, "needs", "outcome"), needs.outcome,
            f"{file} names no outcome '{needs.outcome}'",
            did_you_mean(needs.outcome, names) if names
            else f"Name one in {file}, or ask for `readout: diameter`.",
        )  # fmt: skip


def _alike(folder: Path, file: str) -> str:
    """A YAML file that may be meant, in the folder that is named; "" for none."""
    beside = (folder / file).parent
    near = did_you_mean(Path(file).name, sorted(found.name for found in beside.glob("*.yaml")))
    return f"{near} " if near.startswith("Did you mean") else ""
