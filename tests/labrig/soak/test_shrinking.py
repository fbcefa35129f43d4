"""A night that fails becomes the smallest that still does, as a file that plays it again."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from labrig.commands.mounted import app
from labrig.plan.timeline import Dose
from labrig.problems import FileProblems
from labrig.soak import playing
from labrig.soak.document import night_text, read_night_file, write_night
from labrig.soak.drawing import night_of
from labrig.soak.drawn_plans import seeded_night
from labrig.soak.playing import play_here
from labrig.soak.protocol_night import ProtocolNight
from labrig.soak.shrinking import Budget, shrunk
from labrig.soak.soaking import play_seed
from labrig.truth.night import Violation

TROUBLED = 200_021
"""Has doses, a stop, a disk that becomes read-only, and 69 parts."""


def broken(night):
    """An invariant that does not hold: a dose in a night with a stop is called untrue."""
    stopped = any(visit.what.startswith("stop") for visit in night.visits)
    doses = [e for e in night.plan.timeline if isinstance(e, Dose)]
    return [Violation("broken", e.key) for e in doses if stopped]


def test_what_has_nothing_to_do_with_it_goes():
    budget = Budget(500)
    small = shrunk(seeded_night(TROUBLED), lambda night: bool(broken(night)), budget)
    kinds = sorted(sort for sort, _ in small.parts())
    assert kinds == ["entry", "instrument", "visits"]
    assert [type(entry) for entry in small.plan.timeline] == [Dose]
    assert budget.used < 120


def test_tries_are_bounded():
    budget = Budget(7)
    shrunk(seeded_night(TROUBLED), lambda night: bool(broken(night)), budget)
    assert budget.used == 7


@pytest.mark.parametrize("seed", [5, 176, 100_003, TROUBLED, 200_007])
def test_a_night_is_the_same_after_its_file(tmp_path, seed):
    night = seeded_night(seed)
    write_night(tmp_path / "night.yaml", night, ("why",))
    again = read_night_file(tmp_path / "night.yaml")
    assert night_text(again) == night_text(night)
    assert (again.plan, again.faults, again.visits) == (night.plan, night.faults, night.visits)


PROTOCOL = 300_004


def test_a_night_of_a_protocol_is_shrunk_and_played_from_its_file(tmp_path):
    night = night_of(PROTOCOL)
    assert isinstance(night, ProtocolNight)
    small = shrunk(night, lambda one: len(one.plan.wells) > 0, Budget(60))
    assert {sort for sort, _ in small.parts()} <= {"arm"}
    assert small.plan.forecast.duration_s < night.plan.forecast.duration_s
    write_night(tmp_path / "night.yaml", small)
    again = read_night_file(tmp_path / "night.yaml")
    assert again.plan == small.plan
    assert play_here(again) == []


def test_a_file_of_something_else_is_refused(tmp_path):
    (tmp_path / "x.yaml").write_text("faults: []\n")
    with pytest.raises(FileProblems, match="no night of `labrig soak`"):
        read_night_file(tmp_path / "x.yaml")
    cut = night_text(seeded_night(5)).replace("visits:", "guests:", 1)
    (tmp_path / "y.yaml").write_text(cut)
    with pytest.raises(FileProblems, match="visits"):
        read_night_file(tmp_path / "y.yaml")


def test_an_injected_bug_is_found_shrunk_kept_and_played_again(tmp_path, monkeypatch):
    true = playing.check_truth

    def forgetful(folder, faults=()):
        """As if a pump that was stopped counted as one that went on."""
        found = true(folder, faults)
        rows = (folder / "journal.sqlite").read_bytes()
        return [*found, Violation("injected", "a command stop")] if b'"stop"' in rows else found

    monkeypatch.setattr(playing, "check_truth", forgetful)
    played = play_seed(TROUBLED, tmp_path, tries=40)
    failure = played.failure
    assert failure is not None
    assert failure.left < failure.of / 2
    small = read_night_file(tmp_path / f"seed-{TROUBLED}.yaml")
    assert [v.rule for v in play_here(small)] == ["injected"]
    again = CliRunner().invoke(app, ["soak", "--replay", failure.file])
    assert again.exit_code == 1, again.output
    assert "injected: a command stop" in again.output
    monkeypatch.undo()
    again = CliRunner().invoke(app, ["soak", "--replay", failure.file])
    assert (again.exit_code, "All of it is true." in again.output) == (0, True)


def test_nights_are_counted_and_failures_told(tmp_path, monkeypatch):
    told = CliRunner().invoke(app, ["soak", "--nights", "2", "--seed", "5", "--short"])
    assert told.exit_code == 0, told.output
    assert "2 nights" in told.output
    assert "nights an hour and core" in told.output
    monkeypatch.setattr(playing, "check_truth", lambda *a: [Violation("broken", "all")])
    told = CliRunner().invoke(
        app, ["soak", "--nights", "1", "--seed", "5", "--tries", "3", "--keep", str(tmp_path)]
    )
    assert told.exit_code == 1
    assert f"--replay {tmp_path / 'seed-5.yaml'}" in told.output
