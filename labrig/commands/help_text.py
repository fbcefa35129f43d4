"""The docstring of a command as its help: paragraphs without the line breaks of the source."""

from __future__ import annotations

import inspect


def help_text(docstring: str | None) -> str:
    """Join the lines of each paragraph; a line that is set in from the others keeps to itself.

    The terminal breaks lines where it is wide enough; breaks of the source between them would
    leave half lines.
    """
    paragraphs = inspect.cleandoc(docstring or "").split("\n\n")
    return "\n\n".join(_joined(paragraph.splitlines()) for paragraph in paragraphs)


def _joined(lines: list[str]) -> str:
    text = ""
    for line in lines:
        apart = line.startswith(" ")
        text += ("\n" if apart else " ") + line if text else line
    return text
