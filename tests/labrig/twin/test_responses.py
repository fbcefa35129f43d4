"""Responses are read strictly: each mistake in a laboratory's file with where, what and how."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from labrig.twin.responses import BadResponses, amounts, factors, read_responses

FINE = """version = 2
[factors.curcumin]
aliases = ["diferuloylmethane"]
molar_mass = "368 g/mol"      # [K]
ec50 = "5 uM"                 # [P]
after_fusion = { log_diameter = 0.04 } # [P]
"""


def test_examples_in_words():
    assert doctest.testmod(amounts).failed == doctest.testmod(factors).failed == 0


def test_a_laboratory_adds_a_factor_and_replaces_one():
    own = read_responses(FINE)
    assert own.known_as("Diferuloylmethane") == "curcumin"
    assert own.factors["curcumin"].ec50_ng_ml == pytest.approx(5e-6 * 368 * 1e6)
    assert read_responses().known_as("curcumin") is None
    other = read_responses(
        'version = 2\n[factors."TNF-alpha"]\nreplaces = true\nno_effect = "a batch that is dead"\n'
    )
    assert other.factors["TNF-alpha"].no_effect
    assert other.known_as("TNF-a") is None, "the aliases went with what was replaced"


# (what stands there in place of FINE's third line on, line, key, words of what and of remedy)
MISTAKES = {
    "no mark": ('ec50 = "5 ng/mL"', 3, "", "without a mark", "[P]"),
    "unit unknown": ('ec50 = "5 IU/mL" # [P]', 3, "factors.x.ec50", "unit", "ng/mL"),
    "molar without mass": ('ec50 = "5 uM" # [P]', 3, "factors.x.ec50", "molar", "molar_mass"),
    "bare number": ("ec50 = 5.0 # [P]", 3, "factors.x.ec50", "no unit", "quotes"),
    "misspelt key": ('ec_50 = "5 ng/mL" # [P]', 3, "factors.x.ec_50", "no key", "'ec50'"),
    "no concentration": (
        "after_fusion = { log_diameter = 1.0 } # [P]",
        2,
        "factors.x.ec50",
        "missing",
        "half an effect",
    ),
    "misspelt effect": (
        "after_fusion = { diameter = 1.0 } # [P]",
        3,
        "factors.x.after_fusion.diameter",
        "no effect",
        "'log_diameter'",
    ),
    "a share above 1": ("protects = 80 # [P]", 3, "factors.x.protects", "no share", "0 to 1"),
    "a blocker of nothing": (
        'blocks = { TrkX = "3 ng/mL" } # [P]',
        3,
        "factors.x.blocks",
        "no factor or pathway",
        "'TrkB'",
    ),
    "silent": ("", 2, "factors.x", "does nothing", "no_effect"),
    "taken name": (
        'aliases = ["rhTNF"]\naliases2 = 1',
        4,
        "factors.x.aliases2",
        "no key",
        "'aliases'",
    ),
    "clash": ('aliases = ["TNF"]\nno_effect = "x"', 2, "factors.x", "TNF-alpha", "replaces = true"),
    "origin": ('origin = "muscel"', 3, "factors.x.origin", "no origin", "'muscle'"),
    "dose without hours": ('kills = "4 ng/mL" # [P]', 3, "factors.x.kills", "no dose", "hours"),
    "not TOML": ("ec50 =", 3, "", "no TOML", "Mend"),
    "section of labrig": ('no_effect = "x"\n[fusion]\n', 4, "fusion", "no table of f", "move"),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_where_what_and_how(mistake):
    lines, line, key, what, remedy = mistake
    with pytest.raises(BadResponses) as caught:
        read_responses(f"version = 2\n[factors.x]\n{lines}\n", "mine.toml")
    assert caught.value.file == "mine.toml"
    said = [s for s in caught.value.slips if what in s.what]
    assert [(s.line, s.key if key else "") for s in said] == [(line, key)], caught.value.slips
    assert remedy in said[0].remedy


def test_version_1_is_refused():
    with pytest.raises(BadResponses, match="version = 2"):
        read_responses('[factors.x]\nno_effect = "y"\n')


def test_every_factor_answers_or_says_why_not():
    for factor in read_responses().factors.values():
        assert factor.no_effect or factor.after != type(factor.after)() or any(
            (factor.before != type(factor.before)(), factor.lasting, factor.kills_per_ng_ml_h,
             factor.protects, factor.blocks, factor.supplies, factor.blunts,
             factor.ends_resistance_h)
        ), factor.name  # fmt: skip


def test_the_page_lists_every_number_as_it_is_shipped():
    page = (Path(__file__).parents[3] / "docs" / "simulated-culture.md").read_text("utf-8")
    for section, values in read_responses().numbers.items():
        table = page.partition(f"**{section}**")[2].partition("**")[0]
        listed = dict(re.findall(r"\| `(\w+)` \| ([-0-9.e]+) \|", table))
        assert {n: float(v) for n, v in listed.items()} == dict(values), section


def test_the_pages_example_of_a_laboratorys_file_can_be_read():
    page = (Path(__file__).parents[3] / "docs" / "simulated-culture.md").read_text("utf-8")
    own = page.partition("```toml\n")[2].partition("```")[0]
    assert read_responses(own).known_as("diferuloylmethane") == "curcumin"
