"""What people get wrong in programmes of arms: where it is, what it is, how to mend it."""

from __future__ import annotations

import copy
import json

import pytest

from labrig.catalogue import catalogue_folder
from labrig.yaml_file import read_yaml

BASE = read_yaml(catalogue_folder() / "demo-night.yaml").data
CNTF = {"CNTF": "20 ng/mL"}

# name: (the programme, path below arms.timed, what, remedy)
MISTAKES = {
    "a label that a repeated entry has": (
        [
            {"from": "2 h", "every": "2 h", "for": "1 h", "targets": CNTF, "label": "pulse"},
            {"from": "9 h", "label": "pulse-2"},
        ],
        "program.1.label",
        "later time of entry 1",
        "another name",
    ),
    "nothing is said": ([{"from": "2 h"}], "program.0", "changes nothing", "a label"),
    "a factor misspelt": (
        [{"from": "2 h", "targets": {"CNFT": "20 ng/mL"}}],
        "program.0.targets.CNFT",
        "no factor 'CNFT'",
        "'CNTF'",
    ),
    "a pattern misspelt": (
        [{"from": "2 h", "pattern": "sahm"}],
        "program.0.pattern",
        "no pattern 'sahm'",
        "'sham'",
    ),
    "off in place of none": (
        [{"from": "2 h", "targets": "off"}],
        "program.0.targets",
        "'off'",
        "none",
    ),
    "a bolus without a time": (
        [{"from": "2 h", "bolus": {"factor": "leucine", "volume": "20 uL"}}],
        "program.0.bolus",
        "no time of its own",
        "Write `at:",
    ),
    "at for a stretch": (
        [{"at": "2 h", "targets": CNTF}],
        "program.0.at",
        "`at` is for a bolus",
        "Write `from:",
    ),
    "a bolus of volume and reach": (
        [{"at": "2 h", "bolus": {"factor": "leucine", "volume": "20 uL", "reach": "1 ug/mL"}}],
        "program.0.bolus.reach",
        "both a volume and what it is to reach",
        "`volume: 20 uL`",
    ),
    "a bolus of neither": (
        [{"at": "2 h", "bolus": {"factor": "leucine"}}],
        "program.0.bolus",
        "neither a volume nor",
        "`reach:",
    ),
    "a reach beyond the stock": (
        [{"at": "2 h", "bolus": {"factor": "leucine", "reach": "20 mg/mL"}}],
        "program.0.bolus.reach",
        "no volume reaches it",
        "Mix 'leucine-stock' stronger",
    ),
    "repeated without an end": (
        [{"from": "2 h", "every": "4 h", "targets": CNTF}],
        "program.0.every",
        "never ends",
        "Add `for:",
    ),
    "longer than its own period": (
        [{"from": "2 h", "every": "4 h", "for": "5 h", "targets": CNTF}],
        "program.0.for",
        "comes every 4 h",
        "shorter than `every`",
    ),
    "until without every": (
        [{"from": "2 h", "until": "4 h", "targets": CNTF}],
        "program.0.until",
        "without `every`",
        "`for:",
    ),
    "out of order": (
        [{"from": "6 h", "targets": CNTF}, {"from": "2 h", "targets": "none"}],
        "program.1.from",
        "2 h stands after 6 h",
        "Sort the entries",
    ),
    "two at one time": (
        [{"from": "2 h", "targets": CNTF}, {"from": "2 h", "targets": "none"}],
        "program.1.from",
        "two entries set targets",
        "into one entry",
    ),
    "two that pass at once": (
        [
            {"from": "2 h", "for": "3 h", "flow": "2 mL/h"},
            {"from": "4 h", "for": "3 h", "flow": "3 mL/h"},
        ],
        "program.1",
        "sets flow while entry 1",
        "end before the other begins",
    ),
    "after the end": (
        [{"from": "40 h", "targets": CNTF}],
        "program.0.from",
        "not before the end of the run",
        "last 14 h",
    ),
    "passing beyond the end": (
        [{"from": "10 h", "for": "8 h", "targets": CNTF}],
        "program.0.for",
        "beyond the end of the run",
        "leave `for` out",
    ),
    "no pause in spells": (
        [{"from": "0 h", "flow": {"rate": "4 mL/h", "on": "1 h", "every": "1 h"}}],
        "program.0.flow.on",
        "there is no pause",
        "shorter than `every`",
    ),
    "spells of a second": (
        [{"from": "0 h", "flow": {"rate": "4 mL/h", "on": "1 s", "every": "10 s"}}],
        "program.0.flow.on",
        "1 s only",
        "longer spells",
    ),
    "a label of a phase": (
        [{"from": "2 h", "targets": CNTF, "label": "treatment"}],
        "program.0.label",
        "'treatment' is the name of",
        "another name",
    ),
    "a label twice": (
        [
            {"from": "2 h", "targets": CNTF, "label": "gap"},
            {"from": "4 h", "targets": "none", "label": "gap"},
        ],
        "program.1.label",
        "entry 1 has the label 'gap' too",
        "a name of its own",
    ),
    "seconds for hours": (
        [{"from": "0 h", "every": "2 s", "for": "1 s", "targets": CNTF}],
        "program",
        "the most are 2000",
        "unit of `every`",
    ),
    "targets without flow": (
        [{"from": "0 h", "targets": CNTF, "flow": "0 mL/h"}],
        "",
        "no flow that could hold them",
        "`targets: none`",
    ),
}


def document(program):
    made = copy.deepcopy(BASE)
    made["arms"]["timed"] = {"program": program}
    return made


def told(made, tmp_path, problems_of):
    file = tmp_path / "protocol.yaml"
    file.write_text(json.dumps(made, indent=1), encoding="utf-8")
    return problems_of(file)


@pytest.mark.parametrize("name", MISTAKES)
def test_each_is_placed_and_explained(name, tmp_path, problems_of):
    program, path, what, remedy = MISTAKES[name]
    found = told(document(program), tmp_path, problems_of)
    own = [p for p in found if p.path == f"arms.timed.{path}".rstrip(".")]
    assert own, [str(problem) for problem in found]
    assert any(what in p.what and remedy in p.remedy for p in own), [str(p) for p in own]


@pytest.mark.parametrize(("mixed", "path", "what", "remedy"), [
    ({"sequence": ["sham", "phasc"], "each": "25 min"}, "sequence.1", "no pattern", "There is"),
    ({"sequence": ["sham", "sham"], "each": "25 min"}, "sequence.1", "follows itself", "another"),
    ({"sequence": ["sham", "twitch_2hz"], "each": "2 s"}, "each", "shorter than 60 s", "train_on"),
])  # fmt: skip
def test_mixed_patterns(mixed, path, what, remedy, tmp_path, problems_of):
    made = document([{"from": "2 h", "pattern": "sham"}])
    made["patterns"]["both"] = mixed
    (only,) = told(made, tmp_path, problems_of)
    assert only.path == f"patterns.both.{path}"
    assert what in only.what
    assert remedy in only.remedy


def test_films_at_a_moment_that_arms_have_at_different_times(tmp_path, problems_of):
    made = document([{"from": "4 h", "targets": CNTF, "label": "restore"}])
    made["arms"]["later"] = {"program": [{"from": "6 h", "targets": CNTF, "label": "restore"}]}
    made["imaging"]["films"]["at"] = ["1.1 h", "restore + 1 h", "retsore"]
    first, second = told(made, tmp_path, problems_of)
    assert (first.path, second.path) == ("imaging.films.at.1", "imaging.films.at.2")
    assert "'restore' is at 4 h in timed, 6 h in later" in first.what
    assert "`at: [4 h, 6 h]`" in first.remedy
    assert "no moment of the run" in second.what
