"""The index holds every system of the paper once, with what asks about it, or why nothing does."""

import pytest

from labrig.problems import FileProblems
from labrig.seed.finding import about, every_protocol
from labrig.seed.index import load_index, seed_folder
from labrig.seed.readme import page

INDEX = load_index()


def test_every_system_and_definition_has_its_row():
    numbers = [*(f"D{n}" for n in range(1, 8)), *(f"S{n:02d}" for n in range(1, 49))]
    assert list(INDEX.rows) == numbers


def test_three_rows_say_why_they_are_out_of_scope():
    assert [number for number, row in INDEX.rows.items() if row.out_of_scope] == [
        "S06",
        "S38",
        "S44",
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("", "out_of_scope"),
        ("out_of_scope: c, protocol: d, bench: e, read_outs: [f]", "out_of_scope"),
        ("out_of_scope: c, predicts: [{compare: [x, y], of: z, is: less}]", "is"),
        ("out_of_scope: c, predicts: [{effect: [x, y], of: z}]", "more_than"),
    ],
)
def test_a_row_that_says_too_little_or_too_much_is_refused(tmp_path, row, said):
    file = tmp_path / "index.yaml"
    file.write_text(f"rows: {{S01: {{claims: a, asks: b, {row}}}}}\n", encoding="utf-8")
    with pytest.raises(FileProblems, match=said):
        load_index(file)


def test_the_index_lies_in_the_catalogue():
    assert (seed_folder() / "index.yaml").exists()


def test_the_page_of_the_seed_is_current():
    written = (seed_folder() / "README.md").read_text(encoding="utf-8")
    assert written == page(INDEX), "run python -m labrig.seed.readme"


def test_a_protocol_is_found_by_words_of_its_question():
    found = about(every_protocol(INDEX), ["cntf", "fusion"])
    assert [one.protocol for one in found] == ["seed/cntf-before-and-after-fusion.yaml"]
    assert about(every_protocol(INDEX), ["no such word"]) == []


def test_every_protocol_is_offered_once():
    files = [one.protocol for one in every_protocol(INDEX)]
    assert len(files) == len(set(files))
    assert {row for one in every_protocol(INDEX) for row in one.rows} == {
        number for number, row in INDEX.rows.items() if row.protocol
    }
