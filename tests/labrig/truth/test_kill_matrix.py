"""A share of the kill matrix: of every sort of effect some, killed before it, and taken over.

All of it: ``PYTHONPATH=tests python -m killmatrix``. What it says of the product: docs/proofs.md.
"""

from __future__ import annotations

import sqlite3

import pytest
from killmatrix.cases import effects_of, some_cases, told
from killmatrix.fate import Kill
from killmatrix.matrix import in_a_folder_of_its_own, play
from killmatrix.small_night import END_S, NIGHTS, small_night

from labrig.record.reading import read_journal

OF_ALL = {"finished": 20, "stopped": 40, "taken back": 20, "amended": 40}


@pytest.mark.parametrize("name", NIGHTS)
def test_a_night_that_nobody_kills_is_true_and_the_same_every_time(name):
    first, second = (in_a_folder_of_its_own(small_night(name)) for _ in range(2))
    assert first.found == []
    assert first.effects == second.effects, "else a number is not the same kill twice"
    assert {effect.kind for effect in first.effects[0]} == {
        "commit", "wire", "picture", "open", "os.rename", "os.remove",
    }  # fmt: skip


def test_a_runner_that_is_killed_has_no_effect_any_more(tmp_path):
    small = small_night("finished")
    whole = in_a_folder_of_its_own(small).effects[0]
    seen: list[tuple[int, bool]] = []

    def look(folder, kill) -> None:
        rows = read_journal(folder / "journal.sqlite")
        seen.append((len(rows), (folder / "control.json").exists()))

    for before in (60, 400):
        folder = tmp_path / f"{before}"
        played = play(small, folder, [Kill(before)], look)
        assert played.effects[0] == whole[:before]
        rows, door = seen.pop()
        assert 0 < rows < len(read_journal(folder / "journal.sqlite"))
        assert door, "whoever is killed takes nothing away"
        with sqlite3.connect(folder / "journal.sqlite") as connection:
            [(adopted,)] = connection.execute("SELECT count(*) FROM journal WHERE key = 'adopted'")
        connection.close()
        assert adopted == 1


def test_a_power_cut_takes_what_instruments_knew(tmp_path):
    small = small_night("finished")
    numbers = [n for n, e in enumerate(in_a_folder_of_its_own(small).effects[0]) if e.at_s > 150.0]
    play(small, tmp_path / "run", [Kill(numbers[0], "power cut", back_after_s=30.0)])
    lines = (tmp_path / "run" / "twin" / "physical.jsonl").read_text().splitlines()
    assert [line for line in lines if '["base",' in line and line.endswith("0.0]")]
    assert float(END_S) > 150.0


def _some(nights, seed):
    return [case for name in nights for case in some_cases(name, effects_of(name), 12, seed)]


def test_a_few_kills_of_every_sort():
    untrue = [answer for case in _some(["stopped"], 3)[::4] if (answer := told(case))[1]]
    assert untrue == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_many_kills_of_every_sort():
    cases = [c for n, most in OF_ALL.items() for c in some_cases(n, effects_of(n), most, seed=2)]
    untrue = [answer for case in cases if (answer := told(case))[1]]
    assert untrue == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_whoever_takes_over_may_die_as_well():
    small, untrue = small_night("stopped"), {}
    for first in (90, 250, 420, 600, 700):
        for second in (15, 40, 90, 200):
            for how in ("kill", "power cut"):
                played = in_a_folder_of_its_own(
                    small, [Kill(first, how, 10.0), Kill(second, "kill", 10.0)]
                )
                if played.found:
                    untrue[first, second, how] = [str(v) for v in played.found]
    assert untrue == {}


def test_who_dies_while_a_step_is_given_up_leaves_all_that_is_said_of_it_or_nothing():
    small = small_night("taken back")
    effects = in_a_folder_of_its_own(small).effects[0]
    # Nobody came by 350 s: that it was missed, and what that means, is written then.
    commits = [n for n, e in enumerate(effects) if e.kind == "commit" and 349.0 < e.at_s < 351.0]
    assert len(commits) > 1
    for number in commits:
        assert in_a_folder_of_its_own(small, [Kill(number, back_after_s=90.0)]).found == []
