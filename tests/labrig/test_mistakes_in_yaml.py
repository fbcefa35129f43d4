"""What people do to the YAML of a protocol: signs, quotes, encodings.

Each case is one change to a file of the catalogue, met by people who used labrig early on.
"""

from __future__ import annotations

import pytest
from mistakes_told import DEMO, see_it_told

from labrig.problems import FileProblems
from labrig.protocol.loading import load_protocol

CULTURE = "days_differentiated: 5 "

# name: (what stands in the demo's protocol, what is written, path or line, what, remedy)
MISTAKES = {
    "no day of the calendar": (
        CULTURE,
        "days_differentiated: 5\n  note: 2026-02-30 ",
        "",
        "there is no day 2026-02-30",
        "2026-11-23",
    ),
    "a key twice": (
        "  vehicle-tonic:\n",
        "  vehicle-sham:\n",
        "line 93",
        "duplicate key",
        "Keep one",
    ),
    "no space after a colon": (
        "name: demo-night",
        "name:demo-night",
        "line 7",
        "no space after the colon of 'name'",
        "`name: demo-night`",
    ),
    "a colon in a title": (
        "title: A demonstration night, nerve",
        "title: Night 3: nerve",
        "line 8",
        "a second colon",
        'title: "Night 3: nerve',
    ),
    "an open quote": (
        "title: A demonstration",
        'title: "A demonstration',
        "line 8",
        "an open quote",
        "Close the quote",
    ),
    "an open bracket": (
        "at: [1.1 h, 13.6 h]",
        "at: [1.1 h, 13.6 h",
        "line 128",
        "a [ that is not closed",
        "Close it with ]",
    ),
    "no comma between keys": (
        "{factor: leucine, stock:",
        "{factor: leucine stock:",
        "line 92",
        "no comma before 'stock'",
        "commas",
    ),
    "curly quotes": (
        'source: "[P]"}\n  BDNF',
        "source: “[P]”}\n  BDNF",
        "line 36",
        "curly quotes",
        "straight quotes",
    ),
    "a key one space too far": (
        "  flow: 1.0 mL/h",
        "   flow: 1.0 mL/h",
        "line 84",
        "indented by 3 spaces, the line above by 2",
        "same indent",
    ),
    "a text that is a comment": (
        "operator: demo",
        "operator: #3",
        "culture.operator",
        "nothing stands here",
        "quotes",
    ),
    "an anchor of another name": ("boluses: *feed", "boluses: *fed", "line 95", "&fed", "Mark"),
    "a no-break space in a key": (
        "sites: 1 ",
        "sites\u00a0: 1 ",
        "imaging.sites",
        "not a key",
        "Did you mean 'sites'?",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_placed_named_and_mended(mistake, tmp_path):
    see_it_told(load_protocol, tmp_path / "file.yaml", DEMO, MISTAKES[mistake])


ENCODINGS = {
    "UTF-16 with its mark": (DEMO.encode("utf-16"), "UTF-16"),
    "UTF-16 without": (DEMO.encode("utf-16-le"), "UTF-16"),
    "UTF-32": (DEMO.encode("utf-32"), "UTF-32"),
    "Latin-1": (DEMO.replace("demo\n", "Zoë\n", 1).encode("latin-1", errors="replace"), "UTF-8"),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_another_encoding_is_named(encoding, tmp_path):
    content, said = ENCODINGS[encoding]
    file = tmp_path / "file.yaml"
    file.write_bytes(content)
    with pytest.raises(FileProblems) as found:
        load_protocol(file)
    (problem,) = found.value.problems
    assert said in problem.what
    assert "Save the file as UTF-8" in problem.remedy


SOUND_ABOVE = {
    "a list over several lines": "chambers: [A1,\n  A2]\nname:demo\n",
    "a text with signs of its own": (
        "purpose: >\n  Note: it's [so: (x\n  Also: this: that\nname:demo\n"
    ),
    "brackets and colons in quotes": "title: \"Night [3: a\"\nnote: 'b: c: {'\nname:demo\n",
}


@pytest.mark.parametrize("above", SOUND_ABOVE)
def test_what_is_sound_above_a_slip_is_not_blamed(above, tmp_path):
    file = tmp_path / "file.yaml"
    file.write_text(SOUND_ABOVE[above] + "plate: 24-well\n", encoding="utf-8")
    with pytest.raises(FileProblems) as found:
        load_protocol(file)
    (problem,) = found.value.problems
    assert "no space after the colon of 'name'" in problem.what
