"""How often a page errs, and what it sees, in nights whose truth is known.

    python benchmarks/calibration.py [NIGHTS] [SEED] [CASE] [DONORS]

Tables of tubes, fields and films are drawn and go the whole way of a report: wells, units, guards,
verdict on arms. Standard deviations of logarithms: donor 0.20, donor by arm 0.05, well 0.07, tube
0.40 (100 tubes in a well); contraction: donor by arm 0.05, well 0.20; nuclei 0.05, tube area 0.06.
Those of contraction, nuclei and area are assumptions: none was found published. Eight arms, three
wells of an arm in each donor, each with a line of its own unless a case says otherwise.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from labrig.plan.plan import WellPlan
from labrig.protocol.analysis_plan import AnalysisPlan, PlannedContrast
from labrig.protocol.definition import Definition
from labrig.report.arms.classes import CLASSES
from labrig.report.arms.verdicts import ArmsVerdict, MeasuredArms, verdicts_of_arms
from labrig.report.comparisons import diameter_readings, film_readings
from labrig.report.growth import well_table, wells_that_count
from labrig.report.units import Design

ARMS = tuple("abcdefgh")
CONTROL = "a"
HOURS = (0.0, 72.0)
DEFINITION = Definition()


@dataclass(frozen=True)
class Case:
    """One kind of night.

    Attributes:
        mass, strength: by arm, the true ratio to the control.
        channels: None: a line of its own for every well; else how many stimulator channels each
            arm has, which reach wells of every donor.
        channel_sd: of logarithms, how channels differ.
        gate: the arm whose loss must show first; "" for none.
    """

    name: str
    donors: int
    mass: dict[str, float] = field(default_factory=dict)
    strength: dict[str, float] = field(default_factory=dict)
    channels: int | None = None
    channel_sd: float = 0.0
    arms: tuple[str, ...] = ARMS
    baseline: str = "none"
    correction: str = "dunnett"
    gate: str = ""
    donor_by_arm_sd: float = 0.05
    well_sd: float = 0.07
    film_sd: float = 0.20
    wells: int = 3


@dataclass
class Tally:
    """What happened over all nights of a case."""

    nights: int = 0
    any_claim: int = 0
    any_class: int = 0
    sarcopenia: int = 0
    covered: int = 0
    intervals: int = 0
    seen_mass: int = 0
    seen_class: int = 0
    told: int = 0


def plate_of(case: Case) -> list[WellPlan]:
    """Wells of all donors with their carriers."""
    wells = []
    for donor in range(case.donors):
        for index, arm in enumerate(case.arms):
            for copy in range(case.wells):
                name = f"{'ABCDEFGHIJKLMNOP'[donor]}{index * case.wells + copy + 1}"
                carrier = f"line {name}"
                if case.channels is not None:
                    carrier = f"channel {arm}{copy % case.channels}"
                wells.append(WellPlan(name, arm, f"d{donor}", "", "", False,
                                      (("treatment", carrier),)))  # fmt: skip
    return wells


def night(case: Case, random: np.random.Generator) -> ArmsVerdict:
    """One night: tables of measures, and the verdict on its arms."""
    wells = plate_of(case)
    design = Design(tuple(wells), {arm: {"treatment": arm} for arm in case.arms}, CONTROL)
    fields, tubes, films = _tables(case, wells, random)
    counting = wells_that_count(
        well_table(fields, tubes, DEFINITION.min_nuclei), DEFINITION.min_tubes
    )
    first, last = 0, len(HOURS) - 1
    mass = diameter_readings(counting, (first, last))
    strength = film_readings(design, films, 0.0)
    plan = AnalysisPlan(
        primary=("mass", "strength"),
        baseline=case.baseline,
        correction=case.correction,
        contrasts=tuple(
            PlannedContrast(arm=arm, against=CONTROL,
                            must_show=("mass",) if arm == case.gate else ())
            for arm in [*[a for a in case.arms if a == case.gate],
                        *[a for a in case.arms if a not in (case.gate, CONTROL)]]
        ),
    )  # fmt: skip
    # Nuclei and area hold in these nights: units are classed apart, as that takes seconds.
    measured = MeasuredArms(mass, strength, {}, {}, (), "")
    return verdicts_of_arms(design, plan, DEFINITION, measured)


def _tables(
    case: Case, wells: Sequence[WellPlan], random: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Fields, tubes and films as `labrig measure` writes them; wells keep their own effect."""
    donor = {f"d{i}": random.normal(0, 0.20, 2) for i in range(case.donors)}
    by_arm = {(d, arm): random.normal(0, case.donor_by_arm_sd, 2)
              for d in donor for arm in case.arms}  # fmt: skip
    carrier = {pair: random.normal(0, case.channel_sd)
               for pair in dict.fromkeys(w.carriers[0] for w in wells)}  # fmt: skip
    fields, widths, films = [], [], []
    for well in wells:
        own = (random.normal(0, case.well_sd), random.normal(0, case.film_sd))
        shared = donor[well.donor] + by_arm[well.donor, well.arm]
        dense = random.normal(0, [0.05, 0.06])
        for round_, hours in enumerate(HOURS):
            treated = round_ > 0
            effect = carrier[well.carriers[0]] if treated else 0.0
            at = {"well": well.well, "field": 0, "round": round_, "offset_s": 3600 * hours}
            area, nuclei = 0.2 * math.exp(dense[1]), 60 * math.exp(dense[0])
            fields.append(at | {"tube_area_fraction": area, "fusion_index": 0.5, "nuclei": nuclei})
            width = 2.7 + shared[0] + own[0] + effect
            force = 1.0 + shared[1] + own[1] + effect
            if treated:
                width += math.log(case.mass.get(well.arm, 1.0))
                force += math.log(case.strength.get(well.arm, 1.0))
            widths.append((well.well, round_, random.normal(width, 0.40, 100)))
            films.append(at | {"film": round_, "status": "ok", "amplitude_um": math.exp(force),
                               "time_to_peak_s": 0.1, "half_relaxation_s": 0.1,
                               "capture_fraction": 1.0})  # fmt: skip
    tubes = pd.DataFrame(
        {
            "well": np.repeat([w for w, _, _ in widths], 100),
            "round": np.repeat([r for _, r, _ in widths], 100),
            "diameter_mean_um": np.exp(np.concatenate([own for *_, own in widths])),
            "nuclei": 5,
        }
    )
    return pd.DataFrame(fields), tubes, pd.DataFrame(films)


def tally(case: Case, nights: int, seed: int) -> Tally:
    """Count over many nights."""
    found = Tally()
    for index in range(nights):
        random = np.random.default_rng([seed, index, case.donors])
        verdict = night(case, random)
        found.nights += 1
        claims = [
            (arm, name)
            for arm in verdict.arms
            for name in ("mass", "strength")
            if (f := getattr(arm, name)) is not None
            and f.any_loss
            and arm.label != "not interpreted"
        ]
        false = [(arm, name) for arm, name in claims if arm.arm not in getattr(case, name)]
        found.any_claim += bool(false)
        found.any_class += any(
            arm.label in CLASSES and arm.arm not in case.mass and arm.arm not in case.strength
            for arm in verdict.arms
        )
        found.sarcopenia += any(
            arm.label == "sarcopenia-like"
            and (arm.arm not in case.mass or arm.arm not in case.strength)
            for arm in verdict.arms
        )
        for arm in verdict.arms:
            estimate = arm.mass.effect.estimate if arm.mass is not None else None
            if estimate is not None and estimate.low is not None and estimate.high is not None:
                true = math.log(case.mass.get(arm.arm, 1.0))
                found.intervals += 1
                found.covered += estimate.low <= true <= estimate.high
        lost = [arm for arm in verdict.arms if arm.arm in case.mass and arm.arm != case.gate]
        found.seen_mass += any(arm.mass is not None and arm.mass.any_loss for arm in lost)
        found.seen_class += any(arm.label in CLASSES for arm in lost)
        found.told += any(arm.label != "cannot be told" for arm in verdict.arms)
    return found


CASES = (
    Case("null in this donor", 1, donor_by_arm_sd=0.0),
    Case("null, one donor read as people", 1),
    *(Case("null", donors) for donors in (2, 3, 4, 6, 8)),
    *(Case("null, change over baseline", donors, baseline="change") for donors in (1, 3, 6)),
    *(Case("null, Holm", donors, correction="holm") for donors in (3, 6)),
    *(Case("null, in order", donors, correction="in-order") for donors in (3, 6)),
    *(Case("null, behind a gate", donors, gate="b") for donors in (3, 6)),
    *(Case("gate lost, rest null", donors, mass={"b": 0.7}, gate="b") for donors in (3, 6)),
    *(Case("one arm lost 15 % of mass", donors, mass={"c": 0.85}) for donors in (3, 4, 6)),
    *(Case("mass x 0.75, strength x 0.60", donors, mass={"c": 0.75}, strength={"c": 0.60})
      for donors in (1, 3, 6)),
    *(Case(f"2 v 2 channels over donors, SD {sd:.2f}", 6, channels=2, channel_sd=sd,
           arms=("a", "b"), wells=4) for sd in (0.0, 0.03, 0.05, 0.10)),
    *(Case(f"2 channels an arm, 8 arms, SD {sd:.2f}", 6, channels=2, channel_sd=sd, wells=2)
      for sd in (0.0, 0.05, 0.10)),
    Case("1 v 1 channels over donors, SD 0.10", 6, channels=1, channel_sd=0.10, arms=("a", "b")),
)  # fmt: skip


def main() -> None:
    """Print one row per case."""
    nights = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 20261130
    only, donors, *_ = [*sys.argv[3:5], "", ""]
    print(f"{nights} nights per case, seed {seed}; per cent of nights")
    print(
        "case | donors | a false loss | false class | false sarcopenia-like | coverage | "
        "mass loss seen | class seen"
    )
    for case in CASES:
        if only not in ("", case.name) or donors not in ("", str(case.donors)):
            continue
        t = tally(case, nights, seed)
        of = [100 * n / t.nights for n in (t.any_claim, t.any_class, t.sarcopenia)]
        cover = 100 * t.covered / t.intervals if t.intervals else math.nan
        seen = [100 * n / t.nights for n in (t.seen_mass, t.seen_class)]
        cells = [*of, cover, *seen]
        print(f"{case.name} | {case.donors} | " + " | ".join(f"{c:.1f}" for c in cells), flush=True)


if __name__ == "__main__":
    main()
