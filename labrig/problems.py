"""What is wrong with a file that a person wrote: where, what, and how to mend it."""

from __future__ import annotations

import difflib
import re
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


SIMILAR = 0.6
"""Share of letters in common from which a name is offered [P]."""

MOST_OFFERED = 4
LONGEST_COMPARED = 80


def did_you_mean(word: str, known: list[str]) -> str:
    """A sentence that offers what exists.

    Digits are compared as numbers, and in place of a number never another one is offered:
    ``nerve_1`` may mean ``nerve_01`` and never ``nerve_12``, which is another pump. All names
    that are equally near are offered.
    """
    if not known:
        return "Nothing can stand here."
    near = _nearest(word, known)
    if not near:
        return f"There is: {', '.join(sorted(known))}."
    quoted = [f"'{name}'" for name in near]
    if len(quoted) == 1:
        return f"Did you mean {quoted[0]}?"
    return f"Did you mean {', '.join(quoted[:-1])} or {quoted[-1]}?"


def _nearest(word: str, known: list[str]) -> list[str]:
    """The names most like a word, in their order; none when too many are."""
    letters, numbers = _letters_and_numbers(word)
    scored: list[tuple[float, str]] = []
    for name in known:
        its_letters, its_numbers = _letters_and_numbers(name)
        if numbers not in (its_numbers, []) or len(letters) > LONGEST_COMPARED:
            continue
        alike = difflib.SequenceMatcher(None, letters, its_letters)
        if alike.quick_ratio() >= SIMILAR and (ratio := alike.ratio()) >= SIMILAR:
            scored.append((ratio, name))
    best = max((ratio for ratio, _ in scored), default=0.0)
    near = [name for ratio, name in scored if ratio > best - 1e-9]
    return near if len(near) <= MOST_OFFERED else []


def _letters_and_numbers(name: str) -> tuple[str, list[int]]:
    """``Nerve-01`` as ``nerve`` and 1: case, separators and leading zeros tell no names apart."""
    parts = re.split(r"([0-9]+)", name.casefold())
    letters = re.sub(r"[\s_.+/-]+", "", "#".join(parts[0::2]))
    return letters, [int(digits[:18]) for digits in parts[1::2]]
