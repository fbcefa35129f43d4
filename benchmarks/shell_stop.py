"""How long `labrig stop` takes from the shell to its bytes at the runner's door.

    python benchmarks/shell_stop.py

The goal is 0.4 s. Told also as a ratio to `python -c pass` in the same run: a loaded machine
slows both.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

REPEATS = 15
GOAL_S = 0.4


def main() -> int:
    """Print both and their ratio; the exit status says whether the goal is met."""
    stops, bare = [], []
    with tempfile.TemporaryDirectory() as scratch:
        for _ in range(REPEATS):
            bare.append(_bare_s())
            stops.append(_stop_s(Path(scratch)))
    print(f"python -c pass         {median(bare):.3f} s median, {max(bare):.3f} worst")
    print(f"labrig stop to wire    {median(stops):.3f} s median, {max(stops):.3f} worst")
    print(f"ratio                  {median(stops) / median(bare):.1f}")
    return 0 if median(stops) <= GOAL_S else 1


def _bare_s() -> float:
    began_s = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.perf_counter() - began_s


def _stop_s(scratch: Path) -> float:
    """One stop of a run folder whose door is a socket that only takes the time."""
    arrived: list[float] = []
    with socket.create_server(("127.0.0.1", 0)) as door:
        (scratch / "run.json").write_text(json.dumps({"rig": "bench", "simulated": True}))
        (scratch / "stop.json").unlink(missing_ok=True)
        control = {"host": "127.0.0.1", "port": door.getsockname()[1], "token": "t"}
        (scratch / "control.json").write_text(json.dumps(control))
        answer = threading.Thread(target=_answer, args=(door, arrived))
        answer.start()
        began_s = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "labrig", "stop", str(scratch)],
            check=True,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "LABRIG_STATE": str(scratch / "state")},
        )
        answer.join()
    return arrived[0] - began_s


def _answer(door: socket.socket, arrived: list[float]) -> None:
    connection, _ = door.accept()
    with connection:
        connection.recv(65536)
        arrived.append(time.perf_counter())
        body = b'{"accepted": true}'
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )


if __name__ == "__main__":
    sys.exit(main())
