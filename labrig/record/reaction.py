"""What a simulated person does about a step; the runner asks, the simulated bench answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reaction:
    """In s after the step was due; None: never.

    Attributes:
        begin_after_s: says that it begins.
        done_after_s: signs that it was done; or, if they refuse, says so.
    """

    begin_after_s: float | None
    done_after_s: float | None
    refuses: bool = False
