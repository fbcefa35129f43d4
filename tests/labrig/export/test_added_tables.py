"""What only some runs have, in long tables: films of chips, and tables from elsewhere."""

from __future__ import annotations

import io
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from labrig.catalogue import catalogue_folder
from labrig.export.added_tables import (
    ADDED_MEANING,
    CHIPS,
    FILMS,
    FREQUENCIES,
    RESULTS,
    added_tables,
)
from labrig.export.design import COUNTS, PLACE
from labrig.export.eln import run_files
from labrig.export.long_tables import MEANING, long_tables
from labrig.export.source import read_source
from labrig.measure.junction_films import COLUMNS as NMJ
from labrig.night.results import take_results
from labrig.plan.plan import WellPlan
from labrig.protocol.loading import load_protocol
from labrig.run_folder import RunFolder

TYPED = (
    "results: [{name: typing, file: typing.csv, joins: well, column: slow, unit: '%', lod: 5}]\n"
)


def read(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text.removeprefix("\ufeff")), dtype={"run": str})


def film(region, **changed):
    return dict.fromkeys(NMJ) | {
        "well": "A2", "field": 0, "film": 3, "offset_s": 7200.0, "status": "ok", "chip": "c1",
        "assay": "nmj", "test": 0, "step": 1, "way": "indirect", "frequency_hz": 0.5,
        "blocked": False, "region": region, "points": 30, "given": 10, "resolved": 10,
        "answered": 10, "fidelity": 1.0, "amplitude_um": 2.0, "latency_ms": 70.0,
        "frame_interval_ms": 20.0,
    } | changed  # fmt: skip


@pytest.fixture
def chips(tmp_path):
    """A run of two chips, one of which was filmed; its second film was not taken."""
    (tmp_path / "measures").mkdir()
    rows = [
        *(film(region) for region in (1, 2)),
        *(film(region, film=4, way="direct", frequency_hz=1.0) for region in (1, 2)),
        film(None, film=5, status="failed", reasons="the film was not taken", fidelity=None),
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "measures" / "nmj.csv", index=False)
    wells = [
        WellPlan(
            f"{row}{column}",
            "nerve-insult",
            "d1",
            f"{row}1",
            "",
            False,
            compartment=side,
            chip=chip,
        )
        for row, chip in (("A", "c1"), ("B", "c2"))
        for column, side in ((1, "nerve"), (2, "muscle"))
    ]
    protocol = load_protocol(catalogue_folder() / "nmj-chip.yaml").model
    return SimpleNamespace(
        runs=(
            SimpleNamespace(
                units=(SimpleNamespace(name="c1", wells=("A1", "A2")),),
                left_out={},
                ledger=SimpleNamespace(censored_from_s={}),
                record=SimpleNamespace(
                    identity={"id": "0" * 32},
                    folder=SimpleNamespace(measures=tmp_path / "measures"),
                    plan=SimpleNamespace(wells=wells),
                    protocol=protocol,
                ),
            ),
        )
    )


def test_chips_are_one_row_a_test_and_their_regions_stay(chips):
    tables = {name: list(rows) for name, (_, rows) in added_tables(chips).items()}
    (chip,) = tables["chips_long"]
    assert (chip["chip"], chip["unit"], chip["arm"], chip["role"]) == (
        "c1",
        "c1",
        "nerve-insult",
        "test",
    )
    assert chip["fidelity_ratio"] == 1.0
    assert chip["junction_ms"] == pytest.approx(0.0)
    (by_rate,) = tables["chip_frequencies_long"]
    assert (by_rate["frequency_hz"], by_rate["impulses_given"]) == (0.5, 20)
    films = tables["chip_films_long"]
    assert [row["in_itt"] for row in films] == [True] * 4 + [False]
    assert films[-1]["excluded_why"] == "the film was not taken"


def test_a_table_from_elsewhere_is_joined_to_its_wells(write_run, story, tmp_path):
    told = replace(story, edits=(*story.edits, ("analysis:\n", TYPED + "analysis:\n")))
    folder = RunFolder.at(write_run(told).root)
    sent = tmp_path / "typing.csv"
    sent.write_text("well,slow\nA1,40\nA2,<LOD\nA3,na\n", encoding="utf-8")
    before = long_tables(read_source(folder.root))
    assert read(before["results_long.csv"]).empty
    take_results(folder, sent, "", "AB")
    tables = long_tables(read_source(folder.root))
    rows = read(tables["results_long.csv"]).set_index("well")
    assert rows.loc["A1", ["value", "value_unit", "result"]].to_list() == [40, "%", "typing"]
    assert rows["excluded_why"].to_list()[1:] == [
        "below the limit of detection", "the table holds no value"
    ]  # fmt: skip
    assert rows["in_itt"].to_list() == [True, False, False]
    assert "results_long.csv" in tables["columns.csv"]
    assert "chips_long.csv" not in tables
    kept = {file.relative_to(folder.root).as_posix() for file in run_files(folder)}
    assert rows.loc["A1", "file"] in kept


def test_every_column_is_explained():
    own = {*CHIPS, *FREQUENCIES, *FILMS, *RESULTS} - {*PLACE, *COUNTS}
    assert own <= set(ADDED_MEANING) | set(MEANING)
    assert set(ADDED_MEANING) <= own
