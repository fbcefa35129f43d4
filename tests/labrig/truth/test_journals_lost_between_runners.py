"""A journal that lost rows between two runners: the second does nothing, or all of it is true."""

from __future__ import annotations

import shutil
from collections import Counter

import pytest
from killmatrix.cases import effects_of
from killmatrix.fate import Kill
from killmatrix.matrix import in_a_folder_of_its_own
from killmatrix.small_night import small_night

NIGHT = "finished"


def _without_its_log(folder, kill):
    (folder / "journal.sqlite-wal").unlink(missing_ok=True)


def _deleted(folder, kill):
    for path in folder.glob("journal.sqlite*"):
        path.unlink()


def _emptied(folder, kill):
    _deleted(folder, kill)
    (folder / "journal.sqlite").write_bytes(b"")


class _Backup:
    """Made while no runner lived, and put back when the next one had died."""

    def __call__(self, folder, kill):
        kept = folder.with_name("backup")
        if not kept.exists():
            kept.mkdir()
            for path in folder.glob("journal.sqlite*"):
                shutil.copy(path, kept)
            return
        _deleted(folder, kill)
        for path in kept.iterdir():
            shutil.copy(path, folder)


def _came_of_it(kills, between):
    """``refused`` before any byte was sent, or ``true``, or what is not."""
    played = in_a_folder_of_its_own(small_night(NIGHT), kills, between)
    errors = [v.what for v in played.found if v.rule == "error"]
    if errors and errors[0].startswith("JournalLost"):
        acts = [effect for effect in played.effects[-1] if effect.kind in ("wire", "commit")]
        return "refused" if acts == [] else f"{len(acts)} effects after it was refused"
    return "true" if played.found == [] else str([str(v) for v in played.found])


def _numbers(after, step):
    """Effects of half a minute after each command that gives a dose."""
    effects = effects_of(NIGHT)
    begun_s = [e.at_s for e in effects if e.kind == "wire" and "RUN" in e.what]
    near = [n for n, e in enumerate(effects) if any(0 <= e.at_s - s < 30.0 for s in begun_s)]
    return near[after::step]


@pytest.mark.parametrize("lost", [_without_its_log, _deleted, _emptied])
def test_no_dose_comes_twice(lost):
    found = Counter(_came_of_it([Kill(n)], lost) for n in _numbers(7, 60))
    assert found.keys() <= {"refused", "true"}
    assert found["refused"]


def test_a_backup_that_was_put_back_is_not_gone_on_with():
    assert _came_of_it([Kill(300), Kill(200)], _Backup()) == "refused"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_dose_comes_twice_whenever_its_log_is_lost():
    found = Counter(_came_of_it([Kill(n)], _without_its_log) for n in _numbers(0, 6))
    assert found.keys() <= {"refused", "true"}
    backup = {_came_of_it([Kill(n), Kill(120)], _Backup()) for n in _numbers(0, 40)}
    assert backup <= {"refused", "true"}
