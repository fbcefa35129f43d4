"""``labrig film`` on video files of a synthetic culture whose movement is known."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import drawn_calcium as draw
import numpy as np
import pandas as pd
import pytest
import tifffile
import typer
from typer.testing import CliRunner

from labrig.commands.film import film
from labrig_analysis.synthetic.culture import CultureState
from labrig_analysis.synthetic.film import Film, render_film
from labrig_analysis.synthetic.scene import make_scene

PIXEL_UM = 1.3
PULSES = [0.2, 0.9]


@pytest.fixture(scope="module")
def twitching() -> Film:
    scene = make_scene(4, "C2", 0, height_um=290, width_um=290)
    return render_film(
        scene,
        CultureState(contraction_um=3.0),
        (224, 224),
        PIXEL_UM,
        pulses_s=PULSES,
        frame_rate_hz=50,
        n_frames=70,
        rng_seed=1,
    )


def run(*arguments):
    app = typer.Typer()
    app.command()(film)
    return CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "160"})


def saved(frames: np.ndarray, path: Path) -> Path:
    if path.suffix == ".tif":
        tifffile.imwrite(path, frames, photometric="minisblack")
        return path
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 50, (224, 224))
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR))
    writer.release()
    return path


@pytest.mark.parametrize("suffix", [".avi", ".tif"])
def test_a_film_file_gives_tables_and_a_trace(suffix, twitching, tmp_path):
    path = saved(twitching.frames, tmp_path / f"twitch{suffix}")
    mask = tmp_path / "mask.png"
    cv2.imwrite(str(mask), twitching.truth.tube_mask.astype(np.uint8) * 255)
    out = tmp_path / "out"
    rate = ["--frame-rate-hz", "50"] if suffix == ".tif" else []
    given = ["--pixel-size-um", PIXEL_UM, "--pulses", "0.2,0.9", "--mask", mask, "--out", out]
    result = run(path, *given, *rate, "--json")
    assert result.exit_code == 0, result.output
    summary = json.loads(result.output)
    # JPEG compression of the AVI costs some accuracy.
    assert summary["amplitude_um"] == pytest.approx(3.0, rel=0.06)
    assert summary["capture_fraction"] == 1.0
    assert summary["flags"] == ""
    assert len(pd.read_csv(out / "twitch_trace.csv")) == 70
    assert pd.read_csv(out / "twitch_pulses.csv")["pulse_s"].tolist() == PULSES
    assert cv2.imread(str(out / "twitch_trace.png")) is not None
    assert {p.name for p in out.iterdir()} >= {"twitch_summary.csv", "twitch_trains.csv"}


def test_without_pulses_beats_are_found_and_shown_in_words(twitching, tmp_path):
    path = saved(twitching.frames, tmp_path / "beats.avi")
    result = run(path, "--pixel-size-um", PIXEL_UM, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert "optical contraction" in result.output
    assert len(pd.read_csv(tmp_path / "beats_pulses.csv")) == 2


def test_pulse_times_may_stand_in_a_file(twitching, tmp_path):
    path = saved(twitching.frames, tmp_path / "twitch.avi")
    times = tmp_path / "pulses.txt"
    times.write_text("0.2\n0.9\n", encoding="utf-8")
    result = run(path, "--pixel-size-um", PIXEL_UM, "--pulses", times, "--out", tmp_path, "--json")
    assert json.loads(result.output)["pulses"] == 2


def test_a_truncated_video_is_measured_and_flagged(twitching, tmp_path):
    path = saved(twitching.frames, tmp_path / "cut.avi")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    result = run(path, "--pixel-size-um", PIXEL_UM, "--out", tmp_path, "--json")
    assert result.exit_code == 0, result.output
    assert "the file promises 70 frames" in json.loads(result.output)["flags"]


def refused_files(folder: Path) -> dict[str, Path]:
    junk, text, one = folder / "junk.avi", folder / "junk.tif", folder / "one.tif"
    junk.write_bytes(b"RIFF this is no video")
    text.write_text("no tiff", encoding="utf-8")
    tifffile.imwrite(one, np.zeros((20, 20), np.uint8))
    return {"absent": folder / "none.avi", "junk": junk, "text": text, "one": one}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("absent", "is not there"),
        ("junk", "cannot be read as a video"),
        ("text", "cannot be read as TIFF"),
        ("one", "give a stack of frames"),
    ],
)
def test_what_is_no_film_is_refused_with_the_reason(name, says, tmp_path):
    path = refused_files(tmp_path)[name]
    result = run(path, "--pixel-size-um", 1, "--frame-rate-hz", 50, "--out", tmp_path)
    assert result.exit_code == 1
    assert says in result.output


def test_missing_rate_calibration_and_wrong_pulses_are_refused(twitching, tmp_path):
    path = saved(twitching.frames[:10], tmp_path / "short.tif")
    no_rate = run(path, "--pixel-size-um", 1, "--out", tmp_path)
    assert "--frame-rate-hz" in no_rate.output
    no_size = run(path, "--frame-rate-hz", 50, "--pixel-size-um", 0, "--out", tmp_path)
    assert "calibrated size of a pixel" in no_size.output
    word = run(
        path, *f"--frame-rate-hz 50 --pixel-size-um 1 --pulses 0.2,x --out {tmp_path}".split()
    )
    assert "'x' is no time" in word.output
    assert [r.exit_code for r in (no_rate, no_size, word)] == [1, 1, 1]


@pytest.mark.parametrize("rate", ["0", "-5", "nan", "inf"])
def test_a_frame_rate_without_a_meaning_is_refused(twitching, tmp_path, rate):
    """Also where the video states one: what was given was meant."""
    path = saved(twitching.frames[:10], tmp_path / "short.avi")
    found = run(path, "--pixel-size-um", 1, "--frame-rate-hz", rate, "--out", tmp_path)
    assert found.exit_code == 1
    assert "give the frames per second, a number above 0" in found.output


def test_a_film_of_one_frame_is_a_picture(twitching, tmp_path):
    path = saved(twitching.frames[:1], tmp_path / "one.avi")
    found = run(path, "--pixel-size-um", 1, "--frame-rate-hz", 50, "--out", tmp_path)
    assert found.exit_code == 1
    assert "one frame, a picture" in found.output


def test_pulses_after_the_film_are_told_with_their_number(twitching, tmp_path):
    path = saved(twitching.frames[:50], tmp_path / "short.avi")
    at = f"--frame-rate-hz 50 --pixel-size-um 1 --out {tmp_path}".split()
    beyond = run(path, *at, "--pulses", "1000,2000")
    assert "2 of 2 pulses come after the last frame, at 0.98 s: times are seconds" in beyond.output
    partly = run(path, *at, "--pulses", "0.5,2")
    assert "1 of 2 pulses come after the last frame, at 0.98 s\n" in partly.output


@pytest.mark.parametrize(
    ("pulses", "says"),
    [
        ("nan,0.2", "'nan' is no time"),
        ("inf", "'inf' is no time"),
        (",", "holds no time"),
        ("", "holds no time"),
    ],
)
def test_pulses_without_a_time_are_refused(twitching, tmp_path, pulses, says):
    """They would be taken for none, and beats looked for in their place."""
    path = saved(twitching.frames[:10], tmp_path / "short.avi")
    found = run(path, "--pixel-size-um", 1, "--pulses", pulses, "--out", tmp_path)
    assert found.exit_code == 1
    assert says in found.output


def test_a_file_of_pulses_without_a_time_is_refused_by_its_name(twitching, tmp_path):
    path = saved(twitching.frames[:10], tmp_path / "short.avi")
    times = tmp_path / "pulses.txt"
    times.write_text("\n", encoding="utf-8")
    found = run(path, "--pixel-size-um", 1, "--pulses", times, "--out", tmp_path)
    assert found.exit_code == 1
    assert "pulses.txt holds no time" in found.output


def test_a_folder_of_frames_is_a_film(twitching, tmp_path):
    home = tmp_path / "twitch"
    home.mkdir()
    for number, frame in enumerate(twitching.frames):
        cv2.imwrite(str(home / f"{number}.png"), frame)
    given = ["--pixel-size-um", PIXEL_UM, "--pulses", "0.2,0.9", "--out", tmp_path]
    result = run(home, *given, "--frame-rate-hz", 50, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["followed"] == 2


@pytest.fixture
def chip(tmp_path):
    """A calcium film whose second region answers 40 ms late, and misses the third beat."""
    events = [1.0, 2.5, 4.0, 5.5]
    film_ = draw.drawn(events, seconds=8.0, delay_s=0.04, silent=(2,))
    tifffile.imwrite(tmp_path / "chip.tif", film_, photometric="minisblack")
    for name, region in (("n", draw.FIRST), ("m", draw.SECOND), ("dark", draw.NOWHERE)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), region.astype(np.uint8) * 255)
    return tmp_path


def calcium(chip, *more):
    return run(
        chip / "chip.tif", "--signal", "calcium", "--frame-rate-hz", 100, "--out", chip / "out",
        "--background", chip / "dark.png", *more,
    )  # fmt: skip


def test_calcium_of_two_regions_is_measured_with_their_delay(chip):
    sides = [f"--region=nerve={chip}/n.png", f"--region=muscle={chip}/m.png"]
    result = calcium(chip, *sides, "--json")
    assert result.exit_code == 0, result.output
    said = json.loads(result.output)
    assert said["nerve"]["amplitude_dff"] == pytest.approx(0.5, rel=0.08)
    assert said["delay"]["delay_ms"] == pytest.approx(40, abs=4)
    assert (said["delay"]["responses"], said["delay"]["answered"]) == (4, 3)
    delays = pd.read_csv(chip / "out" / "chip_delays.csv")
    assert delays["answered"].tolist() == [True, True, False, True]
    assert cv2.imread(str(chip / "out" / "chip_muscle_trace.png")) is not None
    shown = calcium(chip, *sides)
    assert "delay:" in shown.output


def test_calcium_of_one_mask_needs_no_pixel_size(chip):
    result = calcium(chip, "--mask", chip / "n.png")
    assert "amplitude_dff" in result.output
    assert (chip / "out" / "chip_summary.csv").exists()


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--region", "nerve"], "write NAME=IMAGE"),
        (["--region", "nerve={}/n.png"], "give two of two names"),
        (["--region", "a={}/n.png", "--region", "a={}/m.png"], "give two of two names"),
        (["--region", "a={}/n.png", "--region", "b={}/m.png", "--mask", "{}/n.png"], "two ways"),
        (["--region", "a={}/n.png", "--region", "b={}/none.png"], "cannot be read"),
    ],
)
def test_regions_that_make_no_sense_are_refused(chip, more, says):
    result = calcium(chip, *(text.format(chip) for text in more))
    assert result.exit_code == 1
    assert says in result.output.replace("\n", " ")


def test_a_background_is_for_calcium_only(chip):
    result = run(
        chip / "chip.tif", "--frame-rate-hz", 100, "--pixel-size-um", 1, "--out", chip,
        "--background", chip / "dark.png",
    )  # fmt: skip
    assert "motion needs none" in result.output
