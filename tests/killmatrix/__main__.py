"""``python -m killmatrix``: every kill of every night; what is not true of which, and how long.

With ``--results FILE`` a line is added to it for every kill that was played, and none that was
true is played again: a matrix that was broken off goes on. ``--start`` and ``--end`` share it out.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import sys
import time
from collections import Counter
from pathlib import Path

from killmatrix.cases import HOW, Case, effects_of, every_case, some_cases, told
from killmatrix.small_night import NIGHTS


def main(arguments: list[str]) -> int:
    """Play them; 1 when something was not true."""
    parser = argparse.ArgumentParser(prog="killmatrix")
    parser.add_argument("--night", choices=list(NIGHTS), action="append")
    parser.add_argument("--how", choices=HOW, action="append")
    parser.add_argument("--most", type=int, help="about so many of each night, of every sort")
    parser.add_argument("--seed", type=int, default=1, help="which of them")
    parser.add_argument("--before", type=int, help="this one alone")
    parser.add_argument("--start", type=int, default=0, help="the first, from 0, as shuffled")
    parser.add_argument("--end", type=int, help="the first that is left out again")
    parser.add_argument("--results", type=Path, help="lines of the kills that were played")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args(arguments)
    cases: list[Case] = []
    for night in options.night or NIGHTS:
        effects = effects_of(night)
        own = (
            some_cases(night, effects, options.most, options.seed)
            if options.most
            else every_case(night, effects)
        )
        cases += [
            case for case in own
            if case[1].how in (options.how or HOW) and options.before in (None, case[1].before)
        ]  # fmt: skip
        print(f"{night}: {len(effects)} effects {dict(Counter(e.kind for e in effects))}")
    began_s, cpu_s, bad = time.monotonic(), 0.0, 0
    # In no order, so that one which is broken off has seen some of everything.
    random.Random(options.seed).shuffle(cases)
    cases = cases[options.start : options.end]
    done = _played(options.results)
    cases = [case for case in cases if _name(case) not in done]
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(options.jobs, maxtasksperchild=500) as pool:
        for number, (case, found, took_s) in enumerate(pool.imap(told, cases), 1):
            cpu_s += took_s
            _add(options.results, case, found)
            if number % 200 == 0:
                print(f"{number} of {len(cases)}, {bad} untrue, {cpu_s:.0f} s of CPU", flush=True)
            if found:
                bad += 1
                print(f"{case[0]} {case[1]}", *found, sep="\n  ! ", flush=True)
    wall_s = time.monotonic() - began_s
    print(f"{len(cases)} kills, {bad} untrue, {cpu_s:.0f} s of CPU, {wall_s:.0f} s")
    return 1 if bad else 0


def _name(case: Case) -> str:
    return f"{case[0]}, {case[1].how} before {case[1].before}"


def _played(results: Path | None) -> set[str]:
    """Names of the kills that were played and of which all is true."""
    if results is None or not results.exists():
        return set()
    lines = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    return {line["kill"] for line in lines if not line["untrue"]}


def _add(results: Path | None, case: Case, found: list[str]) -> None:
    if results is not None:
        with results.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"kill": _name(case), "untrue": found}) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
