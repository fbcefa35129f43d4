"""Live and dead: of nuclei that a dead stain marks, or of cells in two stains."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import GreyImage, LabelImage, Mask
from labrig_analysis.labels.region_properties import measure_regions
from labrig_analysis.labels.relabelling import relabel_sequential
from labrig_analysis.nuclei.fusion import wilson_interval
from labrig_analysis.nuclei.segmentation import NucleusSettings, segment_nuclei
from labrig_analysis.stains.markers import MarkerSettings, find_marked
from labrig_analysis.stains.readout import Readout, not_known
from labrig_analysis.stains.stain_light import why_unseen

STAIN = "live+dead"
_NAMES = ("live", "dead", "live_share")
# A stain that live cells keep out marks nothing unspecifically: all may be dead, as in a control.
DEAD_SETTINGS = MarkerSettings(most_in_one_group=1.0)


class DeadNuclei(NamedTuple):
    """Which nuclei a dead stain marks."""

    readouts: list[Readout]
    contrast: npt.NDArray[np.float64]
    """(n,) of each nucleus, as `markers.MarkedNuclei.contrast`."""
    dead: npt.NDArray[np.bool_]


def dead_of_nuclei(
    dead: GreyImage,
    nuclei: LabelImage,
    pixel_size_um: float,
    tubes: LabelImage | None = None,
    settings: MarkerSettings = DEAD_SETTINGS,
) -> DeadNuclei:
    """Live and dead nuclei, where all nuclei are stained too (Hoechst and propidium iodide).

    Args:
        dead: (y, x), bright in dead nuclei.
        nuclei: (y, x) labels 1..n, condensed ones too.
        pixel_size_um: width of a pixel in the specimen.
        tubes: (y, x) labels; None where they are not known.
        settings: what counts as marked.

    Raises:
        TypeError, ValueError: no grey plane.
    """
    found = find_marked(dead, nuclei, pixel_size_um, tubes, settings, "dead")
    definition = f"dead/nuclei|{settings.definition}|level by {found.chosen_by or 'nothing'}"
    if found.why_not:
        return DeadNuclei(
            not_known(STAIN, _NAMES, definition, found.why_not), found.contrast, found.positive
        )
    died, count = int(found.positive.sum()), len(found.positive)
    rows = _rows(count - died, died, definition)
    return DeadNuclei([r._replace(level=found.level) for r in rows], found.contrast, found.positive)


def live_dead_of_cells(
    live: GreyImage,
    dead: GreyImage,
    tubes: LabelImage | None = None,
    settings: NucleusSettings | None = None,
    wall: Mask | None = None,
) -> list[Readout]:
    """Live and dead cells counted in two stains (calcein and propidium iodide), without nuclei.

    Both planes are parted into roundish things as nuclei are. A live cell with a dead nucleus in it
    is dead.

    Known bias: cells that lie on each other, and spread ones with arms, are parted badly. Tubes
    cannot be counted as cells: where some were found, nuclei are asked for.

    Args:
        live: (y, x), bright in live cells.
        dead: (y, x), bright in dead nuclei.
        tubes: (y, x) labels; None where they are not known.
        settings: how things are parted; None is `NucleusSettings()`.
        wall: (y, x) where the wall of the well was filled; nothing is counted there.

    Raises:
        TypeError, ValueError: no grey plane.
    """
    definition = "counted in both stains|live with a dead nucleus=dead"
    why = why_unseen(live, "live") or why_unseen(dead, "dead")
    if not why and tubes is not None and tubes.any():
        why = "tubes cannot be counted as cells: give the nuclei too"
    if why:
        return not_known(STAIN, _NAMES, definition, why)
    living, died = (segment_nuclei(plane, settings).labels for plane in (live, dead))
    if wall is not None:
        living, died = (relabel_sequential(np.where(wall, 0, cells)) for cells in (living, died))
    count = int(died.max(initial=0))
    if count:
        at = np.rint(measure_regions(died, dead).centroids_yx).astype(int)
        both = np.unique(living[at[:, 0], at[:, 1]])
        lost = int(np.count_nonzero(both))
    else:
        lost = 0
    return _rows(int(living.max(initial=0)) - lost, count, definition)


def _rows(live: int, dead: int, definition: str) -> list[Readout]:
    share = wilson_interval(live, live + dead)
    why = "" if live + dead else "there is no cell"
    return [
        Readout(STAIN, "live", live, definition),
        Readout(STAIN, "dead", dead, definition),
        Readout(STAIN, "live_share", *share[:1], definition, *share[1:], live + dead, why_not=why),
    ]
