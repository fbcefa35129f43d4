"""How a run stands to a commitment, said in one place for the banner and for the text below it."""

from __future__ import annotations

from dataclasses import dataclass

from labrig.report.record import CommitmentShown


@dataclass(frozen=True, slots=True)
class Standing:
    """Words for a reader.

    Attributes:
        mark: the word before the banner; "" where the banner has nothing to say.
        banner: why nothing below tests a hypothesis.
        line: what was fixed before the run, and how it stands now.
        warning: beside it, what a reader must know first; "" for nothing.
    """

    mark: str
    banner: str
    line: str
    warning: str


def standing(commitment: CommitmentShown | None, pilot: bool) -> Standing:
    """Of a run that was started under this commitment, or under none."""
    if commitment is None:
        mark, kind = ("PILOT", "Uncommitted pilot") if pilot else ("UNCOMMITTED", "Uncommitted")
        return Standing(
            mark,
            "No definition was committed before this run: nothing below tests a hypothesis.",
            f"{kind}: the definition in the protocol was not fixed before the run.",
            "",
        )
    line = "Committed before the run"
    line += ", then amended: results are post hoc." if commitment.post_hoc else "."
    if not commitment.fits:
        what = "The protocol in this folder differs from what was committed."
        return Standing("CHANGED", f"{what} Nothing below tests what was committed.", line, what)
    if pilot:
        return Standing(
            "PILOT",
            "The definition was committed before this run, and the protocol says `pilot: true`: "
            "nothing below tests a hypothesis.",
            line,
            "",
        )
    return Standing("", "", line, "")
