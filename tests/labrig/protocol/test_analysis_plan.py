"""The analysis plan of a protocol: what stands where nothing is said, and what cannot stand."""

import pytest

from labrig.catalogue import catalogue_folder
from labrig.problems import FileProblems
from labrig.protocol.analysis_plan import plan_in_force
from labrig.protocol.commitment import commit
from labrig.protocol.fixed_part import fixed_part
from labrig.protocol.loading import load_protocol
from labrig.protocol.verification import verify

FACTORIAL = (catalogue_folder() / "nerve-factor-factorial.yaml").read_text(encoding="utf-8")
BARE, _, BLOCK = FACTORIAL.partition("\nanalysis:\n")


def read(tmp_path, text):
    path = tmp_path / "night.yaml"
    path.write_text(text, encoding="utf-8")
    return load_protocol(path).model


def test_without_a_block_contrasts_follow_from_roles_and_gates_come_first(tmp_path):
    protocol = read(tmp_path, BARE)
    assert protocol.analysis is None
    plan = plan_in_force(protocol)
    arms = [c.arm for c in plan.contrasts]
    assert arms[0] == "nerve-tonic-insult"
    assert plan.contrasts[0].must_show == ("mass",)
    assert not any(c.must_show for c in plan.contrasts[1:])
    assert {c.against for c in plan.contrasts} == {"nerve-tonic"}
    assert arms[1:] == [a for a in protocol.arms if a not in ("nerve-tonic", "nerve-tonic-insult")]
    assert plan.primary == ("mass", "strength")
    assert (plan.error_rate, plan.equivalence_margin, plan.at_h) == (0.05, 1.10, None)


def test_a_block_says_less_and_means_the_same(tmp_path):
    said = plan_in_force(read(tmp_path, BARE + "\nanalysis: {correction: dunnett}\n"))
    assert said == plan_in_force(read(tmp_path, BARE))


def test_strength_is_primary_only_where_films_can_tell_it(tmp_path):
    other = BARE.replace("    stimulus: twitch_2hz        # [P] every well, shams too\n", "")
    assert other != BARE
    assert plan_in_force(read(tmp_path, other)).primary == ("mass",)


def test_a_definition_that_reaches_into_the_margin_narrows_the_default_one(tmp_path):
    text = BARE.replace("low_mass_m: 0.85", "low_mass_m: 0.95")
    assert 1 / plan_in_force(read(tmp_path, text)).equivalence_margin == pytest.approx(0.95**0.5)


def test_one_arm_has_no_contrast(tmp_path):
    text = (catalogue_folder() / "overnight-imaging.yaml").read_text(encoding="utf-8")
    assert plan_in_force(read(tmp_path, text)).contrasts == ()


# what to find in the block, what to put there, path, words of the problem, of the remedy
MISTAKES = {
    "arm": ("{arm: vehicle-sham}", "{arm: vehicle-sam}", "contrasts.1.arm", "no arm", "mean"),
    "against": (
        "{arm: vehicle-sham}", "{arm: vehicle-sham, against: x}", "contrasts.1.against", "no arm",
        "There is",
    ),
    "itself": (
        "{arm: vehicle-sham}", "{arm: nerve-tonic}", "contrasts.1", "with itself", "different",
    ),
    "twice": ("{arm: vehicle-sham}", "{arm: nerve-sham}", "contrasts.3", "twice", "Leave one"),
    "gate": (
        "primary: [mass, strength]", "primary: [strength]", "contrasts.0.must_show",
        "mass is not a primary read-out", "Add it",
    ),
    "late gate": (
        "{arm: nerve-sham}", "{arm: nerve-sham, must_show: [mass]}", "contrasts.3",
        "stands behind", "first",
    ),
    "same read-out": ("[mass, strength]", "[mass, mass]", "primary", "twice", "once"),
    "time": ("at: 72 h", "at: 73 h", "at", "after the end", "reaches"),
    "bare time": ("at: 72 h", "at: 72", "at", "no unit", "h"),
    "margin": ("margin: 1.10", "margin: 1.20", "equivalence_margin", "0.833", "below 1.18"),
    "looks": ("{planned: 6}", "{planned: 6, looks: [3, 6]}", "donors.looks", "3, 6", "below"),
    "well": (
        "claim: shown", "exclusions: [{well: H9, reason: scratched}]", "exclusions.0.well",
        "no well", "A1 to D6",
    ),
    "no reason": ("claim: shown", "exclusions: [{well: A1}]", "exclusions.0.reason", "missing", ""),
    "key": ("claim: shown", "clam: shown", "clam", "not a key", "claim"),
    "word": ("claim: shown", "claim: seen", "claim", "seen", "shown"),
}  # fmt: skip


@pytest.mark.parametrize("case", MISTAKES)
def test_a_plan_that_cannot_stand_is_told_where_and_how_to_mend_it(tmp_path, case):
    old, new, path, what, remedy = MISTAKES[case]
    assert old in BLOCK
    with pytest.raises(FileProblems) as caught:
        read(tmp_path, f"{BARE}\nanalysis:\n{BLOCK.replace(old, new, 1)}")
    found = {problem.path: problem for problem in caught.value.problems}
    problem = found[f"analysis.{path}"]
    assert what in problem.what
    assert remedy in problem.remedy


def test_strength_without_films_cannot_be_primary(tmp_path):
    start = BARE.index("  films:")
    bare = BARE[:start] + BARE[BARE.index("\nenvironment:") + 1 :]
    with pytest.raises(FileProblems, match="takes no films"):
        read(tmp_path, f"{bare}\nanalysis: {{primary: [mass, strength]}}\n")
    assert plan_in_force(read(tmp_path, bare)).primary == ("mass",)


def test_the_plan_is_committed(tmp_path):
    path = tmp_path / "night.yaml"
    path.write_text(FACTORIAL, encoding="utf-8")
    commit(path, ("A. Jansen", "B. Okoro"))
    assert fixed_part(load_protocol(path).model)["analysis"]["error_rate"] == 0.05
    path.write_text(FACTORIAL.replace("margin: 1.10", "margin: 1.12"), encoding="utf-8")
    assert verify(path).changed == ("analysis.equivalence_margin",)
    path.write_text(BARE, encoding="utf-8")
    assert verify(path).state == "changed"
