"""What people write for what a protocol names, and for what it asks and compares.

Each case is one change to a file of the catalogue, met by people who used labrig early on.
"""

from __future__ import annotations

import pytest
from mistakes_told import DEMO, see_it_told

from labrig.protocol.loading import load_protocol

ARMS = "arms:\n  vehicle-sham:"
PLAN = "  correction: dunnett"
CELLS = "{{kind: interaction, of: diameter, cells: {{{}}}}}"
OUTCOMES = f"outcomes: [%s]\n{ARMS}"

# name: (what stands in the demo's protocol, what is written, path or line, what, remedy)
MISTAKES = {
    "a stock that is misspelt": (
        "stock: leucine-stock, at",
        "stock: leucin-stock, at",
        "arms.vehicle-sham.boluses.0.stock",
        "no stock",
        "'leucine-stock'",
    ),
    "a medium that is misspelt": (
        "medium: differentiation\n",
        "medium: diferentiation\n",
        "perfusion.medium",
        "no medium",
        "'differentiation'",
    ),
    "a factor that is misspelt": (
        "contents: {CNTF: 1 ug/mL,",
        "contents: {CTNF: 1 ug/mL,",
        "stocks.nerve-cocktail.contents.CTNF",
        "no factor",
        "'CNTF'",
    ),
    "a film after the end": (
        "at: [1.1 h, 13.6 h]",
        "at: [1.1 h, 136 h]",
        "imaging.films.at.1",
        "outside the run (0 to 14 h)",
        "start of the run",
    ),
    "two phases of one name": (
        "name: treatment",
        "name: baseline",
        "phases.1.name",
        "two phases",
        "its own name",
    ),
    "a version to come": (
        "labrig: 1\n",
        "labrig: 2\n",
        "labrig",
        "not one of the choices",
        "Write 1",
    ),
    "an error rate of five": (
        "error_rate: 0.05",
        "error_rate: 5",
        "analysis.error_rate",
        "out of range",
        "at most 0.2",
    ),
    "an error rate in per cent": (
        "error_rate: 0.05",
        "error_rate: 5 %",
        "analysis.error_rate",
        "per cent sign",
        "Write 0.05",
    ),
    "a margin below one": (
        "equivalence_margin: 1.10",
        "equivalence_margin: 0.90",
        "analysis.equivalence_margin",
        "out of range",
        "more than 1",
    ),
    "donors without a key": (
        "donors: {planned: 6} ",
        "donors: 6 ",
        "analysis.donors",
        "will not do",
        "`{planned: 6}`",
    ),
    "a look after the last donor": (
        "donors: {planned: 6}",
        "donors: {planned: 6, looks: [3, 9]}",
        "analysis.donors.looks",
        "looks at 3, 9 of 6",
        "below the planned",
    ),
    "a contrast of no arm": (
        PLAN,
        f"  contrasts: [{{arm: nerve-tonik}}]\n{PLAN}",
        "analysis.contrasts.0.arm",
        "no arm",
        "'nerve-tonic'",
    ),
    "a read-out by its other name": (
        PLAN,
        f"  primary: [diameter]\n{PLAN}",
        "analysis.primary.0",
        "not one of the choices",
        "'mass'",
    ),
    "an exclusion without a well": (
        PLAN,
        f"  exclusions: [{{well: A01, reason: bubble}}]\n{PLAN}",
        "analysis.exclusions.0.well",
        "not a well",
        "A1",
    ),
    "coded, shortened": (
        ARMS,
        f"blinding: {{arms: code}}\n{ARMS}",
        "blinding.arms",
        "not one of the choices",
        "Did you mean 'coded'?",
    ),
    "a judge who fills syringes": (
        ARMS,
        f"blinding: {{arms: coded, handlers: [H. Berg], judges: [Hanna Berg]}}\n{ARMS}",
        "blinding.judges.0",
        "can be 'H. Berg'",
        "somebody else",
    ),
    "one handler, not in a list": (
        ARMS,
        f"blinding: {{arms: coded, handlers: Hanna Berg}}\n{ARMS}",
        "blinding.handlers",
        "will not do",
        "a list",
    ),
    "a read-out misspelt": (
        ARMS,
        OUTCOMES % "{of: diametre}",
        "outcomes.0.of",
        "no read-out 'diametre'",
        "'diameter'",
    ),
    "a kind of outcome that is none": (
        ARMS,
        OUTCOMES % "{kind: time_to_loss, of: diameter, loss: 10 %}",
        "outcomes.0",
        "no outcome of this kind",
        "time-to-loss",
    ),
    "a loss as a fraction": (
        ARMS,
        OUTCOMES % "{kind: time-to-loss, of: diameter, loss: 0.1}",
        "outcomes.0.loss",
        "has no unit",
        "'10 percent'",
    ),
    "an outcome's arm misspelt": (
        ARMS,
        OUTCOMES % "{of: diameter, arms: [nerve-tonik]}",
        "outcomes.0.arms.0",
        "no arm",
        "'nerve-tonic'",
    ),
    "a moment that nothing is called by": (
        ARMS,
        OUTCOMES % "{kind: ratio, of: diameter, baseline: chalenge}",
        "outcomes.0.baseline",
        "no moment 'chalenge'",
        "label of an arm's programme",
    ),
    "a baseline after the end": (
        ARMS,
        OUTCOMES % "{kind: ratio, of: diameter, baseline: {at: 72 h}}",
        "outcomes.0.baseline.at",
        "outside the run",
        "that the run reaches",
    ),
    "quantiles of what has none": (
        ARMS,
        OUTCOMES % "{kind: quantiles, of: contraction, at: [10, 90]}",
        "outcomes.0.of",
        "no quantiles",
        "diameter",
    ),
    "two outcomes of one name": (
        ARMS,
        OUTCOMES % "{name: a, of: diameter}, {name: a, of: contraction}",
        "outcomes.0.name",
        "two outcomes",
        "its own",
    ),
    "an interaction of arms that do not cross": (
        ARMS,
        OUTCOMES % CELLS.format("N: [vehicle-sham, nerve-sham], A: [vehicle-tonic, nerve-tonic]"),
        "outcomes.0.cells",
        "no arm has",
        "all arms that have it",
    ),
    "ages without a range": (
        ARMS,
        OUTCOMES % CELLS.format("arm: [vehicle-sham, nerve-sham], donor.age: [young, old]"),
        "outcomes.0.cells.donor.age.0",
        "no range of ages",
        "under-40",
    ),
    "an attribute that donors lack": (
        ARMS,
        OUTCOMES % CELLS.format("arm: [vehicle-sham, nerve-sham], donor.gender: [f, m]"),
        "outcomes.0.cells.donor.gender",
        "no attribute 'gender'",
        "sex",
    ),
    "recovery without gaps": (
        ARMS,
        OUTCOMES % "{kind: recovered-fraction, of: diameter, before: wash, after: end}",
        "outcomes.0.before",
        "no moment 'wash'",
        "label",
    ),
    "an order of one read-out": (
        ARMS,
        OUTCOMES % "{kind: order, of: [diameter], loss: 10 %}",
        "outcomes.0.of",
        "at least 2 are wanted",
        "Name 2",
    ),
    "a frequency of a read-out without steps": (
        ARMS,
        OUTCOMES % "{of: contraction, frequency: 20 Hz}",
        "outcomes.0.frequency",
        "no step",
        "Leave out",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_placed_named_and_mended(mistake, tmp_path):
    see_it_told(load_protocol, tmp_path / "file.yaml", DEMO, MISTAKES[mistake])
