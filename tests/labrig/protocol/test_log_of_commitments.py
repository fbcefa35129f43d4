"""Deleting a commitment and making another leaves a trace; one person does not sign twice."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from labrig.catalogue import catalogue_folder
from labrig.protocol import commitment_file as room
from labrig.protocol.commitment import CommitmentRefused, commit
from labrig.protocol.commitment_file import commitment_path
from labrig.protocol.lab_log import LAB_LOG, read_lab_log
from labrig.protocol.people import same_person
from labrig.protocol.verification import start_permission, verify

TEXT = (catalogue_folder() / "nerve-factor-factorial.yaml").read_text(encoding="utf-8")
WHEN = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
TWO = ("A. Jansen", "B. Okoro")


@pytest.fixture
def night(tmp_path):
    file = tmp_path / "night.yaml"
    file.write_text(TEXT, encoding="utf-8")
    return file


def new_seed(night, seed):
    text = night.read_text("utf-8")
    night.write_text(re.sub(r"seed: \d+", f"seed: {seed}", text, count=1), "utf-8")


def test_c9_numbers_go_on_after_a_deletion_and_the_start_says_so(night):
    commit(night, TWO, now=WHEN)
    commitment_path(night).unlink()
    new_seed(night, 7)
    second = commit(night, TWO, now=WHEN)
    assert [entry.number for entry in second.entries] == [1]
    lines = read_lab_log(night.with_name(LAB_LOG))
    assert [(line.number, line.entry) for line in lines] == [(0, 0), (1, 1)]
    permission = start_permission(night)
    assert permission.allowed
    assert "also committed as number 0" in permission.reason


@pytest.mark.parametrize("renamed", ["file", "protocol"])
def test_another_name_of_file_or_protocol_hides_no_trace(night, renamed):
    commit(night, TWO, now=WHEN)
    commitment_path(night).unlink()
    text = night.read_text("utf-8")
    if renamed == "file":
        night.unlink()
        night = night.with_name("other.yaml")
    else:
        text = text.replace("name: nerve-factor-factorial", "name: another", 1)
    night.write_text(text, "utf-8")
    assert commit(night, TWO, now=WHEN).entries[0].number == 1
    assert start_permission(night).reason


FORGED = {
    "a line less": lambda lines: lines[1:],
    "another number": lambda lines: [lines[0].replace('"number": 0', '"number": 1'), *lines[1:]],
    "another name": lambda lines: [lines[0].replace("Jansen", "Jensen"), *lines[1:]],
    "another order": lambda lines: lines[::-1],
    "half a line": lambda lines: [*lines[:-1], lines[-1][:40]],
    "no line of it": lambda lines: [*lines, "[]"],
}


@pytest.mark.parametrize("how", FORGED)
def test_a_forged_log_is_told_at_the_start_and_at_the_next_commitment(night, how):
    commit(night, TWO, now=WHEN)
    commitment_path(night).unlink()
    new_seed(night, 7)
    commit(night, TWO, now=WHEN)
    log = night.with_name(LAB_LOG)
    lines = FORGED[how](log.read_text("utf-8").splitlines())
    log.write_text("\n".join(lines) + "\n", "utf-8")
    assert verify(night).state == "damaged"
    assert "Restore" in start_permission(night).reason
    commitment_path(night).unlink()
    with pytest.raises(CommitmentRefused, match=LAB_LOG):
        commit(night, TWO, now=WHEN)


def test_a_log_that_is_gone_is_told(night):
    commit(night, TWO, now=WHEN)
    night.with_name(LAB_LOG).unlink()
    assert f"is not in {LAB_LOG}" in start_permission(night).reason


def test_a_log_whose_every_hash_was_forged_no_longer_holds_the_commitment(night, tmp_path):
    commit(night, TWO, now=WHEN)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / night.name).write_text(TEXT, "utf-8")
    commit(elsewhere / night.name, ("C. Doe", "D. Roe"), now=WHEN)
    night.with_name(LAB_LOG).write_bytes((elsewhere / LAB_LOG).read_bytes())
    assert f"is not in {LAB_LOG}" in start_permission(night).reason


def test_a_commitment_made_before_there_was_a_log_stands(night):
    commit(night, TWO, now=WHEN)
    path = commitment_path(night)
    made = room.read_commitment(path)
    old = replace(made.entries[0], log="")
    old = replace(old, chain=room.chain_of(old, ""))
    room.write_commitment(path, room.Commitment(made.protocol, (old,)))
    raw = json.loads(path.read_text("utf-8"))
    del raw["entries"][0]["log"]
    path.write_text(json.dumps(raw), "utf-8")
    night.with_name(LAB_LOG).unlink()
    assert (verify(night).state, verify(night).remark) == ("committed", "")


ONE = [
    ("A. Jansen", "Anna Jansen"),
    ("A. Jansen", "Jansen, A."),
    ("A Jansen", "a.jansen"),
    ("Dr. Anna Jansen", "anna  JANSEN"),
    ("Müller, J.", "J. Mueller"),
    ("J Muller", "J. Müller"),
    ("Anna Janssen", "Anna Jansen"),
    ("ajansen", "Anna Jansen"),
    ("AB Jansen", "Anna B. Jansen"),
    ("Anna Jansen", "Jansen"),
    ("O'Koro", "Okoro"),
    ("a.jansen@lab.nl", "A. Jansen"),
    ("A. Jansen", "\u0410. Jansen"),  # a Cyrillic A
    ("A. Jansen", "A. Jan\u200bsen"),
    ("Søren Ågård", "Soren Agard"),
    ("AnnaJansen", "Anna Jansen"),
]


@pytest.mark.parametrize(("one", "other"), ONE)
def test_c11_two_spellings_of_one_person_are_refused(night, one, other):
    assert same_person(one, other)
    assert same_person(other, one)
    with pytest.raises(CommitmentRefused, match="one person"):
        commit(night, (one, other))
    assert not night.with_name(LAB_LOG).exists()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        TWO,
        ("A. Jansen", "B. Jansen"),
        ("Anna Jansen", "Arne Jansen"),
        ("A. Jansen", "A. Okoro"),
        ("Li Wei", "Li Na"),
        ("李伟", "王芳"),
        ("A", "B"),
    ],
)
def test_two_people_are_two(one, other):
    assert not same_person(one, other)
    assert not same_person(other, one)
