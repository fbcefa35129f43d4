"""What the report says of chips and of stains, from tables whose truth is known."""

from types import SimpleNamespace

import pandas as pd
import pytest

from labrig.measure.junction_films import COLUMNS as NMJ
from labrig.plan.experimental_units import Unit
from labrig.plan.plan import WellPlan
from labrig.report.junctions import (
    chip_rows,
    fidelity_figure,
    junctions,
    of_living_regions,
)
from labrig.report.stains import stains

ARMS = ("vehicle", "insult")
CHIPS = {"c1": ("A2", "vehicle"), "c2": ("B2", "vehicle"), "c3": ("C2", "insult"),
         "c4": ("D2", "insult")}  # fmt: skip


def record(tmp_path):
    (tmp_path / "measures").mkdir(exist_ok=True)
    wells = [
        WellPlan(well, arm, "d1", well, "", False, compartment="muscle", chip=chip)
        for chip, (well, arm) in CHIPS.items()
    ]
    return SimpleNamespace(
        folder=SimpleNamespace(measures=tmp_path / "measures"),
        plan=SimpleNamespace(wells=wells),
        protocol=SimpleNamespace(arms=dict.fromkeys(ARMS)),
    )


def rows(chip, test, way, frequency_hz, answered, *, blocked=False, status="ok", reasons=""):
    """Four regions of ten impulses each."""
    well, _ = CHIPS[chip]
    return [
        dict.fromkeys(NMJ) | {
            "well": well, "field": 0, "film": 10 * test + int(2 * frequency_hz),
            "offset_s": 3600.0 * (1 + 20 * test), "status": status, "reasons": reasons,
            "chip": chip, "assay": "block" if blocked else "nmj", "test": test, "step": 1,
            "way": way, "frequency_hz": frequency_hz, "blocked": blocked, "region": region,
            "points": 30, "given": 10, "resolved": 10, "answered": count, "fidelity": count / 10,
            "amplitude_um": 2.0 if count else None,
            "latency_ms": (70.0 if way == "indirect" else 50.0) if count else None,
            "frame_interval_ms": 20.0,
        }
        for region, count in enumerate(answered, start=1)
    ]  # fmt: skip


def night():
    found = []
    for chip, (_, arm) in CHIPS.items():
        late = [10, 9, 9, 10] if arm == "vehicle" else [10, 0, 0, 2]
        found += rows(chip, 0, "indirect", 0.5, [10, 10, 10, 10])
        found += rows(chip, 0, "indirect", 2.0, [8, 8, 6, 6])
        found += rows(chip, 0, "direct", 1.0, [10] * 4)
        found += rows(chip, 1, "indirect", 0.5, late)
        found += rows(chip, 1, "indirect", 2.0, [n // 2 for n in late])
        found += rows(chip, 1, "direct", 1.0, [10] * 4)
        found += rows(chip, 2, "indirect", 0.5, [0] * 4, blocked=True)
        found += rows(chip, 2, "indirect", 2.0, [0] * 4, blocked=True)
        found += rows(chip, 2, "direct", 1.0, [10] * 4, blocked=True)
    return found


@pytest.fixture
def shown(tmp_path):
    own = record(tmp_path)
    table = night()
    table += rows("c1", 1, "direct", 1.0, [10], status="flagged", reasons="too noisy")
    pd.DataFrame(table).to_csv(own.folder.measures / "nmj.csv", index=False)
    return junctions(own)


def test_without_films_of_chips_there_is_no_section(tmp_path):
    assert junctions(record(tmp_path)) is None


def test_a_chip_is_one_value_and_an_arm_the_mean_of_its_chips(shown):
    answers = {(a.arm, a.test, a.frequency_hz): a for a in shown.arms}
    assert len(answers) == 2 * 3 * 2
    assert all(a.chips == 2 for a in answers.values())
    assert answers["vehicle", 1, 0.5].fidelity == pytest.approx(38 / 40)
    assert answers["insult", 1, 0.5].fidelity == pytest.approx(12 / 40)
    assert answers["insult", 0, 2.0].fidelity == pytest.approx(28 / 40)


def test_plain_words_come_first(shown):
    text = " | ".join(shown.sentences)
    assert "vehicle: after 21.0 h the muscle answered 95% at 0.5 Hz" in text
    assert "insult: after 21.0 h the muscle answered 30% at 0.5 Hz, 15% at 2 Hz" in text
    assert "the block took 100% of the answers to the nerve, and 100% of what electrodes" in text
    assert "came through the junction" in text
    assert "insult: of the regions that the nerve moved at first, 25% were still moved" in text


def test_a_film_that_was_not_taken_leaves_the_others_as_they_are(tmp_path, shown):
    own = record(tmp_path)
    missed = rows("c1", 1, "direct", 1.0, [0], status="failed", reasons="the film was not taken")
    table = night() + [row | {"region": None} for row in missed]
    pd.DataFrame(table).to_csv(own.folder.measures / "nmj.csv", index=False)
    found = junctions(own)
    pd.testing.assert_frame_equal(found.chips, shown.chips)
    assert found.left_out == (("the film was not taken", 1),)


def test_a_block_that_stops_the_muscle_too_shows_nothing(tmp_path):
    own = record(tmp_path)
    table = [row for row in night() if not (row["blocked"] and row["way"] == "direct")] + [
        row | {"amplitude_um": 0.5}
        for chip in CHIPS
        for row in rows(chip, 2, "direct", 1.0, [10] * 4, blocked=True)
    ]
    pd.DataFrame(table).to_csv(own.folder.measures / "nmj.csv", index=False)
    assert "this does not show that answers came through" in " ".join(junctions(own).sentences)


def test_rows_of_chips_say_what_is_not_known(shown):
    first = next(r for r in chip_rows(shown) if r["chip"] == "c1" and r["test"] == 0)
    assert first["block_index"] is None
    assert first["junction_ms"] == pytest.approx(20.0)
    last = next(r for r in chip_rows(shown) if r["chip"] == "c3" and r["test"] == 2)
    assert last["block_index"] == pytest.approx(1.0)
    assert last["direct_kept"] == pytest.approx(1.0)


def test_a_region_without_muscle_says_nothing_of_its_nerve(tmp_path):
    table = pd.DataFrame(
        rows("c1", 0, "indirect", 1.0, [10, 10, 0, 0])
        + rows("c1", 0, "direct", 1.0, [10, 10, 10, 0])
    )
    kept = of_living_regions(table)
    assert kept[kept["way"] == "indirect"]["fidelity"].mean() == pytest.approx(2 / 3)


def test_what_does_not_count_is_said(shown):
    assert shown.left_out == (("too noisy", 1),)


def test_the_figure_has_a_panel_for_each_test(shown):
    svg = fidelity_figure(shown, ARMS)
    assert svg is not None
    assert svg.count("impulses (Hz)") == 3
    assert "after the block" in svg
    assert fidelity_figure(None, ARMS) is None


def test_stains_are_told_by_unit_in_the_last_round_that_has_them(tmp_path):
    own = record(tmp_path)
    told = [
        {"well": well, "field": field, "round": number, "offset_s": 3600.0 * number,
         "stain": "clusters", "readout": "clusters_per_mm2", "value": value, "definition": "d",
         "why_not": None}
        for number, well, field, value in (
            (0, "A2", 0, 100.0), (9, "A2", 0, 200.0), (9, "A2", 1, 400.0), (9, "B2", 0, 100.0),
            (9, "C2", 0, 50.0), (9, "D2", 0, None),
        )
    ]  # fmt: skip
    told[-1] |= {"why_not": "out of focus"}
    pd.DataFrame(told).to_csv(own.folder.measures / "stains.csv", index=False)
    units = [Unit(f"{arm} {n}", arm, "d1", (well,)) for n, (well, arm) in enumerate(CHIPS.values())]
    found = stains(own, units)
    (row,) = found.rows
    # a unit is the mean of its fields, an arm that of its units
    assert row.by_arm == (("vehicle", 200.0, 2), ("insult", 50.0, 1))
    assert found.hours == (("clusters", 9.0),)
    assert found.failed == (("clusters: out of focus", 1),)
