"""A growth curve never changes what it calls a tube."""

import pandas as pd

from labrig.report.kinds import kind_over_time, of_one_kind

FIELDS = pd.DataFrame(
    {
        "well": ["A1"] * 4,
        "field": [0] * 4,
        "round": [0, 0, 1, 2],
        "kind": ["tube", "tube-like object", "tube-like object", "tube-like object"],
        "tube_area_fraction": [0.11, 0.08, 0.08, 0.09],
        "fusion_index": [0.5, None, None, None],
        "nuclei": [90, None, None, None],
    }
)
TUBES = pd.DataFrame({"round": [0, 0, 1], "kind": ["tube", "tube-like object", "tube-like object"]})


def test_the_kind_of_most_rounds_is_shown_over_time():
    assert kind_over_time(FIELDS) == "tube-like object"


def test_stained_tubes_where_rounds_are_equal():
    assert kind_over_time(FIELDS[FIELDS["round"] == 0]) == "tube"


def test_tables_without_a_kind_are_left_as_they_are():
    plain = FIELDS.drop(columns="kind")
    assert kind_over_time(plain) is None
    assert of_one_kind(plain, TUBES, None) == (plain, TUBES)


def test_stained_rows_keep_their_nuclei_and_give_no_area():
    fields, tubes = of_one_kind(FIELDS, TUBES, "tube-like object")
    stained = fields.iloc[0]
    assert stained["fusion_index"] == 0.5
    assert stained["nuclei"] == 90
    assert pd.isna(stained["tube_area_fraction"])
    assert list(fields["tube_area_fraction"].dropna()) == [0.08, 0.08, 0.09]
    assert set(tubes["kind"]) == {"tube-like object"}
    assert FIELDS["tube_area_fraction"].notna().all(), "the table handed in is untouched"
