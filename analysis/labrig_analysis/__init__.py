"""Myotube morphometry: arrays in, tables out.

Stands alone: no files, no rig, no Prefect. Begin with :func:`labrig_analysis.measure`, which finds
tubes and nuclei in the planes of one field and gives label images and tables. Its steps, a folder
per question, are functions of their own:

* ``tubes``: ``fluorescence.segment_tubes``, ``phase.segment_tube_like_objects``
* ``widths``: ``diameter.measure_diameters``, ``calipers.measure_widths_at``
* ``nuclei``: ``segmentation.segment_nuclei``, ``fusion``, ``pyknosis``
* ``stains``: what further stains show, a module per question; ``stain_tables.measure_stains``
* ``fields``: the tables and the one row of a field
* ``films``: ``contraction.measure_contraction``
* ``timelapse``: ``registration``, ``tracking``, ``growth``
* ``statistics``: one module per question, and ``agreement`` of raters
* ``synthetic``: images with exact truth
* ``images``, ``labels``: tools for planes and for label images
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labrig_analysis.measurement import Measurement, measure, measure_labels
    from labrig_analysis.settings import MeasureSettings

__all__ = ["MeasureSettings", "Measurement", "measure", "measure_labels"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any of these
    # On demand: OpenCV takes as long to import as the rest of a command that only reads settings.
    if name in __all__:
        from labrig_analysis import measurement

        return getattr(measurement, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
