"""Whether one mistake in a file is told once: where it is, what it is, and how to mend it."""

from __future__ import annotations

import re

import pytest

from labrig.catalogue import catalogue_folder
from labrig.problems import FileProblems

DEMO = (catalogue_folder() / "demo-night.yaml").read_text(encoding="utf-8")
BENCH = (catalogue_folder() / "rigs" / "simulated-bench.yaml").read_text(encoding="utf-8")
JARGON = (
    r"Input should|Tuple|validation|<block|<scalar>|flow (mapping|sequence)|scanning|None|\bdict\b"
)


def see_it_told(load, file, text, change):
    """Make a mistake in a sound file, load it, and look at what is said.

    Args:
        load: reads such a file.
        file: where to write it.
        text: a file of the catalogue.
        change: what stands in it, what is written instead, path or ``line N``, what, remedy.
    """
    old, new, where, what, remedy = change
    assert old in text, "the catalogue has changed: mend this case"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(FileProblems) as found:
        load(file)
    problems = found.value.problems
    told = "\n".join(map(str, problems))
    line = where.removeprefix("line ") if where.startswith("line ") else ""
    met = [
        p for p in problems
        if (str(p.line) == line if line else where in p.path)
        and what in p.what and remedy in p.remedy
    ]  # fmt: skip
    assert met, told
    assert re.search(JARGON, told) is None, told
    written = file.read_text(encoding="utf-8")
    for part in (part for p in problems for part in p.path.split(".")):
        assert part in written or f"'{part}'" in told or part.isdigit(), f"{part} is of no file"
    assert len(problems) <= 3, f"one mistake is not told many times: {told}"
