"""What people write wrongly about steps and results: where, what, and how to mend it."""

from __future__ import annotations

import pytest

from labrig.catalogue import catalogue_folder
from labrig.problems import FileProblems
from labrig.protocol.loading import load_protocol

DEMO = (catalogue_folder() / "demo-night.yaml").read_text(encoding="utf-8")
SOUND = """
steps:
  - {name: feed, at: 5 h, do: change-medium, to: differentiation}
  - {name: take, at: [1 h, 6 h], do: sample, of: effluent, volume: 200 uL}
  - {name: end-point, at: end, do: stain, with: [Hoechst], then: {image: [nuclei]}}
results:
  - {name: elisa, file: elisa.csv, of: take, column: pg, unit: pg/mL, lod: 5, below: half-LOD}
"""

# (what to find, what to put there, path, words of the problem, of the remedy)
MISTAKES = {
    "clock instead of a time": ("at: 5 h", "at: 22:00", "steps.0.at", "22:00", "'22 h'"),
    "bare number": ("at: 5 h", "at: 5", "steps.0.at", "no unit", "'5 h'"),
    "after the end": ("at: 5 h", "at: 50 h", "steps.0.at", "outside the run", "from the start"),
    "before the start": ("at: end,", "at: end - 99 h,", "steps.2.at", "outside the run", "`end`"),
    "wrong unit after end": ("at: end,", "at: end - 2 V,", "steps.2.at", "a time is wanted", "s"),
    "moment of no arm": (
        "at: end,", "at: restore + 1 h,", "steps.2.at", "no moment 'restore'", "arms",
    ),
    "misspelt moment": ("at: end,", "at: treatmant,", "steps.2.at", "no moment", "'treatment'"),
    "a time twice": ("[1 h, 6 h]", "[1 h, 60 min]", "steps.1.at", "twice", "once"),
    "no medium": (", to: differentiation", "", "steps.0", "which medium", "`to: differentiation`"),
    "unknown medium": (
        "to: differentiation", "to: diferentiation", "steps.0.to", "no medium",
        "'differentiation'",
    ),
    "medium of a stain": (
        "with: [Hoechst]", "with: [Hoechst], to: differentiation", "steps.2.to",
        "for a change of medium", "`do: change-medium`",
    ),
    "stain with nothing": (", with: [Hoechst]", "", "steps.2", "with what", "`with: [MF-20"),
    "sample of nothing": ("of: effluent, ", "", "steps.1", "what is taken", "`of: effluent`"),
    "unknown act": ("do: sample", "do: sampel", "steps.1.do", "'sampel'", "'sample'"),
    "unknown channel": (
        "image: [nuclei]", "image: [nucleus]", "steps.2.then.image.0", "no channel", "'nuclei'",
    ),
    "two of one name": ("name: take", "name: feed", "steps.0.name", "two steps", "own `name`"),
    "label of all wells": (
        "volume: 200 uL", "volume: 200 uL, label: 'tube {hour}'", "steps.1.label",
        "all tubes", "{well}",
    ),
    "label of all times": (
        "volume: 200 uL", "volume: 200 uL, label: '{well}'", "steps.1.label", "every time",
        "{hour}",
    ),
    "unknown part of a label": (
        "volume: 200 uL", "volume: 200 uL, label: '{well}-{day}'", "steps.1.label",
        "no {day}", "{plate}",
    ),
    "waits less than it is on time": (
        "to: differentiation}", "to: differentiation, within: 1 h, wait: 10 min}", "steps.0.wait",
        "waits 10 min", "at least as long",
    ),
    "stands for too long": (
        "to: differentiation}", "to: differentiation, pumps: hold, takes: 2 h}", "steps.0.takes",
        "120 min", "`pumps: keep`",
    ),
    "one signs twice": (
        "to: differentiation}", "to: differentiation, sign: [operator, operator]}", "steps.0.sign",
        "sign twice", "[operator, second]",
    ),
    "unknown arm": (
        "to: differentiation}", "to: differentiation, arms: [nerve-shame]}", "steps.0.arms.0",
        "no arm", "'nerve-sham'",
    ),
    "arms and wells": (
        "to: differentiation}", "to: differentiation, arms: [nerve-sham], wells: [A1]}",
        "steps.0.wells", "both", "one of them",
    ),
    "channel of no step": (
        "rounds: with-films", "rounds: after-step endpoint", "imaging.channels.tubes.rounds",
        "no step 'endpoint'", "'end-point'",
    ),
    "channel that its step does not take": (
        "rounds: with-films", "rounds: after-step end-point", "imaging.channels.tubes.rounds",
        "does not have it taken", "`then: {image: [tubes]}`",
    ),
    "result of no step": (
        "of: take", "of: taken", "results.0.of", "no step 'taken' takes samples", "'take'",
    ),
    "well that has no label": (
        "of: take", "of: well", "results.0.joins", "no label", "`joins: well`",
    ),
    "no limit of detection": (
        " lod: 5,", "", "results.0.below", "needs the limit", "`lod:`",
    ),
    "measures what is no factor": (
        "unit: pg/mL", "unit: pg/mL, measures: NT4", "results.0.measures", "no factor", "NT-4/5",
    ),
}  # fmt: skip


def load(text, folder):
    path = folder / "night.yaml"
    path.write_text(text, encoding="utf-8")
    return load_protocol(path)


def test_the_sound_one_is_sound(tmp_path):
    steps = load(DEMO + SOUND, tmp_path).model.steps
    assert [step.times_s({"end": 50400.0}) for step in steps] == [
        (18000.0,),
        (3600.0, 21600.0),
        (50400.0,),
    ]


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_placed_named_and_mended(mistake, tmp_path):
    old, new, where, what, remedy = mistake
    text = DEMO + SOUND
    assert old in text
    with pytest.raises(FileProblems) as told:
        load(text.replace(old, new, 1), tmp_path)
    problems = [p for p in told.value.problems if p.path == where]
    assert problems, [(p.path, p.what) for p in told.value.problems]
    assert what in problems[0].what + problems[0].value
    assert remedy in problems[0].remedy
    assert problems[0].line > 1
