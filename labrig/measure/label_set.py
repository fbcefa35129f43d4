"""The label images of a review: as the program drew them, as edited, and as they were last taken.

What a person edited is the difference between the image now and the one that was last taken, so
that each edit is recorded once, under the name of who made it, and taking one back is an edit too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from labrig.durable import write_text_whole
from labrig.measure.label_files import read_labels
from labrig_measure.errors import MeasureError
from labrig_measure.field_job import LABELLED
from labrig_measure.label_images import label_path, read_rois, roi_path, save_labels, save_rois
from labrig_measure.records import Record

ORIGINAL, TAKEN = "original", "taken"
Labels = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class LabelSet:
    """The folder `review/` of results, with one label image a field and kind of object.

    Beside an image may lie the same as a set of ROIs, which a person may edit in its place.
    """

    folder: Path
    pixel_size_um: float

    @property
    def exists(self) -> bool:
        """Whether label images were ever written."""
        return (self.folder / ORIGINAL).is_dir()

    def path(self, field: str, name: str) -> Path:
        """The image that a person edits."""
        return label_path(self.folder, field, name)

    def rois(self, field: str, name: str) -> Path:
        """The set of ROIs that a person edits instead."""
        return roi_path(self.folder, field, name)

    def names(self, field: str) -> list[str]:
        """Of `LABELLED`, what the field has label images of."""
        return [name for name in LABELLED if self._original(field, name).exists()]

    def original(self, field: str, name: str) -> NDArray[Any]:
        """As the program drew them."""
        return np.asarray(tifffile.imread(self._original(field, name)))

    def now(self, field: str, name: str) -> NDArray[Any]:
        """As the person left them, in the label image or in the set of ROIs.

        Raises:
            MeasureError: no label image of the field; both were edited, and differ.
        """
        original, before = self.original(field, name), self.taken(field, name)
        shape = original.shape
        image = read_labels(self.path(field, name), shape)
        rois = self.rois(field, name)
        if not rois.exists():
            return image
        in_use = max(int(labels.max(initial=0)) for labels in (original, before))
        outlined = read_rois(rois, shape, name, in_use).labels
        if np.array_equal(outlined, before) or np.array_equal(outlined, image):
            return image
        if np.array_equal(image, before):
            return outlined
        raise MeasureError(
            f"{self.path(field, name)} and {rois.name} were both edited, and differ: move one of "
            "them elsewhere"
            f" ({self.folder / ORIGINAL / self.path(field, name).name} may stand for the image)"
        )

    def shared_px(self, field: str, name: str) -> int:
        """Pixels that several ROIs of the set hold; none where there is no set."""
        rois = self.rois(field, name)
        shape = self.original(field, name).shape
        return read_rois(rois, shape, name).shared_px if rois.exists() else 0

    def taken(self, field: str, name: str) -> NDArray[Any]:
        """As they were when corrections were last recorded; before that, as the program's."""
        path = self._taken(field, name)
        return np.asarray(tifffile.imread(path)) if path.exists() else self.original(field, name)

    def take(self, field: str, name: str, labels: NDArray[Any]) -> None:
        """Remember these as recorded, and let image and set of ROIs say the same."""
        path = self._taken(field, name)
        path.parent.mkdir(exist_ok=True)
        save_labels(path, labels, self.pixel_size_um)
        if self.rois(field, name).exists():
            save_labels(self.path(field, name), labels, self.pixel_size_um)
            save_rois(self.rois(field, name), labels, name)

    def is_of(self, result: Record) -> bool:
        """Whether the field's images were written from this very result, and all are there."""
        stamp, drawn = self._stamp(result.name), self.names(result.name)
        edited = [name for name in LABELLED if self.path(result.name, name).exists()]
        if not stamp.exists() or not drawn or not set(edited) <= set(drawn):
            return False
        return stamp.read_text(encoding="ascii") == _fingerprint(result)

    def edits(self, field: str, found: Labels) -> list[Path]:
        """The files of a field that hold a person's work, edited or recorded.

        Args:
            field: its name.
            found: labels that the program draws now; they tell what is edited where its older ones
                were taken away.

        Raises:
            MeasureError: a file is no label image, so that it cannot be told.
        """
        edited = []
        for name in LABELLED:
            there = [p for p in (self.path(field, name), self._taken(field, name)) if p.exists()]
            drawn = self.original(field, name) if name in self.names(field) else found.get(name)
            rois = self.rois(field, name)
            if rois.exists() and (
                drawn is None or (read_rois(rois, drawn.shape, name).labels != drawn).any()
            ):
                edited.append(rois)
            edited += [
                path
                for path in there
                if drawn is None or (read_labels(path, drawn.shape) != drawn).any()
            ]
        return edited

    def write(self, result: Record, labels: Labels) -> int:
        """Write the images of a field in place of any older ones, of which none has edits.

        Returns:
            How many.
        """
        self._original(result.name, LABELLED[0]).parent.mkdir(parents=True, exist_ok=True)
        for name in LABELLED:
            # What was recorded of older labels and taken back is nothing to compare new ones with.
            self._taken(result.name, name).unlink(missing_ok=True)
            self.rois(result.name, name).unlink(missing_ok=True)
        for name, image in labels.items():
            save_labels(self.path(result.name, name), image, self.pixel_size_um)
            save_labels(self._original(result.name, name), image, self.pixel_size_um)
        self.confirm(result)
        return len(labels)

    def confirm(self, result: Record) -> None:
        """Note that the field's images are of this result."""
        write_text_whole(self._stamp(result.name), _fingerprint(result))

    def _original(self, field: str, name: str) -> Path:
        return label_path(self.folder / ORIGINAL, field, name)

    def _taken(self, field: str, name: str) -> Path:
        return label_path(self.folder / TAKEN, field, name)

    def _stamp(self, field: str) -> Path:
        return self.folder / ORIGINAL / f"{field}.sha256"


def _fingerprint(result: Record) -> str:
    return hashlib.sha256(json.dumps(result.tables, sort_keys=True).encode()).hexdigest()
