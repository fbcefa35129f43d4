"""How punctually things are begun: one action every 100 ms for 30 s, quiet and with all cores busy.

    python benchmarks/dispatch.py [SECONDS]
    uv run --with bluesky python benchmarks/dispatch.py     # bluesky's engine too

labrig's own dispatcher (on the wall clock, its journal on this disk; an action counts when its
worker's thread has the order) beside an asyncio loop, a Prefect task an action and bluesky's
RunEngine. Each runs in a process of its own, and at the same time as a bare thread loop in another,
so that both meet the same load: the ratio of their 99th percentiles is what says something on a
machine that others use. The goals: p99 2 ms quiet, 25 ms busy, no drift, at most 1.5 times the
bare thread. *drift* is the median of the last tenth of the latenesses less that of the first.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any

EVERY_S = 0.1
LEAD_S = 2.0
"""From a process's start of its loop to the first action."""

Latenesses = list[float]


def bare(count: int) -> Latenesses:
    """A thread that sleeps until the next one is due."""
    late_s: Latenesses = []
    zero_s = time.monotonic() + LEAD_S

    def loop() -> None:
        for number in range(count):
            due_s = zero_s + number * EVERY_S
            time.sleep(max(0.0, due_s - time.monotonic()))
            late_s.append(time.monotonic() - due_s)

    thread = threading.Thread(target=loop)
    thread.start()
    thread.join()
    return late_s


def labrig(count: int) -> Latenesses:
    """The dispatcher, and a thread that takes orders as a worker does."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from types import SimpleNamespace

    from scripted_nights import make_plan, reading

    from labrig.record.clock import RealClock, steady_s
    from labrig.record.consumption import Consumption
    from labrig.record.journal import open_journal
    from labrig.record.kinds.runs import RunStarted
    from labrig.record.recovery import RunState
    from labrig.record.reserve import Reserve
    from labrig.record.said import entry_of_run
    from labrig.run.at_boundary import AtBoundary
    from labrig.run.board import Board
    from labrig.run.desk import Desk
    from labrig.run.dispatcher import Dispatcher
    from labrig.run.grace import Grace
    from labrig.run.lease import Fence
    from labrig.run.liveness import Turn
    from labrig.run.orders import Ended, Finish

    late_s: Latenesses = []
    nobody: Any = SimpleNamespace(
        judge=lambda now_s: None, next_s=lambda now_s: None, look=lambda now_s: None,
        end=lambda now_s: None, met=lambda from_s, to_s: None, standing=(), settled=None,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        clock = RealClock()
        journal = open_journal(Path(folder) / "journal.sqlite", clock)
        desk = Desk(
            clock, journal, Fence(1), Board(), Consumption(), Reserve(Path(folder) / "reserve")
        )
        desk.intend(entry_of_run(RunStarted("punctuality")))
        news, orders = clock.mailbox("dispatcher"), clock.mailbox("worker")
        timeline = [reading(round(LEAD_S + i * EVERY_S, 3)) for i in range(count)]
        plan = make_plan(timeline, LEAD_S + count * EVERY_S + 0.5)

        def worker() -> None:
            while not isinstance(order := orders.get(None), Finish):
                late_s.append(clock.now_s() - order.entry.offset_s)
            news.put(Ended("port", ()))

        turn = Turn("dispatcher", clock, steady_s)
        state = RunState()
        dispatcher = Dispatcher(
            plan, desk, news, {"probe": orders}, state, nobody, nobody, turn, Grace(),
            nobody, lambda why, by: None, AtBoundary(plan, desk, state),
        )  # fmt: skip
        clock.start("dispatcher", dispatcher.run)
        clock.start("worker", worker)
        clock.join()
        journal.close()
    return late_s


def asyncio_loop(count: int) -> Latenesses:
    """One coroutine."""
    late_s: Latenesses = []

    async def loop() -> None:
        zero_s = time.monotonic() + LEAD_S
        for number in range(count):
            due_s = zero_s + number * EVERY_S
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            late_s.append(time.monotonic() - due_s)

    asyncio.run(loop())
    return late_s


def prefect_tasks(count: int) -> Latenesses:
    """A flow that sleeps until each action is due and runs it as a task, on a server of its own."""
    from labrig.flows.services import PrefectServices

    with tempfile.TemporaryDirectory() as home:
        services = PrefectServices(Path(home), port=0)
        services.start()
        os.environ |= services.client_settings
        for name in ("PREFECT_LOGGING_LEVEL", "PREFECT_LOGGING_INTERNAL_LEVEL"):
            os.environ[name] = "CRITICAL"
        from prefect import flow, task

        late_s: Latenesses = []

        @task
        def act(due_s: float) -> None:
            late_s.append(time.monotonic() - due_s)

        @flow
        def night() -> None:
            zero_s = time.monotonic() + LEAD_S
            for number in range(count):
                due_s = zero_s + number * EVERY_S
                time.sleep(max(0.0, due_s - time.monotonic()))
                act(due_s)

        try:
            night()
        finally:
            services.stop()
    return late_s


def bluesky_engine(count: int) -> Latenesses:
    """A plan that sleeps until each action is due; the action is a command of the engine."""
    from bluesky import Msg, RunEngine

    late_s: Latenesses = []

    async def act(msg: Any) -> None:
        late_s.append(time.monotonic() - msg.obj)

    def plan() -> Iterator[Any]:
        zero_s = time.monotonic() + LEAD_S
        for number in range(count):
            due_s = zero_s + number * EVERY_S
            yield Msg("sleep", None, max(0.0, due_s - time.monotonic()))
            yield Msg("act", due_s)

    engine = RunEngine(context_managers=[])
    engine.register_command("act", act)
    engine(plan())
    return late_s


ARMS: dict[str, tuple[Callable[[int], Latenesses], str]] = {
    "labrig": (labrig, "labrig"),
    "asyncio": (asyncio_loop, "asyncio"),
    "prefect": (prefect_tasks, "prefect"),
    "bluesky": (bluesky_engine, "bluesky"),
}


@contextmanager
def busy_cores(busy: bool) -> Iterator[None]:
    """As many processes that only count as there are cores."""
    spin = [sys.executable, "-c", "while True: pass"]
    spinning = [subprocess.Popen(spin) for _ in range(os.cpu_count() or 1)] if busy else []
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def measured(arm: str, count: int) -> tuple[Latenesses, Latenesses] | None:
    """Its latenesses, and those of a bare thread at the same time, in seconds; None: it failed."""
    started = [
        subprocess.Popen(
            [sys.executable, __file__, str(count), name],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in (arm, "bare")
    ]
    told, wrong = zip(*(process.communicate() for process in started), strict=True)
    if any(process.returncode for process in started):
        print(*wrong, file=sys.stderr)
        return None
    own, thread = (json.loads(text.splitlines()[-1]) for text in told)
    return own, thread


def drift_ms(late_s: Latenesses) -> float:
    """How much later the last tenth was than the first."""
    tenth = max(1, len(late_s) // 10)
    return (median(late_s[-tenth:]) - median(late_s[:tenth])) * 1e3


def p99_ms(late_s: Latenesses) -> float:
    """Of a hundred, one is later than this."""
    return quantiles(late_s, n=100, method="inclusive")[98] * 1e3


def main() -> None:
    """Every arm, quiet and busy."""
    count = round(float(sys.argv[1] if len(sys.argv) > 1 else 30) / EVERY_S)
    print(f"{count} actions, one every {EVERY_S * 1e3:.0f} ms; lateness in ms")
    for busy in (False, True):
        load = os.getloadavg()[0]
        state = "all cores busy" if busy else "as it is"
        print(f"\n{state} (load {load:.1f} on {os.cpu_count()} cores before)")
        print(
            f"{'':10}{'p50':>8}{'p99':>9}{'worst':>9}{'drift':>9}  p99 of a thread meanwhile, ratio"
        )
        for arm, (_, package) in ARMS.items():
            if importlib.util.find_spec(package) is None:
                print(
                    f"{arm:10}not installed: uv run --with {package} python benchmarks/dispatch.py"
                )
                continue
            with busy_cores(busy):
                found = measured(arm, count)
            if found is None:
                print(f"{arm:10}did not come to its end")
                continue
            own, thread = found
            print(
                f"{arm:10}{median(own) * 1e3:8.2f}{p99_ms(own):9.2f}{max(own) * 1e3:9.2f}"
                f"{drift_ms(own):9.2f}  {p99_ms(thread):.2f}, {p99_ms(own) / p99_ms(thread):.2f}"
            )


if __name__ == "__main__":
    if len(sys.argv) == 3:
        one = bare if sys.argv[2] == "bare" else ARMS[sys.argv[2]][0]
        print(json.dumps(one(int(sys.argv[1]))), flush=True)
        # Prefect's own threads would wait for a server that has been stopped.
        os._exit(0)
    else:
        main()
