"""How a run stands to a commitment, said in one place for the banner and for the text below it."""

from __future__ import annotations

from dataclasses import dataclass

from labrig.report.integrity import CommitmentShown, Integrity

UNWITNESSED = "on this computer; time not witnessed"
"""All that can be said of a commitment: its file and its clock belong to those whom it binds."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Words for a reader.

    Attributes:
        mark: the word before the banner; "" where the banner has nothing to say.
        banner: why nothing below tests a hypothesis.
        line: what was fixed before the run, and how it stands now.
        warning: beside it, what a reader must know first; "" for nothing.
        prefix: before every sentence that gives a verdict; "" where it may stand alone.
    """

    mark: str
    banner: str
    line: str
    warning: str
    prefix: str = ""


def standing(
    commitment: CommitmentShown | None, pilot: bool, integrity: Integrity | None = None
) -> Standing:
    """Of a run that was started under this commitment, or under none."""
    found = integrity or Integrity()
    line = _line(commitment, pilot)
    warning = ". ".join(_capital(said) for said in found.warnings)
    warning += "." if warning else ""
    if found.failures:
        what = " ".join(f"{_capital(said.rstrip('.'))}." for said in found.failures)
        return Standing(
            "INTEGRITY FAILED",
            f"{what} Nothing below tests what was committed (`labrig verify` tells it again).",
            line,
            f"{warning} {what}".strip(),
            "Post hoc, integrity failed: ",
        )
    if commitment is None:
        return Standing(
            "PILOT" if pilot else "UNCOMMITTED",
            "No definition was committed before this run: nothing below tests a hypothesis.",
            line,
            warning,
        )
    if not commitment.fits:
        what = "What this run was done with differs from what was committed."
        return Standing("CHANGED", f"{what} Nothing below tests what was committed.", line, what)
    prefix = "Post hoc: " if commitment.post_hoc else ""
    if pilot:
        return Standing(
            "PILOT",
            "The definition was committed before this run, and the protocol says `pilot: true`: "
            "nothing below tests a hypothesis.",
            line,
            warning,
            prefix,
        )
    return Standing("", "", line, warning, prefix)


def when_known(commitment: CommitmentShown) -> str:
    """How the time of a commitment is known, and no more than that."""
    return f"on this computer; {commitment.witness}" if commitment.witness else UNWITNESSED


def _line(commitment: CommitmentShown | None, pilot: bool) -> str:
    if commitment is None:
        kind = "Uncommitted pilot" if pilot else "Uncommitted"
        return f"{kind}: the definition in the protocol was not fixed before the run."
    if commitment.after_data == len(commitment.entries):
        return f"Committed after the run had begun, {when_known(commitment)}: results are post hoc."
    said = f"Committed before the run's first row, {when_known(commitment)}"
    if commitment.amended_before_data:
        said += ", and amended before data"
    if commitment.post_hoc:
        said += (
            "; amended after data: what the amendment changed is post hoc, and nothing here is "
            "judged by it"
        )
    if commitment.run_otherwise:
        said += (
            f"; {', '.join(commitment.run_otherwise)} changed while it ran, by an amendment; what "
            "it is judged by stands as committed"
        )
    return f"{said}."


def _capital(text: str) -> str:
    """File names keep their case."""
    first = text.split(" ", 1)[0]
    return text if "." in first or "/" in first else text[:1].upper() + text[1:]
