"""Which rounds are measured, read while a round is being written."""

import pytest

from labrig.night.measured import measured_rounds
from labrig.run_folder import RunFolder

HEADER = "well,field,round,offset_s,status\n"


@pytest.mark.parametrize(
    ("table", "rounds"),
    [
        (None, set()),
        (HEADER, set()),
        (HEADER + "A1,0,0,7,ok\nA1,0,12,9,ok\n", {0, 12}),
        (HEADER + "A1,0,0,7,ok\nA1,0,1", {0}),
        (HEADER + "A1,0,0,7,ok\nA1,", {0}),
    ],
    ids=["no table", "no row", "two rounds", "half a number", "half a row"],
)
def test_only_whole_rows_count(tmp_path, table, rounds):
    folder = RunFolder(tmp_path)
    folder.measures.mkdir()
    if table is not None:
        (folder.measures / "fields.csv").write_text(table)
    assert measured_rounds(folder) == rounds
