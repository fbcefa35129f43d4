"""A step of people on the page: it calls, it is begun, and two people sign it."""

from __future__ import annotations

import math
import os

import pytest
from browsed_bench import CATALOGUE, commands, journal, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="sends signals of POSIX"),
]
STEP = """
steps:
  - name: feed
    at: 10 min
    do: change-medium
    to: differentiation
    within: 3 h
    takes: 20 min
    pumps: hold
    sign: [operator, second]
"""


@pytest.fixture(scope="module")
def night(bench, tmp_path_factory):
    """A night in which no simulated person comes."""
    protocol = tmp_path_factory.mktemp("lab") / "night.yaml"
    text = (CATALOGUE / "demo-night.yaml").read_text(encoding="utf-8")
    protocol.write_text(text + STEP, encoding="utf-8")
    folder = bench.start(protocol, "60", [("people", "absent", 0.0, math.inf)])
    bench.address = bench.open_page()
    return folder


def press(tab, label, by="", **typed):
    card = tab.locator(".question")
    if by:
        card.get_by_label("Signed by").fill(by)
    for name, value in typed.items():
        card.get_by_label(name).fill(value)
    card.get_by_role("button", name=label).click()


def test_a_step_is_begun_signed_by_two_and_gone(visitor, bench, night):
    tab = visitor().open(f"{bench.address}/run/{night.root.name}")
    card = tab.locator(".question")
    card.get_by_text("Hands are wanted at the plate").wait_for()
    assert "Change the medium to differentiation" in card.locator("h2").inner_text()
    press(tab, "Begin", by="Anna Vos")
    card.get_by_text("It was begun").wait_for()
    until(lambda: journal(night, "kind = 'step' AND state = 'sent'"))
    assert card.get_by_role("button", name="Begin").count() == 0
    press(tab, "Done, and signed", by="Anna Vos", Note="warmed to 37 degrees")
    card.get_by_text("Anna Vos has signed it").wait_for()
    press(tab, "Done, and signed", by="A. Vos")
    tab.locator("#said").get_by_text("second person").first.wait_for()
    press(tab, "Done, and signed", by="Bo Lund")
    card.wait_for(state="detached")
    [done] = journal(night, "kind = 'step' AND state = 'confirmed'")
    assert done["by"] == ["Anna Vos", "Bo Lund"]
    assert done["note"] == "warmed to 37 degrees"
    assert [said["act"] for said in commands(night, "step")] == ["begin", "done", "done"]
    assert all(said["via"] == "page" for said in commands(night, "step"))
