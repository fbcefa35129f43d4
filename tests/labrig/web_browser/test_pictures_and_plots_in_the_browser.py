"""Pictures over time and plots, used as a person uses them."""

from __future__ import annotations

import time
import urllib.request

import cv2
import numpy as np
import pytest

from labrig.frames.plate_store import PlateStore
from labrig.web.contrast import FIRST_ROUNDS, shown, spread, window_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def at(bench, album):
    return f"{bench.open_page()}/run/{album.root.name}"


def round_shown(tab, pane=0):
    return tab.locator(f".pane >> nth={pane} >> figcaption").inner_text()


def wait_for(tab, text, pane=0):
    tab.locator(f".pane >> nth={pane} >> figcaption").get_by_text(text).wait_for()


def test_the_slider_shows_the_very_plane_of_its_round(visitor, at, album):
    tab = visitor().open(f"{at}/pictures?well=B3&round=0")
    wait_for(tab, "round 1,")
    tab.keyboard.press("ArrowRight")
    wait_for(tab, "not taken")  # round 2 was missed
    tab.keyboard.press("ArrowRight")
    wait_for(tab, "round 3,")
    with urllib.request.urlopen(tab.locator(".frame").evaluate("a => a.href")) as answer:
        png = cv2.imdecode(np.frombuffer(answer.read(), np.uint8), cv2.IMREAD_UNCHANGED)

    plate = PlateStore.look(album.plate)
    wells = plate.layout.wells
    first = spread([(well, 0, r) for r in (0, 2)[:FIRST_ROUNDS] for well in sorted(wells)])
    window = window_of([plate.read(w, f, r, "phase") for w, f, r in first])
    assert np.array_equal(png, shown(plate.read("B3", 0, 2, "phase"), window))
    assert tab.locator("#marks .mark-missed").count() == 1
    assert tab.locator("#time").get_attribute("aria-valuetext").startswith("round 3,")


def test_two_wells_and_two_times_stand_side_by_side(visitor, at):
    tab = visitor().open(f"{at}/pictures?well=B3&round=0")
    wait_for(tab, "round 1,")
    tab.get_by_label("Side by side").check()
    tab.locator('.well[data-well="C4"]').click()
    wait_for(tab, "C4", 1)
    tab.locator("#time").press("ArrowRight")
    tab.locator("#time").press("ArrowRight")
    wait_for(tab, "round 3,", 0)
    wait_for(tab, "round 3,", 1)
    tab.get_by_label("Same time").uncheck()
    tab.locator("#time2").press("Home")
    wait_for(tab, "round 1,", 1)
    wait_for(tab, "round 3,", 0)
    # what is seen is in the address: it can be sent to somebody
    again = visitor().open(tab.url)
    wait_for(again, "round 3,", 0)
    wait_for(again, "C4", 1)
    wait_for(again, "round 1,", 1)


def test_overlay_own_contrast_and_play(visitor, at):
    tab = visitor().open(f"{at}/pictures?well=B3&round=0")
    wait_for(tab, "round 1,")
    tab.get_by_label("Overlay").check()
    image = tab.locator(".pane img")
    assert "overlay=1" in image.get_attribute("src")
    tab.get_by_label("Overlay").uncheck()
    tab.get_by_label("Auto contrast").check()
    wait_for(tab, "[auto]")
    tab.get_by_label("Pace").select_option("8")
    tab.get_by_role("button", name="Play").click()
    tab.get_by_role("button", name="Play").wait_for()  # it has come to the end, and stopped
    wait_for(tab, "round 3,")


def test_a_scale_bar_is_as_long_as_it_says(visitor, at, album):
    tab = visitor().open(f"{at}/pictures?well=B3&round=0")
    wait_for(tab, "round 1,")
    layout = PlateStore.look(album.plate).layout
    text = tab.locator(".bar-um").inner_text()
    bar_um = float(text.split()[0])
    widths = [tab.locator(which).bounding_box()["width"] for which in (".bar-um i", ".pane img")]
    assert widths[0] / widths[1] == pytest.approx(
        bar_um / (layout.width_px * layout.pixel_size_um), abs=0.02
    )


def test_plots_are_linked_zoomed_and_to_be_had_as_tables(visitor, at):
    tab = visitor().open(f"{at}/plots")
    tab.locator(".u-over").first.wait_for()
    plots = tab.locator(".plot")
    assert plots.count() == tab.locator(".u-over").count() >= 8
    over = tab.locator(".u-over").first
    over.hover(position={"x": 200, "y": 60})
    shown = tab.locator(".u-legend .u-series:first-child .u-value").all_inner_texts()
    assert len(shown) == plots.count()
    assert "–" not in shown  # the cursor of one is the cursor of all
    box = over.bounding_box()
    tab.mouse.move(box["x"] + 100, box["y"] + 50)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 220, box["y"] + 60)
    tab.mouse.up()
    tab.get_by_role("button", name="Whole night").wait_for()
    with tab.expect_download() as got:
        tab.locator(".csv").first.click()
    lines = got.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert 2 < len(lines) < 120
    tab.get_by_text("As a table").first.click()
    assert tab.locator("table").first.locator("tbody tr").count() >= 5


def test_times_are_the_labs_on_a_computer_elsewhere(visitor, at):
    tab = visitor(timezone_id="America/New_York").open(f"{at}/pictures?well=B3&round=0")
    wait_for(tab, "Sun 19:00")  # 18:00 UTC in Berlin, in winter
    tab.locator("details.tools summary").click()
    tab.locator("#clock-switch").click()
    wait_for(tab, "0:01 h")  # the picture was taken within the first minute, rounded up


def test_an_hour_that_comes_twice_is_told_twice(visitor, at, change_of_clocks):
    tab = visitor().open(f"{at.rpartition('/')[0]}/{change_of_clocks}/plots")
    tab.locator(".u-over").first.wait_for()
    with tab.expect_download() as got:
        tab.locator(".plot[data-key=co2-percent] .csv").click()
    rows = got.value.path().read_text(encoding="utf-8-sig").splitlines()
    clocks = [row.split(",")[1] for row in rows]
    assert sum(clock.startswith("2026-10-25 02:") for clock in clocks) == 24  # one in 5 min


def test_a_script_that_comes_late_leaves_no_tab_deaf(visitor, at):
    tab = visitor().context.new_page()
    tab.route("**/hx-ws-*", lambda route: (time.sleep(1.0), route.continue_()))
    with tab.expect_websocket():
        tab.goto(f"{at}/log")
