"""The documentation builds without a warning, and its tutorial prints what it says it prints."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest

import labrig

HOUSE = Path(labrig.__file__).parents[1]
TUTORIAL = HOUSE / "docs" / "tutorial.md"
_BLOCKS = re.compile(r"^```python\n(.*?)^```\n\n^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run_blocks(text: str) -> list[tuple[str, str]]:
    """What each block of code prints, beside what the page says; one after the other."""
    names: dict[str, object] = {"__name__": "tutorial"}
    told = []
    for code, shown in _BLOCKS.findall(text):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, TUTORIAL.name, "exec"), names)
        told.append((printed.getvalue(), shown))
    return told


@pytest.mark.slow
def test_the_tutorial_prints_what_it_shows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")
    text = TUTORIAL.read_text(encoding="utf-8")
    told = run_blocks(text)
    assert len(told) == text.count("```python")
    for printed, shown in told:
        assert printed == shown
    assert (tmp_path / "a1.png").stat().st_size > 0


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path):
    line = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    done = subprocess.run(
        [*line, "--config-file", str(HOUSE / "mkdocs.yml"), "--site-dir", str(tmp_path / "site")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "site" / "tutorial.html").exists()
    assert "fusion index" in (tmp_path / "site" / "measures.html").read_text(encoding="utf-8")
