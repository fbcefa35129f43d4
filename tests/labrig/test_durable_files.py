"""Files are there whole or not at all, and their folder is handed to the disk where one can."""

from __future__ import annotations

import os
import stat
import threading

import pytest

from labrig.durable import read_json, sync_folder, write_json, write_text_whole
from labrig_measure import whole_files


def test_the_file_and_then_its_folder_are_handed_to_the_disk(tmp_path, monkeypatch):
    synced, sync = [], os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda fd: (synced.append(stat.S_ISDIR(os.fstat(fd).st_mode)), sync(fd))
    )
    write_json(tmp_path / "outcome.json", {"condition": "finished"})
    assert synced == [False, True]


def test_windows_opens_no_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(whole_files, "os", _Windows())
    sync_folder(tmp_path)
    write_text_whole(tmp_path / "a", "content")
    assert (tmp_path / "a").read_text() == "content"


class _Windows:
    """`os` as it is there, as far as it matters here."""

    name = "nt"

    def __getattr__(self, what):
        return getattr(os, what)

    def open(self, path, *rest):
        assert not os.path.isdir(path), "Windows opens no folders"
        return os.open(path, *rest)


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"n": 1})
    with pytest.raises(TypeError):
        write_json(path, {"n": object()})
    with pytest.raises(UnicodeEncodeError):
        write_text_whole(path, "half\udc80")
    assert read_json(path) == {"n": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_many_who_write_at_once_leave_one_whole_file(tmp_path):
    path = tmp_path / "a.json"
    writers = [
        threading.Thread(target=write_json, args=(path, {"n": [n] * 5000})) for n in range(8)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(set(read_json(path)["n"])) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_a_secret_is_readable_by_its_user_only(tmp_path):
    write_json(tmp_path / "control.json", {}, mode=0o600)
    if os.name != "nt":
        assert stat.S_IMODE((tmp_path / "control.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "{", "[1]", "\x00"])
def test_a_damaged_file_is_named(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"a\.json"):
        read_json(path)
