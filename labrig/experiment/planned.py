"""The runs of an experiment as protocol files: that plate's donors, and a seed of its own.

A file of a run is its protocol's in all but name, donors and the seed of the layout, which is what
may differ between the runs of one study. Whose passage it is stays known: the entry of a donor on a
plate is a passage of the person.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from labrig.documents import Loaded
from labrig.durable import write_text_whole
from labrig.experiment.loading import ExperimentFile, problem_at
from labrig.experiment.models import Experiment, RunLine
from labrig.problems import FileProblems, KeyPath
from labrig.protocol.culture import Donor
from labrig.protocol.loading import load_protocol
from labrig.protocol.models import Protocol


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One plate of the experiment, or the run that a gate asks for in one donor.

    Attributes:
        name: of its protocol.
        donors: persons on it, in words with their passage.
        at: where the experiment's file plans it.
        gate: the file of a gate's protocol, as the experiment writes it; "" for a plate.
    """

    name: str
    entries: tuple[Donor, ...]
    seed: int
    source: Loaded[Protocol]
    at: KeyPath
    plate: int | None = None
    night: date | None = None
    gate: str = ""

    @property
    def file(self) -> str:
        """Of its protocol."""
        return f"{self.name}.yaml"

    @property
    def persons(self) -> tuple[str, ...]:
        """Whose cells lie on it."""
        return tuple(dict.fromkeys(entry.person or entry.id for entry in self.entries))

    @property
    def who(self) -> str:
        """Its donors in words."""
        return ", ".join(
            (entry.person or entry.id) + ("" if entry.passage is None else f" p{entry.passage}")
            for entry in self.entries
        )


def planned_plates(experiment: ExperimentFile) -> tuple[PlannedRun, ...]:
    """The plates, in the order of the file."""
    model = experiment.model
    return tuple(
        PlannedRun(
            name=f"{model.experiment}-plate-{plate}",
            entries=tuple(_entry(model, line) for line in lines),
            seed=drawn_seed(experiment.seed, f"plate {plate}"),
            source=experiment.protocol,
            at=("runs", model.runs.index(lines[0])),
            plate=plate,
            night=lines[0].night,
        )
        for plate, lines in model.plates.items()
    )


def planned_gates(experiment: ExperimentFile) -> tuple[PlannedRun, ...]:
    """A run a gate's protocol and donor, with the cells of the donor's first plate."""
    model = experiment.model
    found: dict[str, PlannedRun] = {}
    for number, own in enumerate(experiment.gates):
        for donor in model.donors:
            line = next(line for line in model.runs if line.donor == donor)
            name = _gate_name(model, own.model.name, donor)
            found.setdefault(
                name,
                PlannedRun(
                    name=name,
                    entries=(_entry(model, line.model_copy(update={"wells": ()})),),
                    seed=drawn_seed(experiment.seed, f"gate {own.model.name} of {donor}"),
                    source=own,
                    at=("gates", number),
                    gate=model.gates[number].protocol,
                ),
            )
    return tuple(found.values())


def drawn_seed(seed: int, what: str) -> int:
    """The seed of one plate: the same on every computer, and no plate's tells another's."""
    digest = hashlib.sha256(f"{seed}: {what}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def text_of(run: PlannedRun) -> str:
    """Its protocol file: that of its source, comments and all, with name, donors and seed."""
    yaml = YAML()
    yaml.width = 4096
    document: dict[str, Any] = yaml.load(run.source.path.read_text(encoding="utf-8-sig"))
    document["name"] = run.name
    document["donors"] = [
        entry.model_dump(mode="json", by_alias=True, exclude_defaults=True) for entry in run.entries
    ]
    document["randomisation"]["seed"] = run.seed
    out = io.StringIO()
    yaml.dump(document, out)
    return out.getvalue()


def write_runs(
    experiment: ExperimentFile, runs: Sequence[PlannedRun], folder: Path
) -> dict[str, Loaded[Protocol]]:
    """Write protocol files of runs, and read them back as a run would.

    Args:
        experiment: with the files that it names.
        runs: of it.
        folder: made if it is not there; a file that would say the same is left as it is.

    Returns:
        by name.

    Raises:
        FileProblems: what the experiment's file puts into one is not right there.
        OSError: the disk refuses.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: dict[str, Loaded[Protocol]] = {}
    for run in runs:
        path, text = folder / run.file, text_of(run)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            write_text_whole(path, text)
        _bring_responses(run, folder)
        try:
            written[run.name] = load_protocol(path)
        except FileProblems as error:
            raise FileProblems([
                problem_at(
                    experiment.loaded, run.at, each.value,
                    f"in the protocol of {run.name}, {each.path}: {each.what}", each.remedy,
                )
                for each in error.problems
            ]) from None  # fmt: skip
    return written


def _bring_responses(run: PlannedRun, folder: Path) -> None:
    """A laboratory's own file of responses lies beside the protocol that names it."""
    simulation = run.source.model.simulation
    if simulation is None:
        return
    there = run.source.path.with_name(simulation.responses)
    here = folder / simulation.responses
    if there.is_file() and there.resolve() != here.resolve():
        write_text_whole(here, there.read_text(encoding="utf-8"))


def _entry(experiment: Experiment, line: RunLine) -> Donor:
    """The donor's entry on a plate: this passage of that person."""
    facts = experiment.donors[line.donor]
    known: dict[str, Any] = {key: getattr(facts, key) for key in type(facts).model_fields}
    passage = line.passage
    known |= {"passage": passage, "lot": line.lot, "wells": line.wells, "id": line.donor}
    if passage is not None:
        known |= {"id": f"{line.donor}-p{passage}", "person": line.donor}
    return Donor.model_validate(known)


def _gate_name(experiment: Experiment, protocol: str, donor: str) -> str:
    """Within the length that names of files have."""
    name = f"{experiment.experiment}-gate-{protocol}-{donor.replace('/', '-')}"
    if len(name) <= 64:
        return name
    short = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[:55]}-{short}"
