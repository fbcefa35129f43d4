"""What people slip on in YAML's own signs: spaces, colons, quotes, brackets.

A parser tells where it gave up, in its own terms, often lines after the slip. Here the lines above
are searched for what a person most probably did.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

DRIVE = re.compile(r'"[A-Za-z]:\\')
_NO_SPACE = re.compile(r"\s*(?:- )?([A-Za-z][\w-]*):([^\s/:][^:]*)")
_TWO_COLONS = re.compile(r"\s*(?:- )?([\w-]+):\s+([^\s'\"{\[#&*|>][^#]*?:\s.*?)\s*(?:#.*)?")
_CURLY = re.compile("[\u201c\u201d\u201e\u201f\u2018\u2019\u201a]")
_LINES_ABOVE = 12
"""[P] So far above the place where a parser gave up the slip is looked for."""

ESCAPES = (
    "In double quotes a backslash begins an escape such as \\n. Write single quotes, or forward "
    "slashes: 'C:/videos/new'."
)


@dataclass(frozen=True, slots=True)
class YamlSlip:
    """Where the slip is, counted from 1, what it is, and how to mend it."""

    line: int
    what: str
    remedy: str


def yaml_slip(text: str, line: int) -> YamlSlip | None:
    """The slip by which a parser gave up in this line; None where none is known."""
    lines = text.splitlines()
    at = lines[line - 1] if line <= len(lines) else ""
    if "\t" in at:
        return YamlSlip(
            line, "a tab", "Replace the tab by spaces: YAML is indented with spaces only."
        )
    if DRIVE.search(at):
        return YamlSlip(line, "a backslash in double quotes", ESCAPES)
    told = _lines_of_text(lines)
    for number in range(min(line, len(lines)), max(0, line - 1 - _LINES_ABOVE), -1):
        if number in told:
            continue
        found = _in_line(lines[number - 1], number) or _left_open(lines, number, line)
        if found is not None:
            return found
    if 2 <= line <= len(lines) and _indent(at) != _indent(lines[line - 2]) and at.strip():
        return YamlSlip(
            line, f"indented by {_indent(at)} spaces, the line above by {_indent(lines[line - 2])}",
            "Give keys of one block the same indent, or the line above a value of its own.",
        )  # fmt: skip
    return None


def _in_line(at: str, line: int) -> YamlSlip | None:
    bare = _without_quoted(at)
    if '"' in bare or re.search(r"(?:^|[\s:\[{,])'", bare):
        return YamlSlip(line, "an open quote", "Close the quote in the line in which it begins.")
    if _CURLY.search(bare):
        return YamlSlip(
            line, "curly quotes, which are letters to YAML", "Write straight quotes: \" or '."
        )
    if (found := _NO_SPACE.fullmatch(bare.rstrip())) is not None:
        return YamlSlip(
            line, f"no space after the colon of '{found[1]}'",
            f"Write `{found[1]}: {found[2].strip()}`.",
        )  # fmt: skip
    if (found := _TWO_COLONS.fullmatch(at)) is not None:
        value = found[2].replace('"', "'")
        return YamlSlip(
            line, f"a second colon in the value of '{found[1]}'",
            f'Put the value in quotes: `{found[1]}: "{value}"`.',
        )  # fmt: skip
    inner = re.search(r"[{,]\s*([\w-]+):\s+([\w.-]+(?: [\w.-]+)*) ([\w-]+):", bare)
    if inner is not None:
        return YamlSlip(
            line, f"no comma before '{inner[3]}'", "Part the keys within { } by commas."
        )
    return None


def _left_open(lines: list[str], number: int, until: int) -> YamlSlip | None:
    """A bracket that opens in this line and is closed neither in it nor before the parser's."""
    own = _without_quoted(lines[number - 1])
    between = own + "".join(_without_quoted(each) for each in lines[number : until - 1])
    for opened, closed in ("[]", "{}"):
        if own.count(opened) > own.count(closed) and between.count(opened) > between.count(closed):
            return YamlSlip(
                number, f"a {opened} that is not closed",
                f"Close it with {closed}, in this line or in one of the next.",
            )  # fmt: skip
    return None


def _lines_of_text(lines: list[str]) -> set[int]:
    """Numbers of the lines of texts that ``>`` or ``|`` begins: no sign in them means anything."""
    found: set[int] = set()
    within: int | None = None
    for number, at in enumerate(lines, start=1):
        if within is not None and (not at.strip() or _indent(at) > within):
            found.add(number)
            continue
        within = _indent(at) if re.search(r":\s*[>|][+-]?\s*$", at) else None
    return found


def _without_quoted(at: str) -> str:
    """The line without what stands in closed quotes, and without its comment."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"|(?<![\w])\'(?:[^\']|\'\')*\'', "''", at)
    bare = bare.replace("''", "x")
    return re.sub(r"(?:^|\s)#.*", "", bare)


def _indent(at: str) -> int:
    return len(at) - len(at.lstrip(" "))
