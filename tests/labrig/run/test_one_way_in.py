"""Whatever is measured comes in by one door, so that it is shown, written and judged alike."""

import re
from pathlib import Path

import pytest

import labrig.run

ROOMS = sorted(Path(labrig.run.__file__).parent.glob("*.py"))
AROUND_IT = r"board\.read\(|journal\.sample\(|note\(\s*\"reading\""


@pytest.mark.parametrize("room", ROOMS, ids=lambda path: path.stem)
def test_only_the_desk_shows_and_writes_what_was_measured(room):
    found = re.findall(AROUND_IT, room.read_text(encoding="utf-8"))
    assert bool(found) == (room.stem == "desk")


def test_every_kind_of_instrument_is_measured(rehearse, script):
    night = rehearse()
    night.run(script.night())
    measured = {row.key for row in night.rows("sample")}
    measured |= {
        row.detail["instrument"] for row in night.rows("reading") if row.state == "confirmed"
    }
    assert measured == {"base", "dose", "pulses", "stage", "probe"}
