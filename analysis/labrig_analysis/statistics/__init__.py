"""Statistics on experimental units, one module per question.

Tubes, fields and wells that share a carrier are sub-samples: they are averaged before they come
here, or stand in a mixed model as what they are, and are never counted as n (Lazic et al. 2018,
PLoS Biol 16:e2005282). Widths and their ratios are log-normal, so everything is on natural
logarithms. What each method needs and what it refuses: docs/statistics.md.

The names below load nothing but numpy; the other modules are imported by their own names, because
scipy.stats takes a second to load:

* ``mixed_model``, ``mixed_inference``: REML, Satterthwaite, Kenward and Roger
* ``dunnett``, ``pooled_error``, ``factorial``: many arms
* ``one_sided``, ``equivalence``, ``intersection_union``: what a verdict rests on
* ``randomisation``, ``baseline``, ``meta_analysis``, ``power``
* ``dose_response``, ``time_to_loss``, ``order_of_decline``, ``recovery``
"""

from labrig_analysis.statistics.multiplicity import holm
from labrig_analysis.statistics.ratios import (
    EQUIVALENCE_MARGIN,
    Equivalence,
    Floats,
    RatioTest,
    contrast_of_groups,
    geometric_mean,
    ratio_of_groups,
    ratio_of_pairs,
)

__all__ = [
    "EQUIVALENCE_MARGIN",
    "Equivalence",
    "Floats",
    "RatioTest",
    "contrast_of_groups",
    "geometric_mean",
    "holm",
    "ratio_of_groups",
    "ratio_of_pairs",
]
