"""What it takes to correct the labels of a run: how it was measured, and where its pictures lie."""

from __future__ import annotations

from collections.abc import Sequence

from labrig.measure.review import Review
from labrig.measure.run_review import open_run_review
from labrig.measure.sealing import MANIFEST, read_seals
from labrig.night.measuring import RoundMeasurer
from labrig.run_folder import RunFolder
from labrig_measure.errors import MeasureError
from labrig_measure.settings_file import settings_from


def review_of_run(folder: RunFolder, frames: Sequence[str]) -> Review:
    """Frames of a run, with the settings that its tables are sealed with or a measurer takes.

    Args:
        folder: the run's.
        frames: names or patterns of frames to correct; those corrected before come along.

    Raises:
        MeasureError: as `labrig.measure.run_review.open_run_review`.
        labrig.problems.FileProblems: the run's protocol or rig cannot be read.
    """
    known = [RoundMeasurer.of(folder).settings]
    for seal in read_seals(folder.measures / MANIFEST)[-1:]:
        try:
            known.append(settings_from(seal.settings, str(folder.measures / MANIFEST)))
        except MeasureError:
            continue  # Of another version: whether it measured these frames is told by their hash.
    return open_run_review(folder.measures, folder.plate, known, frames)
