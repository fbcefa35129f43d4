"""Myotube morphometry: arrays in, tables out.

Stands alone: no files, no rig, no Prefect. Begin with :func:`labrig_analysis.measure`, which finds
tubes and nuclei in the planes of one field and gives label images and tables; its steps are
functions of their own:

* ``tubes_fluorescence.segment_tubes``, ``tubes_phase.segment_tube_like_objects``
* ``diameter.measure_diameters``, ``places.measure_widths_at``
* ``nuclei``, ``fusion``, ``pyknosis``
* ``contraction.measure_contraction`` for films
* ``registration``, ``quality``, ``tracking``, ``growth`` for time-lapse
* ``agreement``, ``statistics``
* ``synthetic``: images with exact truth
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
