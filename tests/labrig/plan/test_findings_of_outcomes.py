"""Outcomes that what a run plans cannot answer are told, with what to add."""

from datetime import date

import pytest

from labrig.catalogue import catalogue_folder
from labrig.plan.compile import compile as compile_plan
from labrig.plan.power import design_of_plan
from labrig.protocol.loading import load_protocol
from labrig.rig.loading import load_rig

DEMO = (catalogue_folder() / "demo-night.yaml").read_text(encoding="utf-8")
RIG = load_rig(catalogue_folder() / "rigs" / "simulated-bench.yaml")
ARMS = "arms:\n  vehicle-sham:"


@pytest.fixture
def findings(tmp_path):
    def found(outcomes, *edits):
        text = DEMO.replace(ARMS, f"outcomes: [{outcomes}]\n{ARMS}")
        for old, new in edits:
            assert old in text, f"{old!r} is no longer in the demo"
            text = text.replace(old, new)
        path = tmp_path / "night.yaml"
        path.write_text(text, encoding="utf-8")
        plan = compile_plan(load_protocol(path), RIG, today=date(2026, 3, 1), free_bytes=10**12)
        # the most grave of a code
        own = [f for f in plan.findings if f.code.startswith(("outcome.", "design.no-b"))]
        own.sort(key=lambda f: ("note", "warn", "block").index(f.severity))
        return {f.code: f for f in own}

    return found


def test_a_run_that_can_answer_what_it_names_has_nothing_to_mend(findings):
    asked = "{of: diameter}, {kind: time-to-loss, of: diameter, loss: 10 %}"
    found = findings(asked)
    assert {f.code: f.severity for f in found.values() if f.severity != "note"} == {}
    assert "6 questions are one family" in found["outcome.family"].why


# name: outcome, code, grade, words of it, words of the remedy
CASES = {
    "a stain that is not taken": (
        "{of: clusters}", "outcome.no-read-out", "block", "receptor clusters", "shows: clusters",
    ),
    "a test that is not done": (
        "{of: capture_threshold}", "outcome.no-read-out", "block", "capture threshold",
        "kind staircase",
    ),
    "too few films for a loss": (
        "{kind: time-to-loss, of: contraction, loss: 10 %}", "outcome.too-few-looks", "block",
        "two looks running agree", "imaging.films.at",
    ),
    "too few films for an order": (
        "{kind: order, of: [contraction, diameter], loss: 10 %}", "outcome.too-few-looks", "block",
        "optical contraction", "imaging.films.at",
    ),
    "a baseline that nobody films": (
        "{kind: ratio, of: contraction, baseline: {at: 0 h}}", "outcome.no-look", "block",
        "as its baseline", "another moment",
    ),
    "contraction without a film before treatment": (
        "{of: contraction}", "outcome.no-baseline", "warn", "began larger", "film before treatment",
    ),
    "one donor where donors are compared": (
        "{kind: interaction, of: diameter, cells: {arm: [vehicle-sham, nerve-sham], "
        "donor.age_group: [unknown, old]}}",
        "outcome.few-donors", "warn", "wells and passages of one donor", "labrig study",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_cannot_be_answered_is_found(name, findings):
    outcome, code, grade, what, remedy = CASES[name]
    found = findings(outcome)
    assert code in found
    assert found[code].severity == grade
    assert what in found[code].why
    assert remedy in found[code].remedy


def test_fatigue_of_films_that_are_too_short_is_refused(findings):
    found = findings("{of: fatigue}")
    code = found["outcome.film-too-short"]
    assert "five twitches" in code.why


def test_a_primary_read_out_that_begins_with_treatment_is_told(findings):
    phases = (
        "  - {name: baseline, duration: 1 h, factors: off, stimulation: off}\n"
        "  - {name: treatment, duration: 13 h}",
        "  - {name: treatment, duration: 14 h}",
    )
    first = ("interval: 30 min", "first: 30 min\n  interval: 30 min")
    found = findings("{of: diameter}", phases, first)
    assert found["design.no-baseline"].severity == "warn"
    assert "larger decides" in found["design.no-baseline"].why


def test_passages_of_one_donor_are_one_donor_to_check_too(tmp_path):
    old = "  - id: demo-donor\n    age_group: unknown\n    passage: 4 "
    rows = {p: [f"{row}{n}" for row in rows for n in range(1, 7)] for p, rows in
            ((4, "AC"), (8, "BD"))}  # fmt: skip
    powers = []
    for person in ("", "person: d1, "):
        entries = "\n".join(
            f"  - {{id: p{p}, {person}passage: {p}, wells: [{', '.join(wells)}]}}"
            for p, wells in rows.items()
        )
        assert old in DEMO
        line = next(each for each in DEMO.splitlines() if each.startswith("    passage: 4 "))
        text = DEMO.replace(f"  - id: demo-donor\n    age_group: unknown\n{line}", entries)
        path = tmp_path / f"night{len(powers)}.yaml"
        path.write_text(text, encoding="utf-8")
        protocol = load_protocol(path)
        plan = compile_plan(protocol, RIG, today=date(2026, 3, 1), free_bytes=10**12)
        powers.append(design_of_plan(protocol.model, RIG.model, plan).donors)
    assert powers == [2, 1]
