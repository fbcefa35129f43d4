"""What is wrong with a file that a person wrote: where, what, and how to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend.

    Attributes:
        file: the file, as it was named by the caller.
        line: counted from 1; 1 where the file as a whole is meant.
        column: counted from 1.
        path: where in the document, e.g. ``arms.tonic.targets.CNTF``; "" for all of it.
        value: what stands there, as text; "" where nothing does.
        what: what is wrong.
        remedy: how to mend it.
    """

    file: Path
    line: int
    column: int
    path: str
    value: str
    what: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" + (f"  {self.path}" if self.path else "")
        return f"{where}\n  {self.what}\n  → {self.remedy}"


class FileProblems(Exception):
    """A protocol or rig file cannot be used. All that was found, not only the first.

    Its text is plain; markup characters in it are the user's own, so print it with
    ``rich.text.Text(str(error))`` or ``markup=False``.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        heading = f"{count} problem{'' if count == 1 else 's'} in {self.problems[0].file}"
        super().__init__("\n\n".join([heading, *map(str, self.problems)]))


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mistake found in a model, before its place in the file is looked up."""

    path: KeyPath
    what: str
    remedy: str
    value: object = None


def raise_mistakes(title: str, mistakes: Sequence[Mistake]) -> None:
    """Raise them as pydantic would its own, each with its place; nothing when there is none.

    Raises:
        ValidationError: one line error a mistake; its context holds ``remedy``.
    """
    if not mistakes:
        return
    raise ValidationError.from_exception_data(
        title,
        [
            InitErrorDetails(
                type=PydanticCustomError(
                    "reference", "{what}", {"what": mistake.what, "remedy": mistake.remedy}
                ),
                loc=mistake.path,
                input=mistake.value,
            )
            for mistake in mistakes
        ],
    )


def dotted(path: KeyPath) -> str:
    """``("phases", 0, "name")`` as ``phases.0.name``."""
    return ".".join(str(part) for part in path)


def did_you_mean(word: str, known: list[str]) -> str:
    """A sentence that offers what exists."""
    close = difflib.get_close_matches(word.lower(), [name.lower() for name in known], n=1)
    for name in known:
        if close and name.lower() == close[0]:
            return f"Did you mean '{name}'?"
    if not known:
        return "Nothing can stand here."
    return f"There is: {', '.join(sorted(known))}."
