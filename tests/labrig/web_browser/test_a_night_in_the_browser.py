"""A simulated night with a stalled pump, as people at several tabs live through it.

The tests of this module tell one night, in order: what one does, the next finds.
"""

from __future__ import annotations

import json
import math
import os
import signal
import time

import pytest
from browsed_bench import CATALOGUE, WITHIN_MS, commands, get, journal, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="sends signals of POSIX"),
]
STALLED = "nerve_02"
GRACE_S = 60.0


@pytest.fixture(scope="module")
def night(bench):
    """A run one of whose pumps stalls soon after its treatment began."""
    folder = bench.start(
        CATALOGUE / "demo-night.yaml", "120", [(STALLED, "stall", 3700.0, math.inf)]
    )
    bench.address = bench.open_page()
    return folder


@pytest.fixture
def here(bench, night):
    return f"{bench.address}/run/{night.root.name}"


def state(tab, word):
    tab.locator("#state-word").get_by_text(word, exact=True).wait_for()


def said(tab, text):
    tab.locator("#said").get_by_text(text).first.wait_for()


def dock(tab, name):
    return tab.locator("#dock").get_by_role("button", name=name)


def test_it_shows_the_night_and_asks_nobody_elsewhere(visitor, bench, here, night):
    one = visitor()
    tab = one.open(bench.address)  # home leads to the one night that lives
    state(tab, "Running")
    tab.wait_for_url(f"{here}*")
    token = json.loads(night.control.read_text())["token"]
    assert token not in tab.content()
    for rest in ("", "/log", "/pictures", "/plots"):
        assert token not in get(here + rest)
    assert [url for url in one.asked if not url.startswith(bench.address)] == []


def test_hold_and_go_on_by_whoever_sits_here(visitor, here, night):
    tab = visitor().open(here)
    state(tab, "Running")
    dock(tab, "Hold").click()
    said(tab, "HOLD taken")
    state(tab, "Held")
    dock(tab, "Go on").click()
    state(tab, "Running")
    (held,) = commands(night, "hold")
    assert held["by"]
    assert held["via"] == "page"


def test_a_question_answered_in_one_tab_vanishes_in_the_other(visitor, here, night):
    one, other = visitor(), visitor()
    tabs = [one.open(here), other.open(here)]
    for tab in tabs:
        tab.locator(".question").first.wait_for()
        tab.locator("#alarms").get_by_text(STALLED).first.wait_for()
    option = tabs[0].locator(".question .option").first
    assert len(option.locator("p").inner_text()) > 20  # what comes of it is said beside the button
    tabs[0].locator(".question .option button").last.click()
    for tab in tabs:
        tab.locator(".question").wait_for(state="detached")
    (answered,) = commands(night, "answer")
    assert answered["by"]


def test_a_page_that_dies_says_that_it_is_not_live_and_comes_back(visitor, bench, here, night):
    tab = visitor().open(here)
    state(tab, "Running")
    assert tab.locator("#not-live").is_hidden()
    bench.kill_page()
    tab.locator("#not-live").get_by_text("labrig stop").wait_for()
    assert bench.runners[night.root.name].poll() is None
    bench.open_page()
    tab.locator("#not-live").wait_for(state="hidden")


def test_other_origins_and_other_names_are_refused(visitor, bench, here, night):
    context = visitor().context
    stop = f"{here}/stop"
    for headers in (
        {"origin": "http://evil.example", "hx-request": "true"},
        {"hx-request": "true"},
        {"origin": bench.address},
        {"origin": bench.address, "hx-request": "true", "host": "evil.example"},
    ):
        assert context.request.post(stop, headers=headers).status == 403
    assert not commands(night, "stop")


def test_of_two_nights_the_dock_names_each_and_a_stop_is_taken_back(visitor, bench, here, night):
    other = bench.start(CATALOGUE / "demo-night.yaml", "60")
    tab = visitor().open(f"{bench.address}/")
    name = other.root.name
    # without the date, which both share
    short = name.partition("_")[2]
    dock(tab, f"STOP {short}").wait_for()
    dock(tab, f"STOP {night.root.name.partition('_')[2]}").wait_for()

    dock(tab, f"STOP {short}").click()
    said(tab, "STOP")
    dock(tab, f"Take it back {short}").click()

    until(lambda: journal(other, "kind = 'command' AND detail LIKE '%take-back%'"))
    dock(tab, f"Take it back {short}").wait_for(state="detached")
    assert bench.runners[name].poll() is None
    assert not commands(night, "stop")
    # this one is left to end, for the last test
    dock(tab, f"STOP {short}").click()
    dock(tab, f"Take it back {short}").wait_for()
    bench.stopped = (other, time.monotonic())


def test_a_stop_gets_through_eight_tabs_that_load_pictures(visitor, bench, here, night, album):
    one = visitor()
    tabs = [one.open(here) for _ in range(8)]
    for tab in tabs:
        state(tab, "Running")
        # as many at once as a browser grants, again and again
        tab.evaluate(
            """(at) => { for (let n = 0; n < 40; n++) {
                const image = new Image();
                image.src = `${at}/img/B3/0/${n % 3}/phase?w=65536&n=${n}`;
            } }""",
            f"{bench.address}/run/{album.root.name}",
        )
    dock(tabs[7], "STOP").first.click()
    said(tabs[7], "STOP")
    stops = commands(night, "stop")
    assert [stop["by"] != "" for stop in stops] == [True]
    for tab in tabs:
        state(tab, "Stopping")
    dock(tabs[0], "Take it back").first.click()
    state(tabs[7], "Running")


def test_a_dead_runner_is_told_and_its_bench_is_made_safe(visitor, bench, here, night):
    tab = visitor().open(here)
    state(tab, "Running")
    bench.runners[night.root.name].send_signal(signal.SIGKILL)
    state(tab, "Runner dead")
    tab.locator("#banners").get_by_text("dead").first.wait_for()
    dock(tab, "Make safe").click()
    until(lambda: journal(night, "kind = 'run' AND key = 'stopped'"))
    state(tab, "Stopped")


def test_a_night_that_has_ended_shows_how(visitor, here, night):
    tab = visitor().open(here)
    tab.locator("#state").get_by_text("Stopped").first.wait_for()
    assert "no runner answers" not in tab.locator("body").inner_text().lower()


def test_after_its_minute_a_stop_is_final(visitor, bench):
    other, since_s = bench.stopped
    tab = visitor().open(f"{bench.address}/run/{other.root.name}")
    runner = bench.runners[other.root.name]
    until(lambda: runner.poll() is not None, GRACE_S + WITHIN_MS / 1000)
    assert time.monotonic() - since_s >= GRACE_S - 5.0
    state(tab, "Stopped")
    assert dock(tab, "Take it back").count() == 0
    assert journal(other, "kind = 'run' AND key = 'stopped'")
