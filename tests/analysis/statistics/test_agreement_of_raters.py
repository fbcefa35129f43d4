"""ICC(3,1) and Bland-Altman against a two-way ANOVA done another way, and known cases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig_analysis.statistics.agreement import agree

# Bland & Altman 1986, Lancet 327:307, table: peak flow by Wright and mini meter, l/min.
WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


def test_bland_altman_of_the_paper():
    found = agree(np.array(MINI, float), np.array(WRIGHT, float))
    assert found.bias == pytest.approx(-2.1, abs=0.05)
    assert found.difference_sd == pytest.approx(38.8, abs=0.05)
    # The paper takes 2 SD (-79.7 and 75.5); we take 1.96.
    assert found.limits_low == pytest.approx(-2.1 - 1.96 * 38.8, abs=0.2)


def test_icc_is_that_of_a_two_way_anova():
    import pandas as pd
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm

    n = len(WRIGHT)
    table = pd.DataFrame(
        {"y": [*WRIGHT, *MINI], "who": ["a"] * n + ["b"] * n, "what": [*range(n), *range(n)]}
    )
    mean_sq = anova_lm(ols("y ~ C(who) + C(what)", table).fit())["mean_sq"]
    between, within = mean_sq["C(what)"], mean_sq["Residual"]
    expected = (between - within) / (between + within)
    found = agree(np.array(WRIGHT, float), np.array(MINI, float))
    assert found.icc_3_1 == pytest.approx(expected)
    assert found.icc_low < expected < found.icc_high


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=30).filter(lambda v: np.std(v) > 1e-3),
    st.floats(-100, 100),
)
def test_a_constant_offset_is_bias_and_no_disagreement(values, offset):
    one = np.array(values)
    found = agree(one, one + offset)
    assert found.icc_3_1 == pytest.approx(1, abs=1e-6)
    assert found.bias == pytest.approx(offset, abs=1e-6)


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ([1, 2], [1, 2], "at least 3"),
        ([1, 2, 3], [1, 2], "one length"),
        ([1, 2, np.nan], [1, 2, 3], "missing"),
        ([1, 1, 1], [1, 1, 1], "without variation"),
    ],
)
def test_refusals(one, other, why):
    with pytest.raises(ValueError, match=why):
        agree(np.array(one, float), np.array(other, float))
