"""Nights of one donor each, drawn from one small run: every donor has its own size and answer."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from labrig.report.analysis import analyse
from labrig.report.integrity import CommitmentShown
from labrig.run_folder import RunFolder

COMMITTED = ({"number": 0, "utc": "2026-03-01T12:00:00+00:00", "names": ["A", "B"]},)


def nights_drawn_from(record):
    """A function that draws one donor's night; the same asked again is the same analysis."""
    made = {}

    def drawn(donor, *, loss=None, **more):
        key = json.dumps([donor, loss, more], sort_keys=True)
        if key not in made:
            made[key] = draw(donor, loss=loss, **more)
        return made[key]

    def draw(donor, *, run=None, loss=None, seed=0, committed=True, **sizes):
        """The analysis of one donor's night.

        Args:
            loss: by arm, the ratios of diameter and contraction.
            sizes: standard deviations of logarithms: ``donor_by_arm``, ``well``.
        """
        run = run or f"night of {donor}"
        rng = np.random.default_rng([seed, *run.encode()])
        by_arm, well_sd = sizes.get("donor_by_arm", 0.04), sizes.get("well", 0.05)
        arms = {
            arm: [math.log(ratio) + rng.normal(0, sd) for ratio, sd in
                  zip((loss or {}).get(arm, (1.0, 1.0)), (by_arm, 2 * by_arm), strict=True)]
            for arm in sorted({well.arm for well in record.plan.wells})
        }  # fmt: skip
        size = rng.normal(0, 0.2)
        arm_of = {well.well: well.arm for well in record.plan.wells}
        width = {w: arms[arm][0] + rng.normal(0, well_sd) for w, arm in arm_of.items()}
        force = {w: arms[arm][1] + rng.normal(0, 2 * well_sd) for w, arm in arm_of.items()}
        tubes, films = record.tubes.copy(), record.films.copy()
        after = (tubes["round"] > 0).astype(float)
        tubes["diameter_mean_um"] *= np.exp(size + after * tubes["well"].map(width))
        films["amplitude_um"] *= np.exp(size + films["well"].map(force))
        first = record.protocol.donors[0]
        protocol = record.protocol.model_copy(
            update={"donors": (first.model_copy(update={"id": donor}),), "pilot": not committed}
        )
        wells = tuple(replace(well, donor=donor) for well in record.plan.wells)
        shown = CommitmentShown(entries=COMMITTED, fits=True) if committed else None
        return analyse(
            replace(
                record, folder=RunFolder(Path("runs") / run), protocol=protocol,
                identity={**record.identity, "id": run, "pilot": not committed},
                plan=replace(record.plan, wells=wells), tubes=tubes, films=films,
                commitment=shown,
            )
        )  # fmt: skip

    return drawn
