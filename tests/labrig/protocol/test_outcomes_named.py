"""Outcomes as protocols write them: what each kind reads, and that they are committed."""

import pytest

from labrig.catalogue import catalogue_folder
from labrig.protocol.commitment import commit
from labrig.protocol.culture import Donor
from labrig.protocol.donors import has_level, persons
from labrig.protocol.fixed_part import fixed_part
from labrig.protocol.loading import load_protocol
from labrig.protocol.moments import moment_of, moments_of_run
from labrig.protocol.outcomes import name_of_outcome
from labrig.protocol.verification import verify

DEMO = (catalogue_folder() / "demo-night.yaml").read_text(encoding="utf-8")
OUTCOMES = """
outcomes:
  - {of: [diameter, nuclei_per_tube]}
  - {name: challenge, kind: ratio, of: diameter, baseline: {at: 2 h}}
  - {name: tails, kind: quantiles, of: diameter, at: [10, 50, 90]}
  - {name: turnover, kind: slope, of: diameter, from: treatment, to: end - 1 h}
  - {name: lasts, kind: time-to-loss, of: [contraction, diameter], loss: 10 %}
  - {name: order, kind: order, of: [rate_of_rise, contraction, diameter], loss: 10 %}
  - name: synergy
    kind: interaction
    of: diameter
    cells:
      nerve: [[vehicle-sham, vehicle-tonic], [nerve-sham, nerve-tonic]]
      impulses: [[vehicle-sham, nerve-sham], [vehicle-tonic, nerve-tonic]]
"""


def read(tmp_path, text):
    path = tmp_path / "night.yaml"
    path.write_text(text, encoding="utf-8")
    return load_protocol(path).model


def test_every_kind_reads_and_has_a_name(tmp_path):
    outcomes = read(tmp_path, DEMO + OUTCOMES).outcomes
    assert [each.kind for each in outcomes] == [
        "value", "ratio", "quantiles", "slope", "time-to-loss", "order", "interaction",
    ]  # fmt: skip
    assert [name_of_outcome(each) for each in outcomes][:2] == [
        "diameter, nuclei_per_tube",
        "challenge",
    ]


def test_outcomes_are_fixed_by_a_commitment(tmp_path):
    path = tmp_path / "night.yaml"
    path.write_text(DEMO + OUTCOMES, encoding="utf-8")
    commit(path, ["Ada Berg", "Carl Dahl"])
    assert verify(path).state == "committed"
    path.write_text((DEMO + OUTCOMES).replace("loss: 10 %", "loss: 15 %"), encoding="utf-8")
    found = verify(path)
    assert (found.state, found.changed) == ("changed", ("outcomes",))
    path.write_text(DEMO, encoding="utf-8")
    assert verify(path).state == "changed"


def test_what_is_fixed_reads_back_as_what_was_written(tmp_path):
    first = fixed_part(read(tmp_path, DEMO + OUTCOMES))["outcomes"]
    assert first[4]["loss"] == "10 percent"
    assert first[1]["baseline"] == {"at": "2 h"}


@pytest.mark.parametrize(
    ("text", "at_h"),
    [("48 h", 48), ("30 min", 0.5), ("end", 14), ("end - 2 h", 12), ("treatment + 90 min", 2.5)],
)
def test_moments_are_times_names_and_sums(tmp_path, text, at_h):
    known = moments_of_run(read(tmp_path, DEMO))
    at_s = moment_of(text).at_s(known)
    assert at_s is not None
    assert at_s / 3600 == pytest.approx(at_h)


def test_passages_of_one_donor_are_one_person(tmp_path):
    old = "  - id: demo-donor\n    age_group: unknown\n    passage: 4 "
    assert old in DEMO
    text = DEMO.replace(
        old,
        "  - {id: d1-p8, person: d1, passage: 8, wells: [A1]}\n"
        "  - id: d1-p4\n    person: d1\n    wells: [A2]\n    passage: 4 ",
    )
    assert persons(read(tmp_path, text)) == {"d1-p8": "d1", "d1-p4": "d1"}


def test_levels_of_a_donor():
    old = Donor(id="d", age=78, sex="f", passage=4, age_group="old")
    assert has_level(old, "age", "from-65")
    assert not has_level(old, "age", "under-65")
    assert has_level(old, "passage", "4")
    assert has_level(old, "sex", "f")
    assert not has_level(old, "genotype", "DQ")
    assert not has_level(Donor(id="d"), "age", "under-40")
