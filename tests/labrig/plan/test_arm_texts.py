"""What each arm gets, as people read it: in their units, with heat and what assays give."""

from __future__ import annotations

from labrig.catalogue import catalogue_folder
from labrig.plan.arm_texts import arm_texts
from labrig.protocol.loading import load_protocol


def test_small_molecules_and_the_block_of_a_chip(tmp_path):
    texts = arm_texts(load_protocol(catalogue_folder() / "nmj-chip.yaml").model)
    assert "nerve side: vincristine 20 nM (16.5 ng/mL)" in texts["nerve-insult"]
    block = "muscle side: d-tubocurarine 30 µL at 24.5 h"
    assert all(block in text for text in texts.values())


def test_an_arm_that_is_warmed_is_not_told_to_get_nothing(tmp_path):
    demo = (catalogue_folder() / "demo-night.yaml").read_text(encoding="utf-8")
    heat = "environment: {set: [{at: 8 h, for: 1 h, temperature: 41.5 degC, arms: [warm]}]}"
    arms = "arms:\n  warm: {}\n  cool: {}\n  vehicle-sham:"
    for old, new in (("environment: {interval: 5 min}", heat), ("arms:\n  vehicle-sham:", arms)):
        assert old in demo
        demo = demo.replace(old, new, 1)
    file = tmp_path / "p.yaml"
    file.write_text(demo, encoding="utf-8")
    texts = arm_texts(load_protocol(file).model)
    assert texts["warm"] == "41.5 °C temperature at 8 h for 1 h"
    assert texts["cool"] == "nothing is added"
