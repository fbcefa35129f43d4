"""Reads a YAML file into plain data, and remembers the line of every key and item."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from labrig.problems import FileProblems, KeyPath, Problem


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data and where each part of it stands.

    Attributes:
        data: dicts, lists, str, int, float, bool, None, date.
        places: by path, (line, column), both counted from 1.
    """

    file: Path
    data: Any
    places: dict[KeyPath, tuple[int, int]]

    def place(self, path: KeyPath) -> tuple[int, int]:
        """Where ``path`` stands, or the nearest thing that encloses it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, (1, 1))


def read_yaml(path: Path) -> Document:
    """Read one file.

    Raises:
        FileProblems: missing, unreadable, not UTF-8, empty, not YAML, a key twice, not a mapping.
    """
    tree = _parse(_text(path), path)
    if tree is None:
        raise _problem(path, "the file is empty", "Copy one from the catalogue: `labrig init DIR`.")
    if not isinstance(tree, CommentedMap):
        raise _problem(
            path,
            f"the file holds {_kind(tree)}, not keys with values",
            "Write `key: value` lines, as the files of the catalogue do.",
        )
    places: dict[KeyPath, tuple[int, int]] = {}
    return Document(path, _plain(tree, (), places), places)


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise _problem(
            path, "there is no such file", f"Check the name; the folder is {path.parent.resolve()}."
        ) from None
    except OSError as error:
        raise _problem(
            path, f"the file cannot be read: {error.strerror}", "Name a file that you may read."
        ) from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _problem(
            path,
            f"byte 0x{raw[error.start]:02x} is not UTF-8",
            "Save the file as UTF-8 (in the editor: Save with encoding).",
            line,
        ) from None


def _parse(text: str, path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    try:
        return YAML(typ="rt").load(text)
    except DuplicateKeyError as error:
        line, column = _mark(error)
        what = str(error.problem).split(" with value")[0]
        remedy = "Keep one of the two: YAML would silently take only one of them."
        raise _problem(path, what, remedy, line, column) from None
    except MarkedYAMLError as error:
        line, column = _mark(error)
        what = ", ".join(str(part) for part in (error.context, error.problem) if part)
        raise _problem(path, f"not YAML: {what}", _yaml_remedy(text, line), line, column) from None
    except YAMLError as error:
        what = str(error).splitlines()[0]
        raise _problem(path, f"not YAML: {what}", "Retype it in a plain text editor.") from None


def _mark(error: MarkedYAMLError) -> tuple[int, int]:
    mark = error.problem_mark or error.context_mark
    return (1, 1) if mark is None else (mark.line + 1, mark.column + 1)


def _yaml_remedy(text: str, line: int) -> str:
    lines = text.splitlines()
    if line <= len(lines) and "\t" in lines[line - 1]:
        return "Replace the tab by spaces: YAML is indented with spaces only."
    return (
        "Check this line and the one above: the indent, a missing colon or a missing space "
        "after it, an open quote or bracket."
    )


def _problem(path: Path, what: str, remedy: str, line: int = 1, column: int = 1) -> FileProblems:
    return FileProblems([Problem(path, line, column, "", "", what, remedy)])


def _plain(node: Any, path: KeyPath, places: dict[KeyPath, tuple[int, int]]) -> Any:  # noqa: ANN401
    """``node`` without ruamel's types; fills ``places`` on the way."""
    if isinstance(node, CommentedMap):
        plain = {}
        for key, value in node.items():
            here = (*path, str(key))
            # keys that a merge (<<) brought in have no place of their own
            if key in node.lc.data:
                line, column = node.lc.key(key)
                places[here] = (line + 1, column + 1)
            plain[str(key)] = _plain(value, here, places)
        return plain
    if isinstance(node, CommentedSeq):
        items = []
        for index, value in enumerate(node):
            here = (*path, index)
            line, column = node.lc.item(index)
            places[here] = (line + 1, column + 1)
            items.append(_plain(value, here, places))
        return items
    for plain_type in (bool, int, float, str):
        if isinstance(node, plain_type):
            return plain_type(node)
    if isinstance(node, datetime):
        return node.isoformat()
    if isinstance(node, date) or node is None:
        return node
    return str(node)


def _kind(value: object) -> str:
    return "a list" if isinstance(value, CommentedSeq) else "a single value"
