"""Summaries of one unit's series against series whose answer is known."""

import numpy as np
import pandas as pd
import pytest

from labrig_analysis.timelapse.growth import growth_by_unit, summarise_growth

HOURS = np.arange(0, 48.5, 0.5)


@pytest.mark.parametrize("per_day", [-0.35, -0.05, 0.0, 0.2])
def test_an_exponential_gives_back_its_rate(per_day):
    found = summarise_growth(HOURS, 16 * np.exp(per_day * HOURS / 24))
    assert found.log_slope_per_day == pytest.approx(per_day, abs=1e-9)
    assert found.log_slope_se == pytest.approx(0, abs=1e-9)
    assert found.duration_h == 48


def test_time_to_loss_is_where_a_tenth_is_gone():
    falling = 1 - 0.01 * HOURS
    found = summarise_growth(HOURS, falling)
    # The baseline is the first hour's mean, half a per cent below the first value.
    assert found.time_to_loss_h == pytest.approx((1 - 0.9 * 0.995) / 0.01, abs=0.01)
    assert found.loss_reached


def test_a_single_low_value_is_not_a_loss():
    values = np.ones(20)
    values[7] = 0.5
    found = summarise_growth(np.arange(20.0), values)
    assert not found.loss_reached
    assert np.isnan(found.time_to_loss_h)


def test_area_under_a_steady_unit_is_its_duration():
    assert summarise_growth(HOURS, np.full(len(HOURS), 12.0)).auc_relative_h == pytest.approx(48)


def test_missing_values_are_left_out_and_counted():
    values = 16 * np.exp(-0.1 * HOURS / 24)
    values[[3, 9]], values[20] = np.nan, 0.0
    found = summarise_growth(HOURS, values)
    assert found.missing == 3
    assert found.points == len(HOURS) - 3
    assert found.log_slope_per_day == pytest.approx(-0.1)


@pytest.mark.parametrize("values", [[], [1.0, 2.0], [np.nan, 1.0, 2.0]])
def test_too_few_values_give_a_reason(values):
    found = summarise_growth(list(range(len(values))), values)
    assert "usable values" in found.reason
    assert np.isnan(found.log_slope_per_day)


def test_fields_of_a_unit_are_averaged_before_the_fit():
    rng = np.random.default_rng(0)
    rows = [
        {"line": line, "time_h": hour, "field": field, "width_um": 16 * np.exp(rate * hour / 24)}
        for line, rate in (("A", -0.2), ("B", 0.1))
        for hour in HOURS
        for field in range(1 + int(rng.integers(3)))
    ]
    found = growth_by_unit(pd.DataFrame(rows), unit="line", value="width_um").set_index("line")
    assert found["log_slope_per_day"].tolist() == pytest.approx([-0.2, 0.1])
    assert found["points"].tolist() == [len(HOURS)] * 2


def test_errors_name_what_is_wrong():
    with pytest.raises(ValueError, match="one value per time"):
        summarise_growth([1, 2], [1])
    with pytest.raises(ValueError, match=r"\['width'\] are not in the table"):
        growth_by_unit(pd.DataFrame({"u": [], "time_h": []}), unit="u", value="width")
