"""Arms of simulated cultures without plumbing: stretches held exactly, a reading every hour."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from labrig.twin.culture import Activity, Culture, Donor, Surroundings
from labrig.twin.culture.fusion import Fusion
from labrig.twin.culture.surroundings import NORMAL
from labrig.twin.responses import read_responses
from labrig.twin.responses.amounts import ng_ml
from labrig.twin.showing import shown

RESPONSES = read_responses()
STEP_H = 1.0 / 12.0
TONIC, PHASIC, BOTH = {"tonic": 2.0}, {"phasic": 2.0}, {"tonic": 1.0, "phasic": 1.0}
NERVE = {"CNTF": "10 ng/mL", "BDNF": "50 ng/mL", "NT-4/5": "50 ng/mL"}
# g/mol, as protocols say them, of what is dosed in molar units
G_MOL = {"H2O2": 34.0, "NAC": 163.0, "dantrolene": 314.0, "nifedipine": 346.0, "TTX": 319.0,
         "BTS": 261.0, "U0126": 380.5, "antimycin-A": 548.0, "oligomycin": 791.0, "DETA-NO": 163.0,
         "L-NAME": 270.0, "staurosporine": 466.5, "testosterone": 288.0, "DHT": 290.0,
         "estradiol": 272.0, "leucine": 131.2, "losartan": 461.0, "BAY11-7082": 207.0,
         "MG132": 475.6, "AICAR": 258.0, "rapamycin": 914.0, "LM11A-31": 316.0, "insulin": 5800.0,
         "palmitate": 256.0, "vincristine": 825.0, "d-tubocurarine": 609.0,
         "EGTA": 380.0}  # fmt: skip


@dataclass(frozen=True)
class For:
    """So many hours of the same.

    Attributes:
        hours: how long.
        dosed: amounts by factor.
        pulses: mean rate in Hz, tonic and phasic.
        share: of the tubes that follow them.
        freshness, medium, temperature_c, co2_percent, o2_percent: of the surroundings.
    """

    hours: float
    dosed: dict = field(default_factory=dict)
    pulses: dict = field(default_factory=dict)
    share: float = 1.0
    freshness: float = 1.0
    medium: dict = field(default_factory=dict)
    temperature_c: float = 37.0
    o2_percent: float = 20.0


def history(*stretches, days=5.5, old=False, passage=4, answers=1.0):
    """The truth of an arm, a reading at the start and after every hour."""
    numbers = RESPONSES.numbers
    donor = Donor(old=old, answers=answers, passages_over=max(0, passage - 4))
    culture = Culture(donor, Fusion.at_age(days, donor, numbers["fusion"]), math.log(0.97))
    activity, said = Activity(), [reading(culture, numbers)]
    for stretch in stretches:
        around = Surroundings(
            {name: ng_ml(text, G_MOL.get(name)) for name, text in stretch.dosed.items()},
            stretch.freshness,
            {**NORMAL, **stretch.medium},
            stretch.temperature_c,
            5.0,
            stretch.o2_percent,
        )
        for step in range(round(stretch.hours / STEP_H)):
            free = 1.0 - culture.blocked.get("impulses", 0.0)
            for pattern, burst_hz in (("tonic", 10.0), ("phasic", 100.0)):
                count = stretch.pulses.get(pattern, 0.0) * STEP_H * 3600.0
                if count:
                    activity.pulse(count, burst_hz=burst_hz, share=stretch.share * free,
                                   numbers=numbers["activity"])  # fmt: skip
            culture.advance(STEP_H, around, activity, RESPONSES)
            activity.fade(STEP_H, numbers["activity"]["tau_h"])
            if (step + 1) % 12 == 0:
                said.append(reading(culture, numbers))
    return said


def reading(culture, numbers):
    """What read-outs would say of a culture if they were exact."""
    now = shown(culture, None, numbers)
    diameter, contraction = math.exp(now["log_diameter"]), math.exp(now["log_contraction"])
    follows = culture.twitch.share_following(15.0, numbers)
    return {
        "D": diameter,
        "C": contraction * follows,
        "R": contraction * follows / now["time_to_peak_s"],
        "SS": contraction * follows / diameter,
        "FI": now["fused"],
        "N": now["nuclei"],
        "unfused": now["nuclei"] * (1.0 - 0.7 * now["fused"]),
        "per_tube": now["nuclei_per_tube"] * (1.0 - culture.death.lost),
        "D10": diameter * math.exp(0.8 * now["slow_log"]),
        "D90": diameter * math.exp(0.8 * now["fast_log"]),
        "F": (1.0 - now["fatigue_per_pulse"]) ** 20,
        "half_relaxation": now["half_relaxation_s"],
        "CT": now["threshold_v"],
        "X": 1.0 - now["coverage"] * (1.0 - now["detached"]),
        "pyknotic": now["pyknotic"],
        "clusters": now["clusters"],
        "nt4": now["nt4"],
        "myogenin": now["myogenin"],
        "coverage": now["coverage"],
    }


def hours_to_loss(said, quantity, share=0.1, since=0):
    """Hours after ``since`` until a quantity has lost so much of what it was then."""
    floor = said[since][quantity] * (1.0 - share)
    return next((i - since for i, s in enumerate(said) if i > since and s[quantity] <= floor), None)
