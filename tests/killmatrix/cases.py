"""Which kills there are in a night, and a share of them that holds some of every sort."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Sequence

from killmatrix.fate import Effect, Kill
from killmatrix.matrix import in_a_folder_of_its_own
from killmatrix.small_night import small_night
from labrig.truth.night import Violation

HOW = ("kill", "power cut", "torn")
BACK_AFTER_S = (1.0, 20.0, 90.0)
Case = tuple[str, Kill]
"""Name of the night, and the kill."""


def effects_of(night: str) -> list[Effect]:
    """What the runner of that night does when nobody kills it."""
    played = in_a_folder_of_its_own(small_night(night))
    assert not played.found, played.found
    return played.effects[0]


def every_case(night: str, effects: Sequence[Effect]) -> list[Case]:
    """All of them: only a command on a wire can be torn."""
    return [
        (night, Kill(number, how, BACK_AFTER_S[number % 3]))
        for number, effect in enumerate(effects)
        for how in HOW
        if how != "torn" or effect.kind == "wire"
    ]


def some_cases(night: str, effects: Sequence[Effect], most: int, seed: int) -> list[Case]:
    """About ``most`` of them: of every sort of effect and manner some, drawn by ``seed``."""
    rng = random.Random(f"{night} {seed}")
    sorts: defaultdict[tuple[str, str], list[Case]] = defaultdict(list)
    for case in every_case(night, effects):
        effect = effects[case[1].before]
        # of a wire its port, of a file its name
        sorts[effect.kind + effect.what.split(" ")[0], case[1].how].append(case)
    for cases in sorts.values():
        rng.shuffle(cases)
    found: list[Case] = []
    share = most / sum(map(len, sorts.values()))
    for sort in sorted(sorts):
        found += sorts[sort][: max(1, round(share * len(sorts[sort])))]
    return found


def told(case: Case) -> tuple[Case, list[str], float]:
    """Play one: what is not true of it, and how long it took, s of CPU."""
    began_s = time.process_time()
    night, kill = case
    try:
        found = in_a_folder_of_its_own(small_night(night), [kill]).found
    except Exception as error:
        found = [Violation("error", f"{type(error).__name__}: {error}")]
    return case, [str(violation) for violation in found], time.process_time() - began_s
