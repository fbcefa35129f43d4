"""The exported table and script lead R to the same primary test."""

from __future__ import annotations

import csv
import io
import math
import shutil
import statistics
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from labrig.export.formats import write_export
from labrig.export.primary import primary_families, primary_tables
from labrig.export.source import read_source
from labrig.run_folder import RunFolder

needs_r = pytest.mark.skipif(
    shutil.which("Rscript") is None, reason="Rscript is not installed: nothing can run the script"
)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def run_r(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["Rscript", "--vanilla", str(folder / "primary_test.R"), str(folder)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def has_mixed_models() -> bool:
    if shutil.which("Rscript") is None:
        return False
    named = "c('lme4', 'lmerTest', 'pbkrtest')"
    asked = f"quit(status = !all(sapply({named}, requireNamespace, quietly = TRUE)))"
    ended = subprocess.run(["Rscript", "-e", asked], capture_output=True, check=False)
    return ended.returncode == 0


def test_the_table_of_wells_is_what_the_test_rests_on(source_of, story):
    source = source_of(replace(story, shrink={"nerve-tonic": 0.7}))
    tables = primary_tables(source)
    wells, found = rows_of(tables["primary_wells.csv"]), rows_of(tables["primary_found.csv"])
    row = next(r for r in found if (r["readout"], r["arm"]) == ("mass", "nerve-tonic"))
    assert float(row["ratio"]) == pytest.approx(0.7, abs=0.06)
    own = [w for w in wells if w["family"] == row["family"]]
    means = {}
    for arm in (row["arm"], row["against"]):
        units: dict[str, list[float]] = {}
        for well in own:
            if well["arm"] == arm:
                units.setdefault(well["row"], []).append(float(well["log_value"]))
        means[arm] = statistics.fmean(map(statistics.fmean, units.values()))
    difference = means[row["arm"]] - means[row["against"]]
    assert math.log(float(row["ratio"])) == pytest.approx(difference, abs=1e-7)


@needs_r
def test_r_agrees_within_one_donor_and_notices_a_changed_value(source_of, story, tmp_path):
    source = source_of(replace(story, shrink={"nerve-tonic": 0.7}))
    write_export(source, "r", tmp_path)
    ended = run_r(tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    tests = len(rows_of(primary_tables(source)["primary_found.csv"]))
    assert ended.stdout.count("agrees") == tests > 0
    wells = tmp_path / "primary_wells.csv"
    lines = wells.read_text("utf-8").splitlines(keepends=True)
    cells = lines[1].split(",")
    cells[8] = str(float(cells[8]) + 0.01)
    wells.write_text("".join([lines[0], ",".join(cells), *lines[2:]]), encoding="utf-8")
    changed = run_r(tmp_path)
    assert changed.returncode == 1
    assert "DIFFERS" in changed.stdout


@needs_r
@pytest.mark.skipif(not has_mixed_models(), reason="R has no lme4, lmerTest and pbkrtest")
@pytest.mark.parametrize("channel_effect", [0.0, 0.25], ids=["component of nothing", "component"])
def test_r_agrees_over_donors_who_share_carriers(write_run, two_donors, tmp_path, channel_effect):
    """A row of the plate is a channel of the stimulator, which both donors share."""
    folder = RunFolder(tmp_path / "night")
    shutil.copytree(write_run(replace(two_donors, films_measured=False)).root, folder.root)
    path = folder.measures / "tubes.csv"
    rows = rows_of(path.read_text("utf-8"))
    for row in rows:
        if int(row["round"]) > 0:
            factor = math.exp(
                channel_effect * {"A": -1, "B": 0.4, "C": 1, "D": -0.2}[row["well"][0]]
            )
            row["diameter_mean_um"] = str(float(row["diameter_mean_um"]) * factor)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    source = read_source(folder.root)
    models = {family.model for family in primary_families(source)}
    assert "mixed" in models
    write_export(source, "r", tmp_path)
    ended = run_r(tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "DIFFERS" not in ended.stdout
    assert "agrees" in ended.stdout


@needs_r
def test_without_a_test_the_script_says_so(source_of, story, tmp_path):
    write_export(source_of(replace(story, measured=False)), "r", tmp_path)
    ended = run_r(tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "nothing to recompute" in ended.stdout
