"""An overlay as a figure for a notebook: in µm, with a legend. Needs the extra ``plot``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labrig_analysis import overlays
from labrig_analysis.arrays import GreyImage

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEGEND = {
    "tube": overlays.OUTLINE,
    "centreline": overlays.CENTRELINE,
    "width": overlays.CHORD,
    "width that does not count": overlays.DROPPED_CHORD,
    "nucleus in a tube": overlays.NUCLEUS_IN,
    "nucleus outside": overlays.NUCLEUS_OUT,
    "pyknotic": overlays.PYKNOTIC,
}


def plot_overlay(
    picture: GreyImage, pixel_size_um: float, title: str, axes: Axes | None = None
) -> Axes:
    """Show an overlay; returns the axes that it was drawn into.

    Args:
        picture: (y, x, 3) uint8, red first.
        pixel_size_um: width of a pixel in the specimen.
        title: above it.
        axes: to draw into; None makes a figure.

    Raises:
        ImportError: Matplotlib is missing; says how to install it.
    """
    try:
        import matplotlib.pyplot as plt
        from matplotlib.patches import Patch
    except ModuleNotFoundError as error:
        raise ImportError(
            "plot() needs Matplotlib, which is not installed: pip install 'labrig-analysis[plot]'. "
            "overlay() gives the same picture as an array without it"
        ) from error
    if axes is None:
        _, axes = plt.subplots(figsize=(8, 8 * picture.shape[0] / picture.shape[1] + 1))
    height_um, width_um = (side * pixel_size_um for side in picture.shape[:2])
    axes.imshow(picture, extent=(0, width_um, height_um, 0), interpolation="nearest")
    axes.set_xlabel("µm")
    axes.set_title(title, fontsize="small", loc="left", wrap=True)
    patches = [
        Patch(facecolor=(red / 255, green / 255, blue / 255), edgecolor="grey", label=name)
        for name, (blue, green, red) in _LEGEND.items()
        if (picture == (red, green, blue)).all(axis=2).any()
    ]
    if patches:
        axes.legend(handles=patches, fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    return axes
