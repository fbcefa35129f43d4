"""What a perfect measurement of a synthetic field would say."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from labrig_analysis.synthetic.culture import CultureState
from labrig_analysis.synthetic.render import View, fill, nucleus_outlines, tube_outlines
from labrig_analysis.synthetic.scene import (
    GrownTubes,
    Nuclei,
    Scene,
    grown_tubes,
    present_nuclei,
)

Labels = npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True, eq=False)
class FieldTruth:
    """Exact tables and labels of one field at one moment.

    Attributes:
        tubes: One row per tube of which some is in the picture. ``tube`` (its number, the same
            at every state, and its label), ``nuclei`` (not condensed, centre in the picture),
            ``width_mean_um``, ``width_median_um``, ``width_min_um``, ``width_max_um`` (over
            its body in the picture, tips left out; NaN if only a tip is seen), ``length_um``
            (whole centreline, also outside the picture), ``touches_border``.
        nuclei: One row per nucleus whose centre is in the picture: ``nucleus``, ``x_px``,
            ``y_px``, ``tube`` (0 = in none), ``pyknotic``.
        tube_labels: (y, x) number of the uppermost tube, 0 outside.
        nucleus_labels: (y, x) number of the nucleus.
        fusion_index_ge1: Share of the nuclei (not condensed) in tubes of at least 1 nucleus;
            ``ge2`` and ``ge3`` alike. NaN without nuclei.
        area_fraction: Share of the picture that tubes cover.
    """

    tubes: pd.DataFrame
    nuclei: pd.DataFrame
    tube_labels: Labels
    nucleus_labels: Labels
    fusion_index_ge1: float
    fusion_index_ge2: float
    fusion_index_ge3: float
    area_fraction: float

    @property
    def width_mean_um(self) -> float:
        """Unweighted mean over tubes of the mean width; NaN without tubes."""
        return float(self.tubes["width_mean_um"].mean()) if len(self.tubes) else float("nan")


def truth(
    scene: Scene, state: CultureState, shape: tuple[int, int], pixel_size_um: float
) -> FieldTruth:
    """The truth of the pictures that `render` draws with the same arguments.

    Optics (light, defocus, bleaching, bubble) change nothing here; drift does.
    """
    view = View(shape, pixel_size_um, state.drift_px)
    grown = grown_tubes(scene, state)
    present = present_nuclei(scene, state, grown)
    tube_labels = _labels(view, tube_outlines(grown, view), grown.which + 1)
    nucleus_labels = _labels(view, nucleus_outlines(present, view), present.which + 1)
    nuclei = _nucleus_table(present, view)
    tubes = _tube_table(grown, nuclei, tube_labels, view)
    return FieldTruth(
        tubes=tubes,
        nuclei=nuclei,
        tube_labels=tube_labels,
        nucleus_labels=nucleus_labels,
        fusion_index_ge1=_fusion_index(nuclei, tubes, 1),
        fusion_index_ge2=_fusion_index(nuclei, tubes, 2),
        fusion_index_ge3=_fusion_index(nuclei, tubes, 3),
        area_fraction=float((tube_labels > 0).mean()),
    )


def _labels(view: View, outlines: npt.NDArray[np.int32], numbers: npt.NDArray[np.int64]) -> Labels:
    fine = view.canvas().astype(np.uint16)
    for outline, number in zip(outlines, numbers.tolist(), strict=True):
        fill(fine, outline, number)
    size = (view.shape[1], view.shape[0])
    return np.asarray(cv2.resize(fine, size, interpolation=cv2.INTER_NEAREST), dtype=np.uint16)


def _nucleus_table(present: Nuclei, view: View) -> pd.DataFrame:
    at = present.centre_um / view.pixel_size_um + np.array(view.drift_px[::-1]) - 0.5
    height, width = view.shape
    seen = (at >= -0.5).all(axis=1) & (at[:, 0] < width - 0.5) & (at[:, 1] < height - 0.5)
    return pd.DataFrame(
        {
            "nucleus": present.which[seen] + 1,
            "x_px": at[seen, 0],
            "y_px": at[seen, 1],
            "tube": present.tube[seen] + 1,
            "pyknotic": present.pyknotic[seen],
        }
    )


def _tube_table(
    grown: GrownTubes, nuclei: pd.DataFrame, labels: Labels, view: View
) -> pd.DataFrame:
    at = grown.points_um / view.pixel_size_um + np.array(view.drift_px[::-1]) - 0.5
    limits = np.array(view.shape[::-1]) - 0.5
    in_picture = ((at >= -0.5) & (at < limits)).all(axis=2)
    healthy = nuclei.loc[~nuclei["pyknotic"], "tube"].value_counts()
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    rows = []
    for k in np.flatnonzero(in_picture.any(axis=1)).tolist():
        number = int(grown.which[k]) + 1
        widths = grown.width_um[k, in_picture[k] & grown.body[k]]
        if not len(widths):
            widths = np.array([np.nan])
        rows.append(
            {
                "tube": number,
                "nuclei": int(healthy.get(number, 0)),
                "width_mean_um": float(widths.mean()),
                "width_median_um": float(np.median(widths)),
                "width_min_um": float(widths.min()),
                "width_max_um": float(widths.max()),
                "length_um": float(grown.length_um[k]),
                "touches_border": number in edge,
            }
        )
    columns = ["tube", "nuclei", "width_mean_um", "width_median_um", "width_min_um"]
    columns += ["width_max_um", "length_um", "touches_border"]
    return pd.DataFrame(rows, columns=columns)


def _fusion_index(nuclei: pd.DataFrame, tubes: pd.DataFrame, least: int) -> float:
    healthy = nuclei.loc[~nuclei["pyknotic"], "tube"]
    if not len(healthy):
        return float("nan")
    counted = tubes.loc[tubes["nuclei"] >= least, "tube"]
    return float(healthy.isin(counted).mean())
