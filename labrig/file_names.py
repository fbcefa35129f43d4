"""Names that become names of files and folders, on whatever system a run folder is copied to."""

from __future__ import annotations

import re

LONGEST = 64
PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$"
"""In words of JSON Schema; :func:`fault_in_name` knows what a pattern cannot say."""
RULE = (
    f"Use letters, digits, '-', '_', '.' and '+', at most {LONGEST} of them; begin with a letter "
    "or digit, write no '..' and no '.' at the end."
)
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$"}
    | {f"{port}{number}" for port in ("com", "lpt") for number in range(10)}
)


def fault_in_name(name: str, longest: int = LONGEST) -> str:
    """Why this must not name a file or folder, as the end of a sentence; empty: nothing.

    A name that passes stays inside its folder, is one step of a path, and means the same file on
    Windows, macOS and Linux.
    """
    if not name:
        return "is empty"
    if len(name) > longest:
        return f"has {len(name)} characters"
    wrong = sorted(set(re.sub(r"[A-Za-z0-9_.+-]", "", name)))
    if wrong:
        shown = ", ".join("a space" if c == " " else ascii(c) for c in wrong)
        return f"has {shown} in it"
    if not name[0].isalnum():
        return f"begins with {name[0]!r}"
    if ".." in name or name.endswith("."):
        return "has '..' in it" if ".." in name else "ends with '.'"
    if name.partition(".")[0].lower() in _DEVICES:
        return "means a device on Windows"
    return ""
