"""What people write wrongly about plates, donors and gates: where, what, how to mend it."""

import pytest

from labrig.experiment.loading import load_experiment
from labrig.problems import FileProblems

PLATE_2 = "- {plate: 2, donor: d2, passage: 4, night: 2026-12-02}"
BOUNDS = ", ratio_below: 0.85, interval_below: 1"

# name: (what stands there, what is written, path, what, remedy)
MISTAKES = {
    "a donor that nobody is": (
        "donor: d2, passage", "donor: d4, passage", "runs.1.donor", "no donor 'd4'", "There is: d1",
    ),
    "a donor on no plate": (
        PLATE_2, "", "donors.d2", "lies on no plate", "donor: d2}` to runs",
    ),
    "a plate number twice": (
        PLATE_2, PLATE_2.replace("plate: 2", "plate: 1"), "runs.1.plate",
        "does not say in which wells", "wells: [A1, ...]",
    ),
    "the same cells twice on a plate": (
        PLATE_2, f"{PLATE_2}\n  {PLATE_2}", "runs.2.plate", "these cells of d2 twice",
        "a plate number of its own",
    ),
    "a well of two donors": (
        "- {plate: 3, donor: d3, passage: 5}",
        "- {plate: 3, donor: d3, passage: 5, wells: [A1, A2]}\n"
        "  - {plate: 3, donor: d1, passage: 5, wells: [A2, A3]}",
        "runs.3.wells", "well A2 of plate 3 is also d3's", "in one line only",
    ),
    "a plate in two nights": (
        "- {plate: 3, donor: d3, passage: 5}",
        "- {plate: 3, donor: d3, passage: 5, wells: [A1]}\n"
        "  - {plate: 3, donor: d1, passage: 5, wells: [A2], night: 2026-12-05}",
        "runs.3.night", "planned for two nights", "the same night in every line",
    ),
    "a passage among a donor's facts": (
        "sex: f, age_group: young", "sex: f, passage: 4", "donors.d1.passage",
        "may differ from plate to plate", "Move it into the lines of `runs`",
    ),
    "a night that is no date": (
        "2026-12-01", "1st of December", "runs.0.night", "", "2026-11-23",
    ),
    "a gate's arm that is not there": (
        "arm: nerve-tonic", "arm: nerve-tonik", "gates.0.needs.arm", "gate.yaml has no arm",
        "'nerve-tonic'",
    ),
    "a gate against an arm that is not there": (
        BOUNDS, ", against: placebo" + BOUNDS, "gates.0.needs.against", "no arm 'placebo'",
        "There is:",
    ),
    "a gate without a bound": (
        BOUNDS, "", "gates.0.needs", "nothing can fail this gate", "ratio_below: 0.85",
    ),
    "a gate that asks for two things": (
        "readout: diameter", "readout: diameter, outcome: width", "gates.0.needs.readout",
        "asks for one thing", "outcome: NAME",
    ),
    "an outcome that the gate's protocol does not name": (
        "readout: diameter", "outcome: width", "gates.0.needs.outcome", "names no outcome 'width'",
        "readout: diameter",
    ),
    "a gate's file that is not there": (
        "gate.yaml", "gates.yaml", "gates.0.protocol", "no file gates.yaml", "mean 'gate.yaml'?",
    ),
    "wells from the first to the last": (
        "- {plate: 3, donor: d3, passage: 5}",
        "- {plate: 3, donor: d3, passage: 5, wells: A1-B6}",
        "runs.2.wells", "'A1-B6'", "each of its wells",
    ),
    "the protocol as its own gate": (
        "gate.yaml", "demo-night.yaml", "gates.0.protocol", "cannot come before itself",
        "atrophy-window.yaml",
    ),
    "a ratio in percent": (
        "ratio_below: 0.85", "ratio_below: 85 %", "gates.0.needs.ratio_below", "a per cent sign",
        "Write 0.85",
    ),
    "another unit than the donor": (
        "unit: donor", "unit: well", "analysis.unit", "", "donor",
    ),
    "a well that the plate does not have": (
        "- {plate: 3, donor: d3, passage: 5}",
        "- {plate: 3, donor: d3, passage: 5, wells: [A1, Z99x]}",
        "runs.2.wells", "", "",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "path", "what", "remedy"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_where_what_and_how(bench, old, new, path, what, remedy):
    text = bench.read_text(encoding="utf-8")
    assert old in text
    bench.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(FileProblems) as raised:
        load_experiment(bench)
    told = [p for p in raised.value.problems if p.path.startswith(path)]
    assert told, str(raised.value)
    problem = told[0]
    assert problem.file == bench
    assert what in problem.what
    assert remedy in problem.remedy
    assert problem.line > 1


def test_a_protocol_in_the_place_of_an_experiment_is_told_once(bench):
    with pytest.raises(FileProblems) as raised:
        load_experiment(bench.with_name("demo-night.yaml"))
    (problem,) = raised.value.problems
    assert "this is a protocol" in problem.what
    assert "labrig check" in problem.remedy
