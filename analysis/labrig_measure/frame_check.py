"""Numbers of a frame by which its fitness is judged, and how far its field has drifted.

Taken while the frame is measured, without knowing its arm; judged once a run's tables are there
(`labrig.measure.judging`), because a frame is compared with its own field's first hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labrig_measure.errors import UnreadableImage
from labrig_measure.planes import PlaneFile, read_plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCORES = ("focus", "light", "saturated_share", "stray_share", "grey_spread")
DRIFT = ("drift_right_um", "drift_down_um", "drift_agreement", "drift_reason")
_LOOKED_AT = ("phase", "tubes", "nuclei")


@dataclass(frozen=True, slots=True)
class FrameCheck:
    """What a frame is checked with.

    Attributes:
        references: by our name of a channel, the same field at its first round in that channel.
        full_scale: by our name, the largest grey value that the camera gives.
    """

    references: Mapping[str, PlaneFile]
    full_scale: Mapping[str, float]


def check_frame(
    planes: Mapping[str, NDArray[Any]], check: FrameCheck, pixel_size_um: float
) -> dict[str, Any]:
    """Scores and drift of a field's frame, in the columns :data:`SCORES` and :data:`DRIFT`.

    One plane stands for all, because they are taken at one place within seconds: unstained, else
    tubes, else nuclei. Empty where nothing could be read.
    """
    from labrig_analysis.images.quality import score_frame

    row: dict[str, Any] = dict.fromkeys((*SCORES, *DRIFT))
    name = next((name for name in _LOOKED_AT if name in planes), None)
    if name is None:
        return row
    scores = score_frame(planes[name], check.full_scale[name])
    row |= {
        "focus": scores.focus,
        "light": scores.level,
        "saturated_share": scores.saturated,
        "stray_share": scores.stray,
        "grey_spread": scores.spread,
    }
    if name in check.references:
        row |= _drift(planes[name], check.references[name], pixel_size_um)
    return row


def _drift(plane: NDArray[Any], source: PlaneFile, pixel_size_um: float) -> dict[str, Any]:
    from labrig_analysis.timelapse.registration import measure_drift

    try:
        drift = measure_drift(read_plane(source), plane)
    except (UnreadableImage, ValueError) as error:
        return {"drift_reason": f"no reference: {error}"}
    return {
        "drift_right_um": drift.dx_px * pixel_size_um,
        "drift_down_um": drift.dy_px * pixel_size_um,
        "drift_agreement": drift.agreement,
        "drift_reason": drift.reason,
    }
