"""No process of a run outlives the one that started it, however that was ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="sends signals of POSIX")
HEARD = """
import signal
# Whoever runs the tests in the background has had them ignored.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
"""
POOL = """
import sys, time
from functools import partial
from pathlib import Path
from concurrent.futures import wait
from labrig.night.processes import processes_here

def measure(folder):
    import os
    Path(folder, str(os.getpid())).touch()
    time.sleep(600)

if __name__ == "__main__":
    wait([processes_here().submit(partial(measure, sys.argv[1])) for _ in range(2)])
"""
CAMERA = """
import sys
from labrig.launch import imaging_process
imaging_process.end_with_parent(0.05)
print("ready", flush=True)
import time
time.sleep(600)
"""
RUNNER = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, sys.argv[2]], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, text=True)
child.stdout.readline()
from pathlib import Path
Path(sys.argv[1], str(child.pid)).touch()
time.sleep(600)
"""


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("what", ["measuring", "camera"])
def test_children_are_gone_soon_after(tmp_path, what, how):
    pids = tmp_path / "pids"
    pids.mkdir()
    (tmp_path / "pool.py").write_text(HEARD + POOL)
    (tmp_path / "camera.py").write_text(CAMERA)
    (tmp_path / "runner.py").write_text(HEARD + RUNNER)
    script = ["pool.py", str(pids)]
    if what == "camera":
        script = ["runner.py", str(pids), str(tmp_path / "camera.py")]
    parent = subprocess.Popen(
        [sys.executable, *script], cwd=tmp_path, start_new_session=True,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    children: list[int] = []
    try:
        wanted = 2 if what == "measuring" else 1
        _until(lambda: len(list(pids.iterdir())) == wanted, 60)
        children = [int(path.name) for path in pids.iterdir()]
        group = _group(parent.pid)
        assert set(children) <= group
        parent.send_signal(how)
        if how == signal.SIGINT and what == "measuring":
            # it waits for what is in work; a second Ctrl-C does not
            time.sleep(0.5)
            parent.kill()
        parent.wait(20)
        _until(lambda: not _group(parent.pid), 10)
    finally:
        for pid in _group(parent.pid):
            os.kill(pid, signal.SIGKILL)


def _group(session: int) -> set[int]:
    """Processes of a session, which a child that is left behind keeps."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.add(int(stat.parent.name))
    return found


def _until(holds, within_s):
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
