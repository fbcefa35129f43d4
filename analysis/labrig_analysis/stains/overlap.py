"""Synaptic overlap: how much of the receptor clusters faces nerve terminals, and the reverse."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from labrig_analysis.arrays import LabelImage, Mask
from labrig_analysis.nuclei.fusion import wilson_interval
from labrig_analysis.setting_limits import check_limits
from labrig_analysis.stains.clusters import Clusters, ClusterSettings
from labrig_analysis.stains.readout import Readout, not_known

_NAMES = (
    "cluster_area_faced_share", "cluster_area_faced_by_chance", "terminal_area_faced_share",
    "terminal_area_faced_by_chance", "clusters_faced_share", "manders_m1", "manders_m2",
)  # fmt: skip


@dataclass(frozen=True)
class OverlapSettings:
    """What counts as facing each other."""

    tolerance_um: float = 0.5
    """Two stains face each other up to this distance [P]: the cleft is far narrower than what a
    light microscope parts, and colours are shifted against each other."""

    def __post_init__(self) -> None:
        check_limits(self, {"tolerance_um": (0, 20)})


def overlap_readouts(
    clusters: Clusters,
    terminals: Clusters,
    tubes: LabelImage | None,
    pixel_size_um: float,
    settings: OverlapSettings,
    found_with: ClusterSettings,
) -> list[Readout]:
    """Shares of area both ways, with what chance would give.

    * ``cluster_area_faced_share``: cluster area within the tolerance of a terminal / cluster area
      (the *overlap* of Jones et al. 2016, Open Biol 6:160240, at tolerance 0);
      ``terminal_area_faced_share`` the reverse.
    * ``..._by_chance``: the share of all places (of tubes, where they are known) within the
      tolerance: what is expected of stains that know nothing of each other.
    * ``clusters_faced_share``: clusters of which some part is faced / clusters.
    * ``manders_m1``, ``manders_m2``: the light of the clusters that lies on terminals / all light
      of the clusters, and the reverse; without tolerance (Manders et al. 1993, J Microsc 169:375).

    Args:
        clusters: of the postsynaptic stain.
        terminals: of the presynaptic stain.
        tubes: (y, x) labels; None where they are not known.
        pixel_size_um: width of a pixel in the specimen.
        settings: the tolerance.
        found_with: both were.
    """
    definition = f"within<={settings.tolerance_um:g}um|{found_with.definition(pixel_size_um)}"
    stain = "clusters+terminals"
    if why := clusters.why_not or terminals.why_not:
        return not_known(stain, _NAMES, definition, why)
    post, pre = clusters.labels > 0, terminals.labels > 0
    tolerance_px = settings.tolerance_um / pixel_size_um
    near_post, near_pre = _near(post, tolerance_px), _near(pre, tolerance_px)
    anywhere = clusters.seen if tubes is None or not tubes.any() else tubes > 0
    count = len(clusters.table["cluster"])
    faced = len(np.unique(clusters.labels[near_pre & post]))
    share, low, high = wilson_interval(faced, count)
    values = (
        _share(near_pre[post]),
        _share(near_pre[anywhere]),
        _share(near_post[pre]),
        _share(near_post[anywhere]),
        share,
        _manders(clusters, pre),
        _manders(terminals, post),
    )
    nothing = {"cluster": "there is no cluster", "terminal": "there is no terminal"}
    rows = []
    for name, value in zip(_NAMES, values, strict=True):
        of = "terminal" if name.startswith("terminal") or name == "manders_m2" else "cluster"
        why = nothing[of] if value != value else ""
        row = Readout(stain, name, value, definition, why_not=why)
        if name == "clusters_faced_share":
            row = row._replace(low=low, high=high, counted=count)
        rows.append(row)
    return rows


def _near(mask: Mask, distance_px: float) -> Mask:
    """Pixels of a mask, and those whose centre lies within a distance of one of it."""
    if not mask.any():
        return mask
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(away <= distance_px)


def _share(chosen: Mask) -> float:
    return float(chosen.mean()) if chosen.size else np.nan


def _manders(of: Clusters, other: Mask) -> float:
    here = of.labels > 0
    light = np.maximum(of.contrast, 0)
    total = float(light[here].sum(dtype=float))
    return float(light[here & other].sum(dtype=float)) / total if total else np.nan
