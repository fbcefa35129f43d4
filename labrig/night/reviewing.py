"""Results that a person corrects: a folder that was measured, or a run. One path for all who do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from labrig.measure.review import Correction, Review, open_review, read_back
from labrig.measure.run_review import correct_run, open_run_review
from labrig.measure.sealing import MANIFEST, read_seals, run_of, sealed_again
from labrig.night.measuring import RoundMeasurer
from labrig.night.plate_completion import follow_corrections
from labrig.night.run_cells import cells_of_run
from labrig.protocol.blinding_key import how_it_is_known
from labrig.report.blinding import who_may_not_judge
from labrig.run_folder import RunFolder
from labrig_measure.errors import MeasureError
from labrig_measure.settings_file import settings_from, settings_sha256, written_sha256


@dataclass(frozen=True, slots=True)
class Results:
    """Where tables and labels lie.

    Attributes:
        folder: the ``--out`` folder of `labrig measure`, or a run's ``measures``.
        run: the run that it belongs to; None for a folder.
    """

    folder: Path
    run: RunFolder | None

    @classmethod
    def at(cls, path: Path) -> Results:
        """Of a folder of results, a run, or a run's folder of measures."""
        if (path / "run.json").exists():
            run = RunFolder(path)
            return cls(run.measures, run)
        if run_of(path) is not None:
            return cls(path, RunFolder(path.absolute().parent))
        return cls(path, None)

    def open(self, frames: Sequence[str] = ()) -> Review:
        """What is there to correct.

        Args:
            frames: of a run, names or patterns of pictures; those corrected before come along.

        Raises:
            MeasureError: no results, no such frame, or settings that nobody knows.
            labrig.problems.FileProblems: the run's protocol or rig cannot be read.
        """
        if self.run is not None:
            return _review_of_run(self.run, frames)
        if frames:
            raise MeasureError(f"{self.folder} is no run: --frame is for pictures of one")
        return open_review(self.folder)

    def how_arms_are_known(self, by: str) -> str:
        """How this person knows the arms, where they are coded; "" where nothing says so."""
        if not by.strip() or self.run is None:
            return ""
        return how_it_is_known(by, who_may_not_judge(self.run))

    def correct(self, review: Review, by: str, why: str) -> list[Correction]:
        """Take what was edited: tables are made again and sealed; who, when and why are kept.

        A run's plate that has labels gets the corrected ones.

        Raises:
            MeasureError: as `labrig.measure.review.find_edits`, or a damaged seal.
            labrig.plan.store.PlanFormatError, labrig.problems.FileProblems: the run's plan or
                protocol cannot be read.
            OSError: the disk refuses.
        """
        knew_arms = self.how_arms_are_known(by)
        with sealed_again(self.folder, "labrig review", by):
            if self.run is None:
                return read_back(review, by, why, knew_arms)
            corrections = correct_run(review, by, why, knew_arms, cells_of_run(self.run))
        follow_corrections(self.run, {correction.field for correction in corrections})
        return corrections


def _review_of_run(folder: RunFolder, frames: Sequence[str]) -> Review:
    """With the settings that its tables are sealed with, or that a measurer takes."""
    taken = RoundMeasurer.of(folder).settings
    known = {settings_sha256(taken): taken}
    for seal in read_seals(folder.measures / MANIFEST)[-1:]:
        try:
            was = settings_from(seal.settings, str(folder.measures / MANIFEST))
            known[written_sha256(seal.settings)] = was
        except MeasureError:
            continue  # Settings that this version has not: whether they are needed is told below.
    return open_run_review(folder.measures, folder.plate, known, frames)
