"""What an experiment file holds: which donor lies on which plate, and what must be shown first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from labrig.file_names import LONGEST
from labrig.name_types import FileName, Name, WellName
from labrig.problems import Mistake, did_you_mean, raise_mistakes
from labrig.strict_model import Strict

Readout = Literal["diameter", "contraction"]
Attribute = Literal["age_group", "sex", "genotype", "morbidity"]

_OF_A_RUN = ("passage", "lot", "wells")
_LONGEST_NAME = LONGEST - len("-plate-9999")


class DonorFacts(Strict):
    """Whose cells: what holds of a donor on every plate. The key is a pseudonym, never a name."""

    age_group: Literal["young", "old", "unknown"] = "unknown"
    age_years: float | None = Field(
        default=None, alias="age", ge=0, le=130, description="in years, e.g. 78"
    )
    sex: Literal["f", "m"] | None = None
    genotype: str = ""
    morbidity: str = Field(default="", description="e.g. type 2 diabetes")

    @model_validator(mode="before")
    @classmethod
    def _what_changes_stands_in_runs(cls, written: Any) -> Any:  # noqa: ANN401 - of a file
        if isinstance(written, Mapping):
            raise_mistakes(
                "donor",
                [
                    Mistake(
                        (key,),
                        f"'{key}' may differ from plate to plate, so it is none of a donor's facts",
                        f"Move it into the lines of `runs` with this donor: `{key}: ...`.",
                    )
                    for key in _OF_A_RUN
                    if key in written
                ],
            )
        return written


class RunLine(Strict):
    """One donor on one plate; lines of one plate name their wells."""

    plate: int = Field(ge=1, le=9999)
    donor: Name
    passage: int | None = Field(default=None, ge=0, description="of these cells, within the donor")
    lot: str = ""
    night: date | None = Field(default=None, description="when it is planned, e.g. 2026-12-01")
    wells: tuple[WellName, ...] = Field(default=(), description="empty: every well of the plate")


class Needs(Strict):
    """What one arm must show against another."""

    readout: Readout | None = Field(default=None, description="at the moment arms are compared")
    outcome: Name | None = Field(default=None, description="one that the gate's protocol names")
    arm: Name
    against: Name | None = Field(default=None, description="omitted: the protocol's control")
    ratio_below: float | None = Field(default=None, gt=0)
    ratio_above: float | None = Field(default=None, gt=0)
    interval_below: float | None = Field(default=None, gt=0, description="all of the 95 % interval")
    interval_above: float | None = Field(default=None, gt=0, description="all of the 95 % interval")

    @property
    def bounds(self) -> dict[str, float]:
        """Those that are set, by key."""
        keys = ("ratio_below", "ratio_above", "interval_below", "interval_above")
        return {key: value for key in keys if (value := getattr(self, key)) is not None}

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        mistakes = []
        if (self.readout is None) == (self.outcome is None):
            mistakes.append(
                Mistake(
                    ("readout",),
                    "a gate asks for one thing: a readout, or an outcome",
                    "Write `readout: diameter`, `readout: contraction`, or `outcome: NAME`.",
                )
            )
        if not self.bounds:
            mistakes.append(
                Mistake(
                    (),
                    "nothing can fail this gate: it names no bound",
                    "Add `ratio_below: 0.85`, and `interval_below: 1` if the interval counts too.",
                )
            )
        raise_mistakes("needs", mistakes)
        return self


class Gate(Strict):
    """What a run of another protocol must have shown in a donor before its plates count."""

    protocol: str = Field(min_length=1, description="file, from the folder of this one")
    per: Literal["donor"] = "donor"
    needs: Needs


class ExperimentAnalysis(Strict):
    """How runs are joined; the rules themselves stand in the protocol's analysis."""

    unit: Literal["donor"] = "donor"
    between: tuple[Attribute, ...] = Field(
        default=(), description="attributes by which donors are held against each other"
    )


class Experiment(Strict):
    """Runs of one protocol that are planned, committed and judged together."""

    experiment: FileName = Field(max_length=_LONGEST_NAME)
    title: str = ""
    protocol: str = Field(min_length=1, description="file, from the folder of this one")
    rig: str = Field(min_length=1, description="file, from the folder of this one")
    seed: int | None = Field(
        default=None, ge=0, description="each plate's is drawn from it; omitted: the protocol's"
    )
    donors: dict[Name, DonorFacts] = Field(min_length=1)
    runs: tuple[RunLine, ...] = Field(min_length=1)
    gates: tuple[Gate, ...] = ()
    analysis: ExperimentAnalysis = ExperimentAnalysis()

    @property
    def plates(self) -> dict[int, tuple[RunLine, ...]]:
        """Lines by plate, in the order of the file."""
        found: dict[int, list[RunLine]] = {}
        for line in self.runs:
            found.setdefault(line.plate, []).append(line)
        return {plate: tuple(lines) for plate, lines in found.items()}

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        raise_mistakes("experiment", list(_mistakes(self)))
        return self


def _mistakes(experiment: Experiment) -> Iterator[Mistake]:
    known = list(experiment.donors)
    for at, line in enumerate(experiment.runs):
        if line.donor not in experiment.donors:
            what = f"there is no donor '{line.donor}' in this experiment"
            yield Mistake(("runs", at, "donor"), what, did_you_mean(line.donor, known), line.donor)
    used = {line.donor for line in experiment.runs}
    for donor in known:
        if donor not in used:
            what = f"donor {donor} lies on no plate"
            yield Mistake(("donors", donor), what, f"Add `- {{plate: N, donor: {donor}}}` to runs.")
    for plate, lines in experiment.plates.items():
        if len(lines) > 1:
            yield from _mistakes_of_plate(experiment, plate, lines)


def _mistakes_of_plate(
    experiment: Experiment, plate: int, lines: tuple[RunLine, ...]
) -> Iterator[Mistake]:
    """Of a plate that several lines share."""
    places = [at for at, line in enumerate(experiment.runs) if line.plate == plate]
    taken: dict[str, str] = {}
    entries: set[tuple[str, int | None]] = set()
    for at, line in zip(places, lines, strict=True):
        if (line.donor, line.passage) in entries:
            yield Mistake(
                ("runs", at, "plate"),
                f"plate {plate} has these cells of {line.donor} twice",
                "Give this line a plate number of its own; or name all wells in one line.",
                plate,
            )
            continue
        entries.add((line.donor, line.passage))
        if not line.wells:
            yield Mistake(
                ("runs", at, "plate"),
                f"plate {plate} holds several donors, and this line does not say in which wells",
                f"Add `wells: [A1, ...]` to every line of plate {plate}; or give this line a plate "
                "number of its own.",
                plate,
            )
        for well in line.wells:
            if well in taken:
                yield Mistake(
                    ("runs", at, "wells"),
                    f"well {well} of plate {plate} is also {taken[well]}'s",
                    "Name each well in one line only.",
                    well,
                )
            taken[well] = line.donor
        if line.night != lines[0].night:
            yield Mistake(
                ("runs", at, "night"),
                f"plate {plate} is planned for two nights",
                f"Write the same night in every line of plate {plate}.",
                str(line.night),
            )
