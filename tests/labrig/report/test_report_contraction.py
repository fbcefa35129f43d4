"""Strength from films: what counts, at which unit, and what the verdict makes of it."""

from __future__ import annotations

import csv
from dataclasses import replace

import pandas as pd
import pytest

from labrig.places import in_order
from labrig.plan.experimental_units import Unit
from labrig.report.analysis import analyse
from labrig.report.build import build_report
from labrig.report.comparisons import all_arms, film_readings
from labrig.report.contraction import (
    films_left_out,
    strength_by_round,
    unit_contractions,
    why_no_strength,
)
from labrig.report.headline import capital, headline
from labrig.report.page import contraction_facts
from labrig.report.record import read_record
from labrig.report.units import design_of

UNITS = (Unit("c 1", "c", "d", ("A1", "A2")), Unit("t 1", "t", "d", ("B1",)))


def film(well, number, amplitude_um, status="ok", reasons="", **more):
    return {
        "well": well, "field": 0, "film": number, "round": 2 + 25 * number,
        "offset_s": 3600.0 * (1 + 12 * number), "status": status, "reasons": reasons,
        "amplitude_um": amplitude_um, "time_to_peak_s": 0.08, "half_relaxation_s": 0.1,
        "capture_fraction": 1.0, **more,
    }  # fmt: skip


FILMS = pd.DataFrame(
    [
        film("A1", 0, 2.0),
        film("A2", 0, 3.0),
        film("B1", 0, 1.0),
        film("A1", 1, 2.0),
        film("A2", 1, 9.0, "flagged", "no pulse of twitch was delivered while it was taken"),
        film("B1", 1, 0.0),
    ]
)


def test_a_unit_is_the_geometric_mean_of_its_wells_whose_films_count():
    table = unit_contractions(FILMS, UNITS)
    found = {(r.unit, r.film): (r.amplitude_um, r.wells) for r in table.itertuples()}
    assert found == {
        ("c 1", 0): (pytest.approx(6**0.5), 2), ("c 1", 1): (2.0, 1), ("t 1", 0): (1.0, 1),
        ("t 1", 1): (0.0, 1),
    }  # fmt: skip
    assert strength_by_round(table)["c 1", 27] == 2.0
    assert strength_by_round(table)["t 1", 27] == 0.0, "delivered and not followed: a finding"


def test_wells_out_of_the_analysis_are_out_of_strength_too():
    table = unit_contractions(FILMS, UNITS, {"A1": 3600.0, "B1": 7200.0})
    found = {(r.unit, r.film): r.amplitude_um for r in table.itertuples()}
    assert found == pytest.approx({("c 1", 0): 3.0, ("t 1", 0): 1.0})


def test_films_left_out_are_counted_by_reason_and_arm():
    (only,) = films_left_out(FILMS, {"A1": "c", "A2": "c", "B1": "t"})
    assert (only.count, dict(only.by_arm)) == (1, {"c": 1})
    assert "no pulse of twitch" in only.reason


# changes of the demonstration night's protocol -> what is said
UNTESTED = {
    "no films": ((), "takes no films"),
    "each its own impulses": ((("    stimulus: twitch_2hz\n", ""),), "under its own impulses"),
    "another stimulus": (
        (("reference_stimulus: twitch_2hz", "reference_stimulus: tonic_10hz_2mean"),),
        "films were taken under twitch_2hz, the definition asks for tonic_10hz_2mean",
    ),
}


@pytest.mark.parametrize("case", UNTESTED)
def test_films_that_cannot_give_the_definitions_strength(case, demo_protocol):
    edits, says = UNTESTED[case]
    protocol = demo_protocol(edits)
    if case == "no films":
        imaging = protocol.imaging.model_copy(update={"films": None})
        protocol = protocol.model_copy(update={"imaging": imaging})
    assert says in why_no_strength(protocol)


def test_the_demonstration_nights_own_films_can(demo_protocol):
    assert why_no_strength(demo_protocol(())) == ""


@pytest.fixture(scope="module")
def night(story):
    """Two rounds and two blocks of films twelve hours apart, after treatment began."""
    return replace(
        story, edits=(), measured_rounds=(2, 27), imaged=False, films_measured=True,
        tubes_a_well=30,
    )  # fmt: skip


def labels(folder) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for verdict in analyse(read_record(folder)).verdicts:
        found.setdefault(verdict.unit.arm, set()).add(verdict.label)
    return found


def test_strength_and_mass_are_told_apart(write_run, night):
    weak = replace(
        night,
        weaken={"vehicle-tonic": 0.7, "nerve-tonic": 0.7},
        shrink={"nerve-sham": 0.75, "nerve-tonic": 0.75},
    )
    assert labels(write_run(weak)) == {
        "vehicle-sham": {"reference"},
        "vehicle-tonic": {"dynapenia-like"},
        "nerve-sham": {"myopenia-like"},
        "nerve-tonic": {"sarcopenia-like"},
    }


def contraction_of(folder) -> dict[str, object]:
    """By arm, the comparison of contraction with the control, intention to treat."""
    return {
        c.arm: c
        for c in analyse(read_record(folder)).comparisons
        if (c.readout, c.analysis) == ("optical contraction", "intention to treat")
    }


def test_arms_are_compared_by_contraction_too(write_run, night):
    found = contraction_of(write_run(replace(night, weaken={"vehicle-tonic": 0.7})))
    assert found["vehicle-tonic"].result.ratio == pytest.approx(0.7)
    assert found["nerve-sham"].result.ratio == pytest.approx(1.0)
    assert found["nerve-sham"].hours == pytest.approx(13.6, abs=0.1)


def test_no_contraction_at_all_has_no_ratio(write_run, night):
    found = contraction_of(write_run(replace(night, weaken={"vehicle-tonic": 0.0})))
    assert found["vehicle-tonic"].result is None
    assert "no ratio" in found["vehicle-tonic"].why_not


# arm -> in which block its films count for nothing; the block that is compared then
BLOCKS = {
    "all count": ({}, 13.6),
    "an arm's last films are flagged": ({"nerve-sham": (1,)}, 1.1),
    "the control's last films are flagged": ({"vehicle-sham": (1,)}, 1.1),
    "an arm has none at all": ({"nerve-sham": (0, 1)}, 13.6),
}


@pytest.mark.parametrize("case", BLOCKS)
def test_the_last_films_that_show_all_arms_are_compared(write_run, night, case):
    flagged, hours = BLOCKS[case]
    record = read_record(write_run(night))
    films = record.films.copy()
    arm_of = {well.well: well.arm for well in record.plan.wells}
    for row in films.index:
        if films.loc[row, "film"] in flagged.get(arm_of[films.loc[row, "well"]], ()):
            films.loc[row, "status"] = "flagged"
    design = design_of(record.protocol, record.rig, record.plan.wells)
    found = all_arms(design, "optical contraction", film_readings(design, films, 0.0), {})
    other = [c for c in found if c.arm == "vehicle-tonic"]
    assert other
    assert all(c.hours == pytest.approx(hours, abs=0.2) and c.result for c in other)


def test_no_comparison_where_no_film_counts(write_run, night):
    record = read_record(write_run(night))
    films = record.films.assign(status="failed", amplitude_um=float("nan"))
    design = design_of(record.protocol, record.rig, record.plan.wells)
    assert film_readings(design, films, 0.0) is None


def test_films_that_count_for_nothing_are_told_first_and_not_called_measured(write_run, night):
    record = read_record(write_run(night))
    assert not [
        p for p in headline(analyse(record)).points if "films" in p.text and p.tone != "good"
    ]
    films = record.films.assign(reasons="")
    films.loc[films.index[:3], ["status", "reasons"]] = ("failed", "the film was not taken: dead")
    films.loc[films.index[3], ["status", "reasons"]] = ("flagged", "no pulse came")
    analysis = analyse(replace(record, films=films))
    said = [point.text for point in headline(analysis).points]
    wells = ", ".join(in_order(set(films["well"][:4])))
    assert (
        f"4 of {len(films)} films of contraction ({wells}) count for nothing: "
        "the film was not taken." in said
    )
    facts = contraction_facts(analysis)
    assert facts["measured"] == len(films) - 3
    assert facts["counted"] == len(films) - 4


def test_missing_films_are_told_once(write_run, night):
    told = replace(night, films_measured=True, only_intended="film/")
    record = read_record(write_run(told))
    films = record.films.assign(status="failed", reasons="the film was not taken: missed")
    said = [p.text for p in headline(analyse(replace(record, films=films))).points]
    assert [text for text in said if "films" in text] == [
        f"{len(films)} of {len(films)} films of contraction count for nothing: "
        "the film was not taken."
    ]
    unmeasured = [p.text for p in headline(analyse(replace(record, films=films[:0]))).points]
    assert f"{len(films)} of {len(films)} films are missing." in unmeasured


def test_names_of_patterns_keep_their_letters():
    assert capital("films were taken under Tonic_10Hz") == "Films were taken under Tonic_10Hz"


def test_undelivered_pulses_are_no_weakness(write_run, night):
    """The wells look still, because nothing told them to move."""
    first = write_run(night)
    units = analyse(read_record(first)).units
    unit = next(u for u in units if u.arm == "vehicle-tonic")
    folder = write_run(replace(night, untested=unit.wells))
    by_name = {v.unit.name: v for v in analyse(read_record(folder)).verdicts}
    assert by_name[unit.name].label == "not assessable"
    assert by_name[unit.name].strength == "cannot say"
    others = {v.label for name, v in by_name.items() if name != unit.name}
    assert others == {"none", "reference"}
    page = build_report(folder).read_text(encoding="utf-8")
    assert "no pulse of twitch_2hz was delivered" in page
    with (folder.report / "contractions.csv").open(encoding="utf-8", newline="") as stream:
        assert unit.name not in {row["unit"] for row in csv.DictReader(stream)}
