"""Gates before plates: who passed, who is pooled, and what is said of the others."""

from dataclasses import replace

import pytest

from labrig.experiment.found import FoundRun, Place, placed
from labrig.experiment.gates import judge_gate
from labrig.experiment.judged import judge, without_donors
from labrig.experiment.loading import load_experiment
from labrig.experiment.planned import planned_gates, planned_plates, write_runs
from labrig.report.maker import Maker
from labrig.study.page import render_study

SHRINKS = {"nerve-tonic": (0.70, 0.50)}
COMMITTED = "c" * 64
GATE_DAY, PLATE_DAY = "2026-03-01T18:00:00+00:00", "2026-03-05T18:00:00+00:00"


def dated(analysis, made):
    identity = {**analysis.record.identity, "made_utc": made}
    return replace(analysis, record=replace(analysis.record, identity=identity))


def place(planned, analysis, state="counts", under=COMMITTED):
    record = analysis.record
    found = FoundRun(record.folder, dict(record.identity), record.protocol, under)
    return Place(planned, found, state)


@pytest.fixture
def judged(bench, night):
    """Judges the experiment: by donor, what the gate's run lost; None: it was not run."""
    experiment = load_experiment(bench)

    def of(lost, *, committed=(COMMITTED,), gate_day=GATE_DAY):
        analyses, plates, gates = {}, [], []
        for planned in planned_plates(experiment):
            own = dated(night(planned.persons[0]), PLATE_DAY)
            analyses[own.record.folder.root.name] = own
            plates.append(place(planned, own))
        for planned in planned_gates(experiment):
            donor = planned.persons[0]
            if lost[donor] is None:
                gates.append(Place(planned, None, "missing", "no run of it is there"))
                continue
            own = dated(night(donor, run=f"gate of {donor}", loss=lost[donor], well=0.02), gate_day)
            analyses[own.record.folder.root.name] = own
            gates.append(place(planned, own))
        return judge(experiment.model, plates, gates, analyses, committed)

    return of


def test_donors_whose_gates_passed_are_pooled(judged):
    found = judged({"d1": SHRINKS, "d2": SHRINKS, "d3": SHRINKS})
    assert {v.state for v in found.verdicts} == {"passed"}
    assert found.study.donors == ("d1", "d2", "d3")
    assert found.not_pooled == ()
    assert not [said for said in found.remarks if "experiment" in said]


def test_a_donor_whose_gate_failed_is_shown_and_not_pooled(judged):
    found = judged({"d1": SHRINKS, "d2": {}, "d3": SHRINKS})
    assert {v.donor: v.state for v in found.verdicts} == {
        "d1": "passed", "d2": "failed", "d3": "passed",
    }  # fmt: skip
    assert found.study.donors == ("d1", "d3")
    (left,) = found.not_pooled
    assert left.donor == "d2"
    assert "gate gate.yaml failed" in left.why[0]
    assert "asked: diameter of nerve-tonic: ratio below 0.85" in left.why[0]
    assert any(said.startswith("diameter of nerve-tonic v vehicle-sham ×") for said in left.shows)
    page = render_study(found.study, Maker("1.2.3", "2026-03-02T07:00:00+00:00"))
    assert "d2 is not pooled: gate gate.yaml failed" in page
    assert "d2, not pooled, shows by itself" in page


def test_a_gate_that_was_not_run_is_no_gate_passed(judged):
    found = judged({"d1": SHRINKS, "d2": SHRINKS, "d3": None})
    assert {v.donor: v.state for v in found.verdicts}["d3"] == "missing"
    assert found.study.donors == ("d1", "d2")


def test_a_gate_that_was_run_after_the_plate_came_too_late(judged):
    found = judged(dict.fromkeys(("d1", "d2", "d3"), SHRINKS), gate_day="2026-03-09T18:00:00+00:00")
    assert {v.state for v in found.verdicts} == {"late"}
    assert found.study is None
    assert "a study joins two" in found.no_study
    assert [left.donor for left in found.not_pooled] == ["d1", "d2", "d3"]


def test_every_run_of_a_gate_must_pass(bench, night):
    gate = load_experiment(bench).model.gates[0]
    good = night("d1", run="one gate of d1", loss=SHRINKS, well=0.02)
    bad = night("d1", run="another gate of d1", well=0.02)
    assert judge_gate(gate, "d1", [good], "").passed
    both = judge_gate(gate, "d1", [bad, good], "")
    assert both.state == "failed"
    assert both.runs == ("another gate of d1", "one gate of d1")


def test_an_interval_that_reaches_one_fails_where_it_is_asked(bench, night):
    gate = load_experiment(bench).model.gates[0]
    wide = night("d1", run="a noisy gate", loss={"nerve-tonic": (0.8, 0.8)}, well=0.6, seed=3)
    shown = judge_gate(gate, "d1", [wide], "")
    needs = gate.needs.model_copy(update={"interval_below": None, "ratio_below": 99.0})
    assert shown.state == "failed"
    assert judge_gate(gate.model_copy(update={"needs": needs}), "d1", [wide], "").passed


def test_an_experiment_that_was_not_committed_tests_nothing(judged):
    all_pass = dict.fromkeys(("d1", "d2", "d3"), SHRINKS)
    found = judged(all_pass, committed=())
    assert "the experiment is not committed" in found.study.standing.failures[0]
    other = judged(all_pass, committed=("d" * 64,))
    assert "was not committed under this experiment" in other.study.standing.failures[0]


def test_of_two_finished_runs_of_a_plate_the_first_counts(bench, tmp_path, night):
    experiment = load_experiment(bench)
    planned = planned_plates(experiment)[0]
    protocol = write_runs(experiment, [planned], tmp_path / "out")[planned.name]
    runs = []
    for name in ("first", "second", "broken off"):
        record = night("d1", run=name).record
        runs.append(FoundRun(record.folder, {}, protocol.model, COMMITTED))
    changed = protocol.model.model_copy(update={"plate": "96-well"})
    runs.append(FoundRun(night("d1", run="other").record.folder, {}, changed, COMMITTED))
    found = placed(planned, protocol, runs, ["first", "second", "other"])
    assert [(p.run.name, p.state) for p in found] == [
        ("first", "counts"), ("second", "repeat"), ("broken off", "unfinished"),
        ("other", "changed"),
    ]  # fmt: skip
    assert "plate" in found[3].said
    assert [p.state for p in placed(planned, protocol, [], [])] == ["missing"]


def test_a_plate_of_two_donors_keeps_the_one_that_counts(night):
    run = night("d1")
    wells = tuple(
        replace(well, donor="d2") if well.well[0] in "CD" else well for well in run.design.wells
    )
    shared = replace(run, design=replace(run.design, wells=wells))
    left = without_donors(shared, {"d2": "its gate failed"})
    assert {well.donor for well in left.design.wells} == {"d1"}
    assert {well.well[0] for well in left.record.plan.wells} == {"A", "B"}
    assert without_donors(shared, {"d1": "", "d2": ""}) is None
    assert without_donors(shared, {}) is shared
