"""Mixed models by REML against lme4, lmerTest and pbkrtest."""

import numpy as np
import pytest
from r_answers import answers_of_r, table

from labrig_analysis.statistics.groupings import nested
from labrig_analysis.statistics.mixed_inference import contrast, joint_test
from labrig_analysis.statistics.mixed_model import MixedModel, against, fit_mixed_model


@pytest.fixture(scope="module")
def units_of_arms() -> MixedModel:
    rows = table("units_of_arms")
    groups = {"donor:arm": nested(rows.donor, rows.arm), "donor": list(rows.donor)}
    return fit_mixed_model(rows.log_d, against(list(rows.arm), "control"), groups)


@pytest.fixture(scope="module")
def split_plot() -> MixedModel:
    rows = table("split_plot")
    n, a = rows.N - 0.5, rows.A - 0.5
    return fit_mixed_model(
        rows.log_d,
        {"(Intercept)": np.ones(len(rows)), "Nc": n, "Ac": a, "Nc:Ac": n * a},
        {
            "plate:line": nested(rows.plate, rows.line),
            "plate:channel": nested(rows.plate, rows.channel),
            "plate": list(rows.plate),
        },
    )


@pytest.fixture(scope="module")
def tubes_in_wells() -> MixedModel:
    rows = table("tubes_in_wells")
    groups = {
        "well": list(rows.well),
        "donor:arm": nested(rows.donor, rows.arm),
        "donor": list(rows.donor),
    }
    return fit_mixed_model(rows.log_d, against(list(rows.arm), "control"), groups)


@pytest.fixture
def model(request) -> MixedModel:
    return request.getfixturevalue(request.param)


ALL = ("units_of_arms", "split_plot", "tubes_in_wells")


@pytest.mark.parametrize(("model", "name"), [(name, name) for name in ALL], indirect=["model"])
def test_components_and_criterion(model, name):
    answer = answers_of_r()[name]
    assert model.converged
    found = model.components | {"Residual": model.residual}
    assert found == pytest.approx(answer["components"], rel=1e-3)
    if "reml" in answer:
        assert model.deviance == pytest.approx(answer["reml"], rel=1e-9)
        # The optimum is at least as deep as the one that lme4 stopped at.
        assert model.deviance <= answer["reml"] + 1e-9


@pytest.mark.parametrize(("model", "name"), [(name, name) for name in ALL], indirect=["model"])
@pytest.mark.parametrize(
    ("method", "key"),
    [("Kenward-Roger", "kenward_roger"), ("Satterthwaite", "satterthwaite")],
)
def test_every_coefficient(model, name, method, key):
    for term, answer in answers_of_r()[name][key].items():
        found = contrast(model, {term.replace("arm", ""): 1.0}, method)
        ours = [found.value, found.error, found.df, found.statistic, found.p]
        assert ours == pytest.approx(answer, rel=1e-3), term


def test_a_joint_test_of_arms(units_of_arms):
    statistic, above, below, p = answers_of_r()["units_of_arms"]["joint"]
    found = joint_test(units_of_arms, [{"a": 1}, {"b": 1}, {"c": 1}])
    assert (found.statistic, *found.df, found.p) == pytest.approx(
        (statistic, above, below, p), rel=1e-3
    )


def test_tubes_are_not_what_is_counted(tubes_in_wells):
    answer = answers_of_r()["tubes_in_wells"]
    found = contrast(tubes_in_wells, {"x": 1})
    assert found.df == pytest.approx(2, rel=1e-6)
    assert found.p == pytest.approx(answer["donor_paired"][2], rel=1e-3)
    assert found.p > 1.5 * answer["tubes_as_n_p"]


def test_wells_of_one_channel_are_not_what_is_counted(split_plot):
    naive = answers_of_r()["split_plot"]["naive_wells_p"]["Ac"]
    assert contrast(split_plot, {"Ac": 1}).p > 1000 * naive
