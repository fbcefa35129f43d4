"""A row per well and test series, only of series whose every film counts."""

import pytest

from labrig.measure.films import COLUMNS as OF_FILMS
from labrig.measure.series_table import COLUMNS, series_rows

EMPTY = dict.fromkeys(OF_FILMS)


def film(step, kind="staircase", well="B2", series=0, **cells):
    return (
        EMPTY
        | {
            "well": well, "series": series, "assay": "a", "kind": kind, "step": step, "part": "",
            "offset_s": 100.0 + step, "status": "ok", "reasons": "", "captured_share": 0.8,
        }
        | cells
    )  # fmt: skip


def staircase(shares):
    return [
        film(i, asked_v=2.0 * (i + 1), capture_fraction=share, amplitude_um=2.0 * share)
        for i, share in enumerate(shares)
    ]


def test_films_of_no_series_make_no_row():
    assert series_rows([EMPTY | {"well": "B2", "assay": ""}]) == []


def test_a_staircase_is_a_threshold_between_two_steps():
    (row,) = series_rows(staircase([0.0, 0.3, 0.9, 1.0]))
    assert tuple(row) == COLUMNS
    assert (row["status"], row["films"], row["offset_s"]) == ("ok", 4, 100.0)
    assert (row["capture_v"], row["not_captured_v"]) == (6.0, 4.0)


def test_a_staircase_of_currents_has_its_threshold_in_ma():
    films = [row | {"asked_v": None, "asked_ma": 5.0 * row["asked_v"]}
             for row in staircase([0.0, 0.3, 0.9, 1.0])]  # fmt: skip
    (row,) = series_rows(films)
    assert (row["capture_ma"], row["not_captured_ma"], row["capture_v"]) == (30.0, 20.0, None)


def test_a_culture_that_is_never_captured_has_no_threshold_and_is_a_result():
    (row,) = series_rows(staircase([0.0, 0.0, 0.1]))
    assert (row["status"], row["capture_v"]) == ("ok", None)


def test_one_film_that_does_not_count_leaves_the_series_out_and_is_named():
    films = staircase([0.0, 0.3, 0.9, 1.0])
    films[1] |= {"status": "flagged", "reasons": "no pulse of a:1 was delivered"}
    (row,) = series_rows(films)
    assert (row["status"], row["capture_v"]) == ("incomplete", None)
    assert row["reasons"] == "step 2: no pulse of a:1 was delivered"


def test_frequencies_and_when_they_fuse():
    sizes, fusion = [1.0, 1.5, 2.5, 3.0], [None, 0.3, 0.92, 0.99]
    (row,) = series_rows(
        film(i, "frequencies", asked_hz=rate, amplitude_um=size, fusion=fused)
        for i, (rate, size, fused) in enumerate(
            zip([1.0, 5.0, 10.0, 20.0], sizes, fusion, strict=True)
        )
    )
    assert row["f50_hz"] == pytest.approx(7.07, abs=0.01)
    assert (row["twitch_um"], row["largest_um"], row["tetanus_twitch_ratio"]) == (1.0, 3.0, 3.0)
    assert row["fused_at_hz"] == 10.0


def test_fatigue_needs_both_ends():
    first = film(0, "fatigue", part="first", amplitude_um=2.0)
    last = film(0, "fatigue", part="last", amplitude_um=1.2, offset_s=220.0)
    (row,) = series_rows([last, first])
    assert row["fatigue_ratio"] == pytest.approx(0.6)
    (row,) = series_rows([first])
    assert row["fatigue_ratio"] is None


def test_wells_and_times_are_rows_of_their_own():
    films = [
        film(i, asked_v=1.0 + i, capture_fraction=1.0, amplitude_um=1.0, well=well, series=n)
        for well in ("B2", "B3")
        for n in (0, 1)
        for i in (0, 1)
    ]
    assert [(r["series"], r["well"]) for r in series_rows(films)] == [
        (0, "B2"), (0, "B3"), (1, "B2"), (1, "B3"),
    ]  # fmt: skip
