"""A run whose follower is gone: told, and followed again, until its report is there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from labrig.night import unfollowed
from labrig.night.followed import AlreadyFollowed, following, is_followed
from labrig.night.unfollowed import AGAIN_AFTER_S, NOBODY_FOR_S, FollowWatch
from labrig.run_folder import RunFolder


class Follower:
    """A follower that lives until told otherwise."""

    def __init__(self):
        self.ended = None

    def poll(self):
        return self.ended


@pytest.fixture
def folder(tmp_path):
    found = RunFolder(tmp_path / "night")
    found.report.mkdir(parents=True)
    return found


@pytest.fixture
def told(monkeypatch):
    """What the runner is told: whether somebody follows."""
    told = []
    monkeypatch.setattr(
        unfollowed, "_tell", lambda folder, *, followed: told.append((folder.root.name, followed))
    )
    return told


class Watching:
    def __init__(self, folder):
        self.said, self.followers, self.now_s = [], [], 0.0
        self.watch = FollowWatch(self.said.append, self.start)
        self.watch.watch(folder)

    def start(self, folder):
        self.followers.append(Follower())
        return self.followers[-1]

    def go_on(self, seconds):
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            self.now_s += 0.5
            self.watch.tick(self.now_s)


def test_a_run_is_followed_by_one_process_at_a_time_and_by_none_once_it_is_dead(folder):
    assert not is_followed(folder)
    with following(folder):
        assert is_followed(folder)
        with pytest.raises(AlreadyFollowed, match=str(os.getpid())), following(folder):
            pass
    assert not is_followed(folder)
    code = (
        "import sys,time;from pathlib import Path;from labrig.run_folder import RunFolder;"
        "from labrig.night.followed import following\n"
        f"with following(RunFolder(Path({str(folder.root)!r}))):\n print('on',flush=True)\n"
        " time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert other.stdout.readline() == b"on\n"
        assert is_followed(folder)
    finally:
        other.send_signal(signal.SIGKILL)
        other.wait()
        other.stdout.close()
    assert not is_followed(folder)


def test_a_run_that_nobody_follows_is_told_of_once_and_followed(folder, told):
    watching = Watching(folder)
    watching.go_on(NOBODY_FOR_S - 1.0)
    assert told == []
    watching.go_on(2.0)
    assert told == [("night", False)]
    assert len(watching.followers) == 1
    assert len(watching.said) == 1
    assert "nobody follows night" in watching.said[0]
    with following(folder):
        watching.go_on(100.0)
        assert told == [("night", False), ("night", True)]
    assert len(watching.followers) == 1


def test_a_run_that_is_followed_is_left_alone(folder, told):
    watching = Watching(folder)
    with following(folder):
        watching.go_on(1000.0)
    assert (watching.said, watching.followers, told) == ([], [], [])


def test_a_follower_that_dies_is_started_again_with_patience(folder, told):
    watching = Watching(folder)
    watching.go_on(NOBODY_FOR_S + 1.0)
    for wait_s in (*AGAIN_AFTER_S, AGAIN_AFTER_S[-1]):
        number = len(watching.followers)
        watching.followers[-1].ended = 1
        watching.go_on(wait_s - 0.5)
        assert len(watching.followers) == number
        watching.go_on(2.0)
        assert len(watching.followers) == number + 1


def test_a_run_that_ended_without_a_report_is_followed_to_its_report(folder, told):
    (folder.report / "report.html").write_text("of an earlier follower")
    time.sleep(0.02)
    folder.outcome.write_text("{}")
    watching = Watching(folder)
    watching.go_on(NOBODY_FOR_S + 1.0)
    assert len(watching.followers) == 1
    time.sleep(0.02)
    (folder.report / "report.html").write_text("of this one")
    watching.followers[0].ended = 0
    watching.go_on(1000.0)
    assert len(watching.followers) == 1


def test_a_run_that_failed_half_way_is_watched_on(folder, told):
    """Its report was written, but the keeper brings its runner back."""
    folder.outcome.write_text('{"condition": "failed", "over": false}')
    (folder.report / "report.html").write_text("too soon")
    watching = Watching(folder)
    with following(folder):
        watching.go_on(100.0)
    folder.outcome.unlink()
    watching.go_on(NOBODY_FOR_S + 1.0)
    assert len(watching.followers) == 1


def test_a_report_that_cannot_be_made_is_told_of_and_not_tried_for_ever(folder, told):
    folder.outcome.write_text("{}")
    watching = Watching(folder)
    for _ in range(50):
        watching.go_on(100.0)
        if watching.followers:
            watching.followers[-1].ended = 1
    assert len(watching.followers) == unfollowed.REPORT_TRIES
    assert "labrig follow" in watching.said[-1]
