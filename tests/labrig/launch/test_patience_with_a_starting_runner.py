"""A runner that takes long to be ready is waited for while it works, and ended when it hangs."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from labrig.launch import runner_child
from labrig.launch.runner_child import RunnerDied, wait_until_ready
from labrig.run_folder import RunFolder

STILL_S = 1.0
DOOR = (
    "import json,os,sys,time,pathlib\n"
    "folder=pathlib.Path(sys.argv[1])\n"
    "def door(): (folder/'control.json').write_text(json.dumps({'pid': os.getpid()}))\n"
)
WORK = {
    "computes": "until=time.monotonic()+3*STILL\nwhile time.monotonic()<until: sum(range(1000))\n",
    "writes to its wire": (
        "until=time.monotonic()+3*STILL\n"
        "while time.monotonic()<until:\n"
        "  (folder/'wire'/'port.txt').open('a').write('x'); time.sleep(0.1)\n"
    ),
}


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(runner_child, "STILL_FOR_S", STILL_S)
    monkeypatch.setattr(runner_child, "LOOK_EVERY_S", 0.1)


@pytest.fixture
def start(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.wire.mkdir(parents=True)
    folder.log.write_text("")
    children = []

    def start(code):
        text = f"STILL={STILL_S}\n{DOOR}{code}"
        children.append(subprocess.Popen([sys.executable, "-c", text, str(folder.root)]))
        return children[-1], folder

    yield start
    for child in children:
        child.kill()
        child.wait()


@pytest.mark.parametrize("work", WORK)
def test_a_runner_that_gets_on_with_its_work_is_waited_for(start, work):
    child, folder = start(WORK[work] + "door()\ntime.sleep(60)")
    began_s = time.monotonic()
    wait_until_ready(child, folder)
    assert time.monotonic() - began_s > 2 * STILL_S, "it was ready too soon to prove anything"
    assert child.poll() is None
    assert json.loads(folder.control.read_text())["pid"] == child.pid


def test_a_runner_that_hangs_is_ended(start):
    child, folder = start("time.sleep(60)")
    with pytest.raises(RunnerDied, match="no sign of life"):
        wait_until_ready(child, folder)
    assert child.poll() is not None


def test_a_runner_that_never_stops_computing_is_ended_too(start, monkeypatch):
    monkeypatch.setattr(runner_child, "READY_WITHIN_S", 2.0)
    child, folder = start("while True: sum(range(1000))")
    with pytest.raises(RunnerDied):
        wait_until_ready(child, folder)
    assert child.poll() is not None
