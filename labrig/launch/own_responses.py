"""A laboratory's own file of responses: what its factors do to the simulated culture."""

from __future__ import annotations

from pathlib import Path

from labrig.problems import FileProblems, Problem
from labrig.protocol.models import Protocol
from labrig.twin.responses import BadResponses, read_responses


def own_responses(protocol: Protocol, path: Path) -> str:
    """The text of the file that ``simulation.responses`` names, checked; "" where none is named.

    Args:
        protocol: as read.
        path: of its file, beside which the other lies.

    Raises:
        FileProblems: it is not there, or wrong.
    """
    if protocol.simulation is None:
        return ""
    file = path.with_name(protocol.simulation.responses)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        what = f"cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}"
        remedy = f"Put it beside {path.name}, or take `simulation` out of the protocol."
        raise FileProblems([Problem(file, 1, 1, "", "", what, remedy)]) from error
    try:
        read_responses(text, file.name)
    except BadResponses as error:
        raise FileProblems(
            [Problem(file, s.line, 1, s.key, "", s.what, s.remedy) for s in error.slips]
        ) from error
    return text
