"""Concentrations in the unit that people think of a substance in."""

import pytest

from labrig.display.concentrations import scale_of
from labrig.plan.dose_model import FactorLoss

LOSSES = (
    FactorLoss("CNTF", 12.0, 4.0, 24.0, "assumed"),
    FactorLoss("leucine", 1000.0, 1.0, 1.0, "assumed", molar_mass_kda=0.1312),
    FactorLoss("c26", 24.0, 24.0, 24.0, "assumed", unit="x"),
)


@pytest.mark.parametrize(
    ("factor", "value", "shown", "unit"),
    [
        ("CNTF", 10.0, 10.0, "ng/mL"),
        ("CNTF", 20_000.0, 20.0, "µg/mL"),
        ("leucine", 656_000.0, 5.0, "mM"),
        ("leucine", 1312.0, 10.0, "µM"),
        ("leucine", 0.1312, 1.0, "nM"),
        ("c26", 0.33, 33.0, "% of the medium"),
        ("not in the plan", 5.0, 5.0, "ng/mL"),
    ],
)
def test_in_which_unit(factor, value, shown, unit):
    scale, named = scale_of(LOSSES, factor, value)
    assert (value / scale, named) == (pytest.approx(shown), unit)
