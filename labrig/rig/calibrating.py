"""A pump calibrated by weighing: what three rates gave, in words, and as an entry of the rig file.

The volume is that of water at room temperature, whose density is 0.998 g/mL at 20 °C [S] (CRC
Handbook of Chemistry and Physics).
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from labrig.durable import write_text_whole
from labrig.problems import FileProblems
from labrig.rig.loading import load_rig
from labrig.rig.models import Calibration

DENSITY_G_ML = 0.998
ENOUGH = 3
"""[K] Rates that a calibration is made at: slow, usual, fast."""
_EMPTY = re.compile(r"calibrations:\s*\[\s*\](\s*#.*)?")
_HEAD = r"calibrations:\1"
LEAST_G = 0.05
"""[P] A balance that reads to 1 mg then errs by 2 % at most."""


class BadCalibration(ValueError):
    """Weights from which nothing can be said, or an entry that cannot be written."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a pump gave at one rate; ``grams`` with the empty vial taken off."""

    rate_ul_min: float
    minutes: float
    grams: float

    @property
    def share(self) -> float:
        """Delivered over set."""
        return self.grams / DENSITY_G_ML * 1000.0 / (self.rate_ul_min * self.minutes)


@dataclass(frozen=True, slots=True)
class Found:
    """What came of it.

    Attributes:
        share: of what was set, delivered on average over the rates.
        worst: of all rates, the share furthest from that.
    """

    share: float
    worst: float

    @property
    def words(self) -> str:
        """As it stands in the rig file."""
        return f"delivers {self.share:.1%} of what is set; furthest {self.worst:.1%}"


def found_by(weights: Sequence[Weighed]) -> Found:
    """The mean of the shares.

    Raises:
        BadCalibration: too few rates, or too little to be weighed.
    """
    if len({one.rate_ul_min for one in weights}) < ENOUGH:
        raise BadCalibration(f"weigh at {ENOUGH} different rates: slow, usual and fast")
    for one in weights:
        if one.rate_ul_min <= 0 or one.minutes <= 0:
            raise BadCalibration("rates and times are more than 0")
        if one.grams < LEAST_G:
            raise BadCalibration(
                f"{one.grams:g} g at {one.rate_ul_min:g} µL/min is too little to be weighed well: "
                f"run it for longer, until {LEAST_G:g} g have come"
            )
    shares = [one.share for one in weights]
    mean = sum(shares) / len(shares)
    return Found(mean, max(shares, key=lambda share: abs(share - mean)))


def write_entry(path: Path, entry: Calibration) -> None:
    """Add a dated entry to a rig file, whole or not at all; its comments stay.

    Raises:
        BadCalibration: the file would mean something else by it, so it was left as it is.
        labrig.problems.FileProblems: the rig is wrong as it stands.
        OSError: it cannot be written.
    """
    before = load_rig(path).model
    if entry.of not in before.instruments:
        raise BadCalibration(f"{before.name} has no instrument {entry.of!r}")
    text = _with_entry(path, entry)
    expected = before.model_copy(update={"calibrations": (*before.calibrations, entry)})
    with tempfile.TemporaryDirectory() as scratch:
        tried = Path(scratch) / path.name
        tried.write_text(text, encoding="utf-8")
        try:
            after = load_rig(tried).model
        except FileProblems as error:
            raise BadCalibration(f"{path} was left as it is: {error}") from None
    if after != expected:
        raise BadCalibration(
            f"{path} was left as it is, because writing it anew would change more than this "
            f"entry: write it by hand under calibrations: {_line(entry)}"
        )
    write_text_whole(path, text, path.stat().st_mode & 0o777)


def _with_entry(path: Path, entry: Calibration) -> str:
    """The text with one more line: by hand where that is clear, for comments and columns stay."""
    yaml = YAML()
    text = path.read_text(encoding="utf-8")
    document = yaml.load(text)
    entries = document.get("calibrations")
    lines = text.splitlines(keepends=True)
    if entries is None:
        return f"{text.rstrip()}\n\ncalibrations:\n  - {_line(entry)}\n"
    head = document.lc.key("calibrations")[0]
    if _EMPTY.fullmatch(lines[head].rstrip()):
        lines[head] = f"{_EMPTY.sub(_HEAD, lines[head].rstrip())}\n  - {_line(entry)}\n"
        return "".join(lines)
    if not isinstance(entries, CommentedSeq) or entries.fa.flow_style() or not entries:
        raise BadCalibration(
            f"write it by hand under calibrations: in {path}, which is not a list of lines: "
            f"{_line(entry)}"
        )
    line, column = entries.lc.item(len(entries) - 1)
    last = entries[-1]
    if isinstance(last, CommentedMap) and not last.fa.flow_style():
        line = max(last.lc.value(key)[0] for key in last)
    indent = " " * (column - 2)
    lines.insert(line + 1, f"{indent}- {_line(entry)}\n")
    if not lines[line].endswith("\n"):
        lines[line] += "\n"
    return "".join(lines)


def _line(entry: Calibration) -> str:
    quoted = {
        "of": entry.of,
        "what": _quoted(entry.what),
        "on": f"{entry.on:%Y-%m-%d}",
        "by": _quoted(entry.by),
        "result": _quoted(entry.result),
        "valid_days": str(entry.valid_days),
    }
    return f"{{{', '.join(f'{key}: {value}' for key, value in quoted.items())}}}"


def _quoted(text: str) -> str:
    return "'" + " ".join(text.split()).replace("'", "''") + "'"


def dated(of: str, found: Found, by: str, on: date, valid_days: int) -> Calibration:
    """The entry of a calibration that was made by weighing."""
    return Calibration(
        of=of, what="gravimetric", on=on, by=by, result=found.words, valid_days=valid_days
    )
