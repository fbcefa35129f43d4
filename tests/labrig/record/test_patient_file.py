"""Transcripts outlast a full disk: lines wait, in order, and lost ones are told."""

from __future__ import annotations

import io

from hypothesis import example, given
from hypothesis import strategies as st

from labrig.record.patient_file import TORN, PatientFile
from labrig.twin.wire_history import WireHistory


class Narrow(io.BytesIO):
    """A disk that has room for so many bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.room = 0

    def write(self, data: bytes) -> int:  # type: ignore[override]
        taken = data[: self.room]
        if not taken:
            raise OSError(28, "No space left on device")
        self.room -= len(taken)
        return super().write(taken)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 60)), max_size=30))
@example([(0, 0), (0, 0), (21, 0), (40, 0), (40, 0)])
def test_whatever_room_there_is_and_when_lines_stay_whole_and_in_order(steps):
    file, disk = PatientFile.__new__(PatientFile), Narrow()
    PatientFile.__init__(file, None, most_waiting=120)  # type: ignore[arg-type]
    file._file = disk  # type: ignore[assignment]
    for number, (size, room) in enumerate(steps):
        disk.room += room
        file.append(b"%d %s\n" % (number, b"x" * size))
    disk.room = 100_000
    file.append(b"999 \n")
    content = disk.getvalue()
    assert file.waiting == 0
    assert content.endswith(b"\n")
    numbers, told = [], 0
    for line in content.splitlines():
        if line.startswith(b"#"):
            told += int(line.split()[1])
        else:
            numbers.append(int(line.split(b" ")[0]))
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 999, "there was room for it"
    assert len(numbers) + told == len(steps) + 1
    for number, (size, _) in enumerate(steps):
        if number in numbers:
            assert b"%d %s\n" % (number, b"x" * size) in content


def test_a_line_torn_by_a_power_cut_is_marked_before_the_next(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_bytes(b"1 a 00\n2 a 0011")
    file = PatientFile(path)
    file.append(b"3 a 00\n")
    file.close()
    assert path.read_bytes() == b"1 a 00\n2 a 0011" + TORN + b"3 a 00\n"


def test_a_folder_that_is_not_there_costs_nothing_and_is_tried_again(tmp_path, caplog):
    file = PatientFile(tmp_path / "wire" / "a.txt")
    file.append(b"1\n")
    assert "waits for its disk" in caplog.text
    (tmp_path / "wire").mkdir()
    file.append(b"2\n")
    file.close()
    assert (tmp_path / "wire" / "a.txt").read_bytes() == b"1\n2\n"


def test_the_bench_remembers_what_is_sound_and_passes_over_the_rest(tmp_path, caplog):
    path = tmp_path / "wire_history.txt"
    path.write_bytes(b"1.0 a 30\n2.0 a 31\n3.0 a 3 torn\n\xff\xff\n4.0 a 32\nx a 30\n5.0 a 3")
    found = list(WireHistory(path).read())
    assert found == [(1.0, "a", b"\x30"), (2.0, "a", b"\x31"), (4.0, "a", b"\x32")]
    assert "4 damaged lines" in caplog.text
