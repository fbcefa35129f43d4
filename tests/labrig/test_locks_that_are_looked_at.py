"""Locks that many look at: no look is taken for an owner, or keeps one from becoming it."""

from __future__ import annotations

import sys
from contextlib import ExitStack

import pytest

from labrig import locks
from labrig.commands import page_process
from labrig.commands.page_beside import page_entry
from labrig.launch.wanted_start import how_it_stands
from labrig.night.followed import following, is_followed
from labrig.run.lease import runner_lives, take_lease
from labrig.run_folder import RunFolder
from labrig.watch.standing_alone import alone, watch_lives


def a_run(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.root.mkdir()
    return folder


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no shared lock of this kind")
def test_two_looks_at_once_see_no_owner(tmp_path):
    path = tmp_path / "lock"
    path.touch()
    with path.open("r+") as first, path.open("r+") as second, path.open("r+") as owner:
        assert not locks.is_locked(first)
        assert not locks.is_locked(second)
        assert not locks.try_lock(owner), "a look that has not ended"
    with path.open("r+") as owner, path.open("r+") as look:
        assert locks.try_lock(owner)
        assert locks.is_locked(look)


@pytest.mark.parametrize("owner", ["runner", "follower", "watch", "page"])
def test_whoever_is_to_own_a_lock_outwaits_a_look(tmp_path, monkeypatch, owner):
    folder = a_run(tmp_path)
    look = ExitStack()

    def over(seconds: float) -> None:
        look.close()

    monkeypatch.setattr(locks.time, "sleep", over)
    path, become = {
        "runner": (folder.lock, lambda: take_lease(folder.root).release()),
        "follower": (folder.follower_lock, lambda: _in(following(folder))),
        "watch": (tmp_path / "watch.lock", lambda: _in(alone(tmp_path, "watch.lock"))),
        "page": (page_entry(tmp_path), lambda: _in(page_process._only_one(tmp_path))),
    }[owner]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    assert not locks.is_locked(look.enter_context(path.open("r+")))
    become()


def _in(block) -> None:
    with block:
        pass


def test_an_owner_is_seen(tmp_path):
    folder = a_run(tmp_path)
    assert (runner_lives(folder.root), is_followed(folder)) == (False, False)
    with following(folder), alone(tmp_path, "watch.lock"):
        lease = take_lease(folder.root)
        assert runner_lives(folder.root)
        assert is_followed(folder)
        assert watch_lives(tmp_path)
        lease.release()
    folder.start_lock.touch()
    assert how_it_stands(folder)[0] == "nobody waits"
