import json
from datetime import UTC, datetime

import pytest

from labrig.catalogue import catalogue_folder
from labrig.problems import FileProblems
from labrig.protocol.commitment import CommitmentRefused, commit
from labrig.protocol.commitment_file import commitment_path
from labrig.protocol.verification import start_permission, verify

TEXT = (catalogue_folder() / "nerve-factor-factorial.yaml").read_text(encoding="utf-8")
WHEN = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
TWO = ("A. Jansen", "B. Okoro")


@pytest.fixture
def protocol(tmp_path):
    file = tmp_path / "night.yaml"
    file.write_text(TEXT, encoding="utf-8")
    return file


def edit(file, find, replace):
    text = file.read_text(encoding="utf-8")
    assert find in text
    file.write_text(text.replace(find, replace, 1), encoding="utf-8")


def test_an_uncommitted_protocol_may_not_start(protocol):
    permission = start_permission(protocol)
    assert not permission.allowed
    assert "labrig commit" in permission.reason
    assert "pilot: true" in permission.reason


def test_a_committed_protocol_may_start(protocol):
    made = commit(protocol, TWO, now=WHEN)
    permission = start_permission(protocol)
    assert permission.allowed
    assert not permission.pilot
    assert not permission.amended
    assert permission.commitment_path == protocol.with_name("night.commitment.json")
    entry = made.entries[0]
    assert (entry.number, entry.names, entry.utc) == (0, TWO, "2026-11-23T18:00:00+00:00")
    assert entry.fixed["definition"]["low_mass_m"] == 0.85
    assert entry.fixed["randomisation"]["seed"] == 791679


def test_a_pilot_may_start_uncommitted(protocol):
    edit(protocol, "plate: 24-well", "pilot: true\nplate: 24-well")
    permission = start_permission(protocol)
    assert permission.allowed
    assert permission.pilot
    assert permission.commitment_path is None


FIXED = [
    ("low_mass_m: 0.85", "low_mass_m: 0.9", "definition.low_mass_m"),
    ("seed: 791679", "seed: 1", "randomisation.seed"),
    ("CNTF: 10 ng/mL", "CNTF: 11 ng/mL", "arms.nerve-tonic.targets.CNTF"),
    (
        "frequency: 10 Hz            # [S]",
        "frequency: 10.05 Hz #",
        "patterns.tonic_10hz_2mean.frequency",
    ),
    ("duration: 72 h", "duration: 73 h", "phases"),
    ("imaging:\n", "imaging:\n  phase_mask: learned\n", "imaging.phase_mask"),
    ("role: positive-control\n", "role: test\n", "arms.nerve-tonic-insult.role"),
]


@pytest.mark.parametrize(("find", "replace", "path"), FIXED)
def test_what_is_fixed_may_not_change(protocol, find, replace, path):
    commit(protocol, TWO)
    edit(protocol, find, replace)
    assert verify(protocol).changed == (path,)
    permission = start_permission(protocol)
    assert not permission.allowed
    assert path in permission.reason


NOT_FIXED = [
    ('operator: ""', "operator: CD"),
    ('lot: ""', "lot: L123"),
    ("title: Nerve", "title: Our nerve"),
    ("interval: 30 min", "interval: 0.5 h"),
    ("# P3, the main", "# our main"),
]


@pytest.mark.parametrize(("find", "replace"), NOT_FIXED)
def test_records_of_the_day_and_formatting_may_change(protocol, find, replace):
    commit(protocol, TWO)
    edit(protocol, find, replace)
    assert start_permission(protocol).allowed


def test_an_amendment_is_numbered_and_makes_results_post_hoc(protocol):
    first = commit(protocol, TWO, now=WHEN)
    edit(protocol, "low_mass_m: 0.85", "low_mass_m: 0.9")
    with pytest.raises(CommitmentRefused, match=r"definition\.low_mass_m.*--amend"):
        commit(protocol, TWO)
    second = commit(protocol, TWO, "the assay window was narrower in P2")
    assert [e.number for e in second.entries] == [0, 1]
    assert second.entries[0] == first.entries[0]
    assert second.entries[1].reason == "the assay window was narrower in P2"
    permission = start_permission(protocol)
    assert permission.allowed
    assert permission.amended


@pytest.mark.parametrize("names", [[], ["A"], ["A", " a "], ["A", ""], ["A", "B", "C"]], ids=repr)
def test_two_different_people_are_needed(protocol, names):
    with pytest.raises(CommitmentRefused, match="two different people"):
        commit(protocol, names)
    assert not commitment_path(protocol).exists()


def test_nothing_is_committed_twice_or_amended_before_it_exists(protocol):
    with pytest.raises(CommitmentRefused, match="no commitment to amend"):
        commit(protocol, TWO, "a reason")
    commit(protocol, TWO)
    with pytest.raises(CommitmentRefused, match="already committed"):
        commit(protocol, TWO)


def damage(file, change):
    raw = json.loads(file.read_text(encoding="utf-8"))
    change(raw)
    file.write_text(json.dumps(raw), encoding="utf-8")


DAMAGE = {
    "a threshold": lambda raw: raw["entries"][0]["fixed"]["definition"].update(low_mass_m=0.5),
    "a name": lambda raw: raw["entries"][0].update(names=["X", "Y"]),
    "the time": lambda raw: raw["entries"][0].update(utc="2020-01-01T00:00:00+00:00"),
    "an entry left out": lambda raw: raw["entries"].pop(0),
    "no entry": lambda raw: raw["entries"].clear(),
    "a missing key": lambda raw: raw.pop("format"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_an_edited_commitment_is_noticed(protocol, what):
    commit(protocol, TWO)
    edit(protocol, "low_mass_m: 0.85", "low_mass_m: 0.9")
    commit(protocol, TWO, "a reason")
    damage(commitment_path(protocol), DAMAGE[what])
    assert verify(protocol).state == "damaged"
    permission = start_permission(protocol)
    assert not permission.allowed
    assert "Restore it" in permission.reason
    with pytest.raises(CommitmentRefused, match="Restore it"):
        commit(protocol, TWO, "another reason")


def test_half_a_file_is_noticed(protocol):
    commit(protocol, TWO)
    path = commitment_path(protocol)
    path.write_text(path.read_text(encoding="utf-8")[:100], encoding="utf-8")
    assert verify(protocol).state == "damaged"


def test_a_wrong_protocol_is_not_committed(protocol):
    edit(protocol, "plate: 24-well", "plate: 25-well")
    with pytest.raises(FileProblems):
        commit(protocol, TWO)
