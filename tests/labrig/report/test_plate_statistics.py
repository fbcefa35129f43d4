"""A folder with a plate map is compared by what a run is compared by."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from labrig.measure.plate_map import LEFT_OUT, MappedWell
from labrig.protocol.definition import Definition
from labrig.report.plate_statistics import COLUMNS, Rules, plate_statistics, write_plate_statistics
from labrig_analysis.statistics.ratios import ratio_of_groups, ratio_of_pairs

RULES = Rules("control", 2, 3)
SEED = 4


def plate(donors, per_arm=3, arms=("control", "tonic")):
    names = iter(f"{row}{column}" for row in "ABCDEFGH" for column in range(1, 13))
    return [MappedWell(next(names), a, d) for d in donors for a in arms for _ in range(per_arm)]


def measured(wells, tubes=5, fusion=0.4):
    """Fields and tubes of these wells; tonic tubes are a fifth wider."""
    rng = np.random.default_rng(SEED)
    fields, objects = [], []
    for well in wells:
        place = {"well": well.well, "field": f"{well.well}_s1", "round": 0, "offset_s": np.nan}
        wider = 1.2 if well.arm == "tonic" else 1.0
        fields.append(place | {
            "kind": "tube", "tubes": tubes, "tube_area_fraction": 0.3 * wider, "nuclei": 50,
            "fusion_index": fusion, "status": "ok",
        })  # fmt: skip
        objects += [
            place | {"kind": "tube", "tube": n, "nuclei": 3,
                     "diameter_mean_um": 20 * wider * rng.lognormal(0, 0.05)}
            for n in range(tubes)
        ]  # fmt: skip
    return pd.DataFrame(fields), pd.DataFrame(objects)


def by_well(wells, tubes, arm, donor):
    logs = np.log(tubes["diameter_mean_um"]).groupby(tubes["well"]).mean()
    return [np.exp(logs[w.well]) for w in wells if (w.arm, w.donor) == (arm, donor)]


def test_donors_are_the_n_where_there_are_several():
    wells = plate(["D1", "D2", "D3"])
    fields, tubes = measured(wells)
    found = plate_statistics(fields, tubes, wells, RULES)
    (row,) = found.comparisons["diameter_um"]
    ratios = [
        np.exp(np.mean(np.log(by_well(wells, tubes, "tonic", donor)))
               - np.mean(np.log(by_well(wells, tubes, "control", donor))))
        for donor in ("D1", "D2", "D3")
    ]  # fmt: skip
    expected = ratio_of_pairs(ratios)
    assert (row.donors, row.unit) == (3, "donor")
    assert row.result.ratio == pytest.approx(expected.ratio)
    assert row.result.p == pytest.approx(expected.p)
    assert row.p_holm == pytest.approx(expected.p)


def test_wells_are_compared_within_a_single_donor():
    wells = plate(["D1"])
    fields, tubes = measured(wells)
    (row,) = plate_statistics(fields, tubes, wells, RULES).comparisons["diameter_um"]
    groups = [by_well(wells, tubes, arm, "D1") for arm in ("tonic", "control")]
    assert row.result.p == pytest.approx(ratio_of_groups(*groups).p)
    assert row.carriers == "3 v 3 wells"


def test_shares_are_compared_too_and_one_that_is_nought_has_no_ratio():
    wells = plate(["D1", "D2"])
    fields, tubes = measured(wells)
    found = plate_statistics(fields, tubes, wells, RULES)
    (coverage,) = found.comparisons["coverage"]
    assert coverage.result.ratio == pytest.approx(1.2)
    fields.loc[0, "fusion_index"] = 0.0
    (fusion,) = plate_statistics(fields, tubes, wells, RULES).comparisons["fusion_index"]
    assert fusion.result is None
    assert "shows none at all" in fusion.why_not


def test_thin_wells_and_those_left_out_are_in_no_comparison():
    wells = plate(["D1"])
    fields, tubes = measured(wells)
    thin = tubes[(tubes["well"] != "A1") | (tubes["tube"] < 2)]
    found = plate_statistics(fields, thin, wells, RULES)
    assert found.thin == ("A1 2",)
    assert found.comparisons["diameter_um"][0].result.n == (3, 2)
    wells[0] = MappedWell("A1", LEFT_OUT, "D1")
    found = plate_statistics(fields, tubes, wells, RULES)
    assert "A1" not in set(found.wells["well"])
    assert found.comparisons["diameter_um"][0].carriers == "3 v 2 wells"


def test_a_field_that_cannot_be_seen_is_no_nought():
    wells = plate(["D1"])
    fields, tubes = measured(wells)
    blank = ["tubes", "tube_area_fraction", "fusion_index", "nuclei"]
    fields.loc[0, blank] = np.nan
    found = plate_statistics(fields, tubes[tubes["well"] != "A1"], wells, RULES)
    assert "A1" not in set(found.wells["well"])
    assert found.comparisons["coverage"][0].result.n == (3, 2)


def test_the_tables_beside_the_results(tmp_path):
    wells = plate(["D1", "D2"])
    for name, table in zip(("fields", "tubes"), measured(wells), strict=True):
        own = table.drop(columns=["well", "round", "offset_s"])
        own.to_csv(tmp_path / f"{name}.csv", index=False)
    write_plate_statistics(tmp_path, wells, RULES)
    written = pd.read_csv(tmp_path / "plate_comparisons.csv")
    assert tuple(written) == COLUMNS
    assert written["readout"].tolist() == ["diameter_um", "coverage", "fusion_index"]
    assert written["ratio"][1] == pytest.approx(1.2)
    gathered = pd.read_csv(tmp_path / "plate_wells.csv")
    assert len(gathered) == len(wells)
    assert set(gathered["arm"]) == {"control", "tonic"}


def test_the_command_asks_for_as_many_tubes_as_a_protocol_does():
    import inspect

    from labrig.commands.measure import measure

    default = inspect.signature(measure).parameters["min_tubes"].default
    assert default == Definition.model_fields["min_tubes"].default


def test_readouts_of_stains_are_compared_by_arm():
    wells = plate(donors=("d1",))
    fields, tubes = measured(wells)
    rows = [
        (well.well, stain, readout, value * (2 if well.arm == "tonic" else 1))
        for well in wells
        for stain, readout, value in (
            ("clusters", "clusters_per_tube_mm", 10.0 + int(well.well[1:])),
            ("neurites", "contact_by_chance", 0.2),
        )
    ]
    stains = pd.DataFrame(rows, columns=["well", "stain", "readout", "value"])
    stains = stains.assign(field=stains["well"], round=0, offset_s=float("nan"))
    found = plate_statistics(fields, tubes, wells, RULES, stains)
    assert "neurites contact_by_chance" not in found.comparisons
    (tonic,) = found.comparisons["clusters clusters_per_tube_mm"]
    assert tonic.arm == "tonic"
    values = found.wells.set_index("well")["clusters clusters_per_tube_mm"]
    assert values.to_dict() == {row[0]: row[3] for row in rows if row[1] == "clusters"}
