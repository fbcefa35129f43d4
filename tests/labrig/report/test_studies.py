"""Runs of several donors joined: what is said of arms, whom it is about, and what cannot be joined.

Nights are drawn: every donor has its own size and its own answer, every well its own noise.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from dataclasses import replace

import pytest
from drawn_nights import COMMITTED, nights_drawn_from
from pydantic import TypeAdapter
from typer.testing import CliRunner

from labrig.cli import app
from labrig.export.primary import primary_tables
from labrig.export.source import ExportRefused, Source, read_source
from labrig.plan.power import PROPOSED
from labrig.protocol.outcomes import Outcome
from labrig.report.arms.sentences import sentence_of
from labrig.report.integrity import CommitmentShown
from labrig.report.maker import Maker
from labrig.report.record import read_record
from labrig.run_folder import RunFolder
from labrig.study.analysis import analyse_study
from labrig.study.build import DONORS, PAGE, VERDICT, build_study
from labrig.study.joining import NotOneStudy, joined
from labrig.study.page import render_study
from labrig.study.spreads import spreads_of

MAKER = Maker("1.2.3", "2026-03-02T07:00:00+00:00")
ARM, CONTROL = "nerve-tonic", "vehicle-sham"
TRUE_LOSS = {ARM: (0.70, 0.50)}


@pytest.fixture(scope="session")
def night(write_run, story):
    return nights_drawn_from(
        read_record(write_run(replace(story, tubes_a_well=30, films_measured=True)))
    )


def study_of(night, donors, **more):
    return analyse_study([night(f"d{n}", **more) for n in range(1, donors + 1)])


def of_arm(study, arm=ARM):
    return next(a for a in study.arms.arms if a.arm == arm)


def test_a_true_loss_over_six_donors_is_called_one_with_its_donors(night):
    study = study_of(night, 6, loss=TRUE_LOSS)
    arm = of_arm(study)
    sentence = sentence_of(arm, study.arms)
    assert arm.label == "sarcopenia-like"
    assert sentence.startswith(f"Over 6 donors, {ARM} is sarcopenia-like against {CONTROL}")
    assert arm.mass.effect.estimate.ratio == pytest.approx(0.70, rel=0.1)
    assert {a.label for a in study.arms.arms if a.arm != ARM} <= {"none", "undecided"}
    assert not study.arms.exploratory


def test_no_loss_over_six_donors_is_shown_to_be_none(night):
    study = study_of(night, 6, donor_by_arm=0.02, well=0.03)
    assert {arm.label for arm in study.arms.arms} == {"none"}


def test_too_few_donors_are_exploratory_and_say_how_many_were_planned(night):
    study = study_of(night, 3, loss=TRUE_LOSS)
    assert study.arms.exploratory == ("3 of 6 planned donors, and no look at so many",)
    page = render_study(study, MAKER)
    assert "3 of 6 planned donors" in page
    assert "<strong>Exploratory</strong>" in page
    assert "<strong>Verdict</strong>" not in page


def test_a_donor_on_two_plates_is_one_donor(night):
    runs = [night(f"d{n}", loss=TRUE_LOSS) for n in range(1, 6)]
    study = analyse_study([*runs, night("d1", run="second plate of d1", loss=TRUE_LOSS)])
    assert study.donors == ("d1", "d2", "d3", "d4", "d5")
    counted = {row.arm: row for row in study.counts}[ARM]
    assert (counted.runs, counted.donors, counted.wells) == (6, 5, 36)
    assert len(of_arm(study).mass.effect.donors) == 5


def test_carriers_of_two_runs_are_never_one(night):
    study = study_of(night, 2)
    effect = of_arm(study).mass.effect
    assert effect.carriers.startswith("4 v 4 "), "two channels in each run"


def test_each_donor_stands_alone_in_the_forest_and_the_check_agrees(night):
    study = study_of(night, 6, loss=TRUE_LOSS)
    mass = next(f for f in study.forests if f.pair[0] == ARM and f.readout == "mass")
    assert [row.donor for row in mass.donors] == [f"d{n}" for n in range(1, 7)]
    for row in mass.donors:
        assert 0.5 < row.estimate.ratio < 0.9
    primary = of_arm(study).mass.effect.estimate
    assert mass.joined.mean.ratio == pytest.approx(primary.ratio, rel=0.05)
    low, high = mass.joined.prediction
    assert low < mass.joined.mean.value < high


def test_a_label_that_hangs_on_one_donor_is_seen_without_it(night):
    runs = [night(f"d{n}", donor_by_arm=0.02, well=0.02) for n in range(1, 6)]
    runs.append(night("odd", loss={ARM: (0.4, 0.2)}))
    study = analyse_study(runs)
    without = {row.donor: row.labels for row in study.left_out}
    at = [arm.arm for arm in study.arms.arms].index(ARM)
    assert without["odd"][at] == "none"
    assert {without[f"d{n}"][at] for n in range(1, 6)} == {"undecided"}


def test_other_thresholds_are_tried_and_the_committed_one_is_marked(night):
    study = study_of(night, 6, loss={ARM: (0.80, 0.60)}, donor_by_arm=0.004, well=0.01)
    at = [arm.arm for arm in study.arms.arms].index(ARM)
    labels = {(r.low_mass_m, r.low_strength_s): r.labels[at] for r in study.definitions}
    assert [r.committed for r in study.definitions].count(True) == 1
    assert labels[(0.85, 0.80)] == "sarcopenia-like"
    assert labels[(0.80, 0.80)] != "sarcopenia-like"


def test_what_cannot_be_joined_is_refused_with_where(night):
    first, second = night("d1"), night("d2")
    with pytest.raises(NotOneStudy, match="two runs or more"):
        joined([first])
    with pytest.raises(NotOneStudy, match="are the same run"):
        joined([first, first])
    definition = second.record.protocol.definition.model_copy(update={"low_mass_m": 0.8})
    protocol = second.record.protocol.model_copy(update={"definition": definition})
    other = replace(second, record=replace(second.record, protocol=protocol))
    with pytest.raises(NotOneStudy, match=r"night of d2 .*definition\.low_mass_m"):
        joined([first, other])
    levels = {**second.design.levels, ARM: {**second.design.levels[ARM], "flow": "none"}}
    with pytest.raises(NotOneStudy, match="gives the arms something else"):
        joined([first, replace(second, design=replace(second.design, levels=levels))])


def test_runs_whose_arms_are_coded_are_not_joined(night):
    first, second = night("d1"), night("d2")
    coded = replace(second.record.blinding, coded=True, opened=None)
    assert coded.blind
    with pytest.raises(NotOneStudy, match=r"arms of night of d2 are still coded: .*unblind"):
        joined([first, replace(second, record=replace(second.record, blinding=coded))])


def test_seed_donor_and_named_exclusions_may_differ(night):
    first, second = night("d1"), night("d2")
    draw = second.record.protocol.randomisation.model_copy(update={"seed": 99})
    protocol = second.record.protocol.model_copy(update={"randomisation": draw, "name": "other"})
    joined([first, replace(second, record=replace(second.record, protocol=protocol))])


def test_uncommitted_and_changed_runs_test_nothing(night):
    runs = [night(f"d{n}", loss=TRUE_LOSS) for n in range(1, 6)]
    study = analyse_study([*runs, night("d6", committed=False)])
    assert study.standing.failures == ("night of d6 had no commitment",)
    page = render_study(study, MAKER)
    assert "EXPLORATORY" in page
    assert "night of d6 had no commitment" in page
    changed = replace(
        runs[0],
        record=replace(runs[0].record, commitment=CommitmentShown(entries=COMMITTED, fits=False)),
    )
    assert "something else than was committed" in joined([changed, runs[1]]).failures[0]


def test_committed_pilots_and_runs_without_an_analysis_plan_test_nothing(night):
    first, second = night("d1"), night("d2")
    pilot = replace(second.record, identity={**second.record.identity, "pilot": True})
    found = joined([first, replace(second, record=pilot)])
    assert found.failures == ("night of d2 was a pilot",)
    bare = [
        replace(run, record=replace(run.record, protocol=run.record.protocol.model_copy(
            update={"analysis": None}
        )))
        for run in (first, second)
    ]  # fmt: skip
    said = "was committed without an analysis plan"
    assert joined(bare).failures == (f"night of d1 {said}", f"night of d2 {said}")
    assert not joined([first, second]).failures


def test_a_run_without_a_read_out_is_told_and_left_out_of_it(night):
    runs = [night(f"d{n}", loss=TRUE_LOSS) for n in range(1, 7)]
    lost = replace(runs[0], compared=replace(runs[0].compared, strength=None))
    study = analyse_study([lost, *runs[1:]])
    assert "night of d1 measured no contraction after treatment began" in study.remarks
    assert len(of_arm(study).strength.effect.donors) == 5
    assert len(of_arm(study).mass.effect.donors) == 6


def test_what_a_study_exports_is_the_test_that_its_page_shows(night):
    runs = tuple(night(f"d{n}", loss=TRUE_LOSS) for n in range(1, 7))
    study = analyse_study(runs)
    tables = primary_tables(Source("study", runs, MAKER))
    found = {
        (row["readout"], row["arm"]): float(row["estimate_log"])
        for row in csv.DictReader(io.StringIO(tables["primary_found.csv"]))
    }
    for arm in study.arms.arms:
        for name, shown in (("mass", arm.mass), ("strength", arm.strength)):
            assert found[name, arm.arm] == pytest.approx(shown.effect.estimate.value, rel=1e-6)
    wells = list(csv.DictReader(io.StringIO(tables["primary_wells.csv"])))
    assert {row["run"] for row in wells} == {"study"}
    assert len({row["well"] for row in wells if row["readout"] == "mass"}) == 6 * 24
    assert {row["donor"] for row in wells} == {f"d{n}" for n in range(1, 7)}


def test_spreads_for_labrig_power_are_those_of_the_nights(night):
    runs = [night(f"d{n}", donor_by_arm=0.10, well=0.06) for n in range(1, 7)]
    mass = spreads_of(runs)["mass"]
    # a unit here is two to three wells, whose own spread enters twice: before and after
    assert 0.03 < mass.unit < 0.09
    assert 0.05 < mass.donor_by_arm < 0.17
    assert "6 donors in these runs" in mass.basis
    assert "carrier [P]" in mass.basis
    alone = spreads_of(runs[:1])["mass"]
    assert alone.donor_by_arm == PROPOSED["mass"].donor_by_arm
    assert "which one donor cannot show" in alone.basis


def test_a_run_without_a_baseline_stays_where_the_plan_adjusts_for_none(night):
    def nights(baseline):
        for n in range(1, 4):
            run = night(f"d{n}")
            mass = replace(run.compared.mass, baseline=None) if n == 1 else run.compared.mass
            plan = run.record.protocol.analysis.model_copy(update={"baseline": baseline})
            protocol = run.record.protocol.model_copy(update={"analysis": plan})
            record = replace(run.record, protocol=protocol)
            yield replace(run, record=record, compared=replace(run.compared, mass=mass))

    assert len(of_arm(analyse_study([*nights("change")])).mass.effect.donors) == 2
    assert len(of_arm(analyse_study([*nights("none")])).mass.effect.donors) == 3


def test_page_and_tables_are_whole_and_the_same_each_time(night, tmp_path, write_run, story):
    study = study_of(night, 6, loss=TRUE_LOSS)
    page = render_study(study, MAKER)
    assert page == render_study(study_of(night, 6, loss=TRUE_LOSS), MAKER)
    assert "http" not in page.replace("http://www.w3.org", "")
    assert page.count("<svg") == 1
    assert "Over 6 donors" in page


def test_the_command_joins_run_folders_or_says_why_not(write_run, story, tmp_path):
    one = write_run(replace(story, tubes_a_well=30))
    refused = CliRunner().invoke(
        app, ["study", str(one.root), str(one.root), "--out", str(tmp_path / "study")]
    )
    assert (refused.exit_code, "are the same run" in refused.output) == (1, True)
    other = tmp_path / "other"
    other.mkdir()
    copied = RunFolder(other)
    for path in one.root.rglob("*"):
        target = other / path.relative_to(one.root)
        target.mkdir(parents=True) if path.is_dir() else target.write_bytes(path.read_bytes())
    identity = json.loads(copied.identity.read_text())
    copied.identity.write_text(json.dumps(identity | {"id": "1" * 32}))
    page = build_study([one, copied], tmp_path / "study", MAKER)
    assert page == tmp_path / "study" / PAGE
    told = json.loads((tmp_path / "study" / VERDICT).read_text())
    assert told["tests_what_was_committed"] is False
    assert len(told["arms"]) == 3
    table = (tmp_path / "study" / DONORS).read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [run.record.folder.root for run in read_source(tmp_path / "study").runs] == [
        one.root.resolve(),
        copied.root.resolve(),
    ]
    shutil.rmtree(copied.root)
    with pytest.raises(ExportRefused, match="is not there any more"):
        read_source(tmp_path / "study")
    assert {row["donor"] for row in rows} == {"demo-donor"}


def test_only_the_loss_that_is_shown_is_called_one(night):
    study = study_of(night, 6, loss={ARM: (0.95, 0.50)}, donor_by_arm=0.02, well=0.03)
    arm = of_arm(study)
    sentence = sentence_of(arm, study.arms)
    assert arm.label == "dynapenia-like"
    assert "; the loss of contraction shown to be at least as large as its threshold (" in sentence
    assert "each loss" not in sentence


OUTCOMES = (
    {"name": "end", "of": ["diameter", "contraction"], "arms": [ARM]},
    {"name": "synergy", "kind": "interaction", "of": "diameter",
     "cells": {"N": [["vehicle-sham", "vehicle-tonic"], ["nerve-sham", "nerve-tonic"]],
               "A": [["vehicle-sham", "nerve-sham"], ["vehicle-tonic", "nerve-tonic"]]}},
    {"name": "age", "kind": "interaction", "of": "diameter",
     "cells": {"arm": [CONTROL, ARM], "donor.age_group": ["young", "old"]}},
)  # fmt: skip


def naming_outcomes(run, age_group):
    """The same run of a protocol that names outcomes, its donor of an age."""
    protocol = run.record.protocol
    donor = protocol.donors[0].model_copy(update={"age_group": age_group})
    outcomes = TypeAdapter(tuple[Outcome, ...]).validate_python(OUTCOMES)
    told = protocol.model_copy(update={"outcomes": outcomes, "donors": (donor,)})
    grounds = replace(run.grounds, protocol=told, donors=dict.fromkeys(run.grounds.donors, donor))
    return replace(run, record=replace(run.record, protocol=told), grounds=grounds)


def test_named_outcomes_are_answered_over_the_donors_of_all_runs(night):
    runs = [naming_outcomes(night(f"d{i}", loss=TRUE_LOSS), "old" if i > 3 else "young")
            for i in range(1, 7)]  # fmt: skip
    study = analyse_study(runs)
    found = {(each.outcome, each.readout): each for each in study.named}
    end = found["end", "diameter of tubes"]
    assert (end.scope, end.n) == ("over donors", "6 donors")
    assert end.value == pytest.approx(0.70, abs=0.08)
    assert end.shown
    assert found["end", "optical contraction"].shown
    # the loss is nerve-tonic's alone, so it is the interaction too
    assert found["synergy", "diameter of tubes"].value == pytest.approx(0.70, abs=0.1)
    age = found["age", "diameter of tubes"]
    assert (age.n, age.shown) == ("3 v 3 donors", False)
    assert "Named outcomes over all runs" in render_study(study, MAKER)
