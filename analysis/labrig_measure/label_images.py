"""Label images for Fiji and napari: calibrated TIFF, and sets of ROIs.

A set is the zip of Fiji's ROI Manager with one ROI per object, named ``tubes_00012`` after its
number. Outlines run along the edges of pixels, so a set that nobody edited gives back every pixel.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from labrig_measure.errors import MeasureError
from labrig_measure.outlines import Filled, fill, trace
from labrig_measure.whole_files import written_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from roifile import ImagejRoi

_MOST_IN_16_BITS = 2**16 - 1
# ImageJ keeps corners as whole numbers in this range; beyond it only as floats.
_MOST_CORNER = 30_000
_UNITS_PER_PIXEL = 10**6


def label_path(folder: Path, field: str, objects: str) -> Path:
    """The label image of a field's ``tubes`` or ``nuclei``."""
    return folder / f"{field}_{objects}.tif"


def roi_path(folder: Path, field: str, objects: str) -> Path:
    """The set of ROIs of a field's ``tubes`` or ``nuclei``."""
    return folder / f"{field}_{objects}_RoiSet.zip"


def save_labels(path: Path, labels: NDArray[Any], pixel_size_um: float) -> None:
    """A label image that ImageJ and napari open: uint16, or uint32 from 65,536 objects on.

    Its size in µm is stated as ImageJ does, which makes Fiji show it calibrated, and its grey
    window reaches from 0 to the highest number.

    Args:
        path: where it goes.
        labels: (y, x) whole numbers.
        pixel_size_um: width of a pixel in the specimen.
    """
    import tifffile

    most = int(labels.max(initial=0))
    kind = np.uint16 if most <= _MOST_IN_16_BITS else np.uint32
    per_um = (_UNITS_PER_PIXEL, round(pixel_size_um * _UNITS_PER_PIXEL))
    tifffile.imwrite(
        path,
        labels.astype(kind),
        compression="zlib",
        # tifffile's own ImageJ format has no 32-bit labels and no compression.
        description=f"ImageJ=1.54f\nunit=um\nmin=0\nmax={max(1, most)}\n",
        metadata=None,
        resolution=(per_um, per_um),
        resolutionunit="NONE",
    )


def save_rois(path: Path, labels: NDArray[Any], objects: str) -> int:
    """Write a set of ROIs; returns how many.

    An object with holes or in several parts is one composite ROI.

    Args:
        path: of the zip; replaced as a whole.
        labels: (y, x) whole numbers, 0 the background.
        objects: what they are, ``tubes`` or ``nuclei``.

    Raises:
        OSError: the disk refuses; an earlier file is untouched.
    """
    count = 0
    with (
        written_whole(path) as stream,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for number, rings in _outlines(labels):
            name = f"{objects}_{number:05d}"
            packed.writestr(f"{name}.roi", _roi(rings, name).tobytes())
            count += 1
    return count


def _outlines(labels: NDArray[Any]) -> Iterator[tuple[int, list[NDArray[np.int64]]]]:
    """Number and outlines of every object."""
    from scipy.ndimage import find_objects

    numbers, compact = np.unique(labels, return_inverse=True)
    compact = compact.reshape(labels.shape).astype(np.int32)
    if numbers.size and numbers[0] != 0:
        compact += 1
        numbers = np.concatenate([[0], numbers])
    for label, where in enumerate(find_objects(compact), start=1):
        rows, columns = where
        corner = (columns.start, rows.start)
        yield int(numbers[label]), [ring + corner for ring in trace(compact[where] == label)]


def _roi(rings: list[NDArray[np.int64]], name: str) -> ImagejRoi:
    import roifile

    corners = np.concatenate(rings)
    if len(rings) == 1 and corners.max() <= _MOST_CORNER:
        roi = roifile.ImagejRoi.frompoints(corners, name=name)
        roi.roitype = roifile.ROI_TYPE.TRACED
        roi.options = roifile.ROI_OPTIONS.NONE
        # roifile counts the corner as a pixel.
        roi.right, roi.bottom = roi.right - 1, roi.bottom - 1
        return roi
    path: list[NDArray[np.float64]] = []
    for ring in rings:
        steps = np.column_stack([np.ones(len(ring)), ring])
        steps[0, 0] = 0
        path += [steps.ravel(), np.array([4.0])]
    left, top = corners.min(axis=0)
    right, bottom = corners.max(axis=0)
    floats = np.concatenate(path).astype(np.float32)
    return roifile.ImagejRoi(
        roitype=roifile.ROI_TYPE.RECT,
        left=int(left), top=int(top), right=int(right), bottom=int(bottom),
        multi_coordinates=floats,
        shape_roi_size=len(floats),
        name=name,
    )  # fmt: skip


class ReadRois(NamedTuple):
    """What a set of ROIs holds."""

    labels: NDArray[np.int32]
    """(y, x): 0 is the background."""
    shared_px: int
    """Pixels that lay in several ROIs: they are of the one that comes last."""


def read_rois(path: Path, shape: tuple[int, int], objects: str, in_use: int = 0) -> ReadRois:
    """The label image of a set of ROIs.

    A ROI that bears the name of an object keeps its number; any other name, as Fiji gives it to
    what is drawn anew, makes a new object. A pixel is of a ROI that encloses its centre.

    Args:
        path: the zip that Fiji's ROI Manager saved.
        shape: (y, x) of the field.
        objects: what it holds, ``tubes`` or ``nuclei``.
        in_use: the highest number that an object has or had: new ones get higher ones, so that none
            passes for one that was deleted.

    Raises:
        MeasureError: no set of ROIs; a ROI that is no area, or lies nowhere in the field, or wholly
            under those after it.
    """
    rois = _read_set(path)
    numbers = _numbers([roi.name for roi in rois], objects, in_use)
    labels = np.zeros(shape, np.int32)
    shared = np.zeros(shape, bool)
    for roi, number in zip(rois, numbers, strict=True):
        where, mask = _mask(roi, shape, path)
        if not mask.any():
            raise MeasureError(
                f"{path}: the ROI {roi.name} holds no centre of a pixel of the field "
                f"({shape[1]} x {shape[0]} px): delete it, or draw it in the whole field's picture"
            )
        under = labels[where]
        shared[where] |= mask & (under > 0) & (under != number)
        under[mask] = number
    there = np.zeros(max(numbers, default=0) + 1, bool)
    there[labels.ravel()] = True
    if gone := [roi.name for roi, n in zip(rois, numbers, strict=True) if not there[n]]:
        raise MeasureError(
            f"{path}: {', '.join(gone[:4])} lies wholly under other ROIs, of which the last of the "
            "list counts: delete it, or move it to the end of the list"
        )
    return ReadRois(labels, int(np.count_nonzero(shared)))


def _read_set(path: Path) -> list[ImagejRoi]:
    import roifile

    try:
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as packed:
            names = [name for name in packed.namelist() if name.lower().endswith(".roi")]
            return [roifile.ImagejRoi.frombytes(packed.read(name)) for name in names]
    # roifile raises nearly anything on damaged bytes; the person needs the file's name.
    except Exception as error:
        raise MeasureError(
            f"{path} is no set of ROIs ({error}): in Fiji's ROI Manager, More > Save... with all "
            "ROIs, or none, selected"
        ) from error


def _numbers(names: list[str], objects: str, in_use: int) -> list[int]:
    """Of each ROI the number of its object, a new one where its name says none."""
    from labrig_analysis.fields.inputs import MOST_LABELS

    named = [re.fullmatch(rf"{objects}_(\d+)", name) for name in names]
    known = [int(match[1]) if match else 0 for match in named]
    known = [number if number <= MOST_LABELS else 0 for number in known]
    last = max([in_use, *known])
    numbers = []
    for number in known:
        last += number == 0
        numbers.append(number or last)
    return numbers


def _mask(roi: ImagejRoi, shape: tuple[int, int], path: Path) -> Filled:
    """The pixels of one ROI."""
    import roifile

    kinds = roifile.ROI_TYPE
    areas = (kinds.POLYGON, kinds.FREEHAND, kinds.TRACED, kinds.RECT, kinds.OVAL)
    rounded = roi.roitype == kinds.RECT and roi.rounded_rect_arc_size > 0
    spline = bool(roi.options & roifile.ROI_OPTIONS.SPLINE_FIT)
    if roi.roitype not in areas or rounded or spline:
        what = "rounded" if rounded else "a fitted spline" if spline else roi.roitype.name.lower()
        raise MeasureError(
            f"{path}: the ROI {roi.name} is {what}, and not an area of polygon, freehand, wand, "
            "rectangle or oval: delete it or draw it anew (Edit > Selection > Create Mask, then "
            "Create Selection, makes any area a traced one)"
        )
    if roi.roitype == kinds.OVAL:
        return _oval(roi, shape)
    try:
        paths = roi.coordinates(multi=True)
    except (NotImplementedError, RuntimeError) as error:
        raise MeasureError(
            f"{path}: the ROI {roi.name} has curves that cannot be read ({error}). In Fiji: Edit > "
            "Selection > Create Mask, then Create Selection, and Update in the ROI Manager"
        ) from error
    return fill(list(paths), shape)


def _oval(roi: ImagejRoi, shape: tuple[int, int]) -> Filled:
    """By its equation: roifile's own polygon of 33 corners is up to 1 % too small."""
    sides: tuple[float, ...] = (roi.left, roi.top, roi.right, roi.bottom)
    if roi.subpixelrect:
        sides = (roi.xd, roi.yd, roi.xd + roi.widthd, roi.yd + roi.heightd)
    left, top, right, bottom = sides
    rows = slice(max(0, math.floor(top)), min(shape[0], math.ceil(bottom)))
    columns = slice(max(0, math.floor(left)), min(shape[1], math.ceil(right)))
    y, x = np.ogrid[rows, columns]
    across = (x + 0.5 - (left + right) / 2) * 2 / (right - left)
    down = (y + 0.5 - (top + bottom) / 2) * 2 / (bottom - top)
    return Filled((rows, columns), np.asarray(across**2 + down**2 <= 1))
