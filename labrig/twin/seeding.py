"""The culture that stands in a well before the night begins."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping

from labrig.twin.culture import Culture, Donor
from labrig.twin.culture.fusion import Fusion
from labrig.twin.spec import WellSpec

_USUAL_PASSAGE = 4


def seeded_culture(
    well: WellSpec, seed: int, numbers: Mapping[str, Mapping[str, float]]
) -> Culture:
    """A culture as its donor, its passage and its days make it."""
    variation = numbers["variation"]
    donor = random.Random(f"{seed}/donor/{well.donor}")
    own = random.Random(f"{seed}/well/{well.well}")
    answers = random.Random(f"{seed}/answers/{well.donor}")
    size = donor.gauss(0.0, variation["donor_log_sd"]) + own.gauss(0.0, variation["well_log_sd"])
    old = well.donor_age == "old"
    cells = Donor(
        log_size=size + (variation["old_log_diameter"] if old else 0.0),
        old=old,
        answers=math.exp(answers.gauss(0.0, variation["response_log_sd"])),
        passages_over=max(0.0, float(well.passage - _USUAL_PASSAGE)),
    )
    fusion = Fusion.at_age(well.days_differentiated, cells, numbers["fusion"])
    if well.compartment == "nerve":
        fusion.fused = fusion.fusible = 0.0
    return Culture(cells, fusion, math.log(numbers["growth"]["start_factor"]))
