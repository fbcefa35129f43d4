"""Reads a YAML file into plain data, and remembers the line of every key and item."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labrig.problems import FileProblems, KeyPath, Problem
from labrig.yaml_nodes import MAX_DEPTH, Node, NotYaml, compose

MAX_BYTES = 512 * 1024
"""Of a file; the largest bench of the catalogue has 17 kB [P]."""

MAX_REPEATED = 10_000
"""Keys and values that aliases (``*name``, ``<<``) repeat [P]."""

# the longer marks first: that of UTF-32 begins like that of UTF-16
_OTHER_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_SAVE = "Save the file as UTF-8 (in the editor: Save with encoding)."


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
    """Read one file. What it may cost is limited, and nothing in it is executed.

    Raises:
        FileProblems: missing, unreadable, not UTF-8, too large, empty, not YAML, a key twice, not
            a mapping.
    """
    try:
        root = compose(_text(path))
    except NotYaml as error:
        raise _problem(path, error.what, error.remedy, error.line, error.column) from None
    if root is None or (root.kind == "value" and root.value is None):
        raise _problem(path, "the file is empty", "Copy one from the catalogue: `labrig init DIR`.")
    if root.kind != "mapping":
        held = "a list" if root.kind == "list" else "a single value"
        raise _problem(
            path,
            f"the file holds {held}, not keys with values",
            "Write `key: value` lines, as the files of the catalogue do.",
        )
    places: dict[KeyPath, tuple[int, int]] = {}
    try:
        return Document(path, _Plain(places).of(root, ()), places)
    except NotYaml as error:
        raise _problem(path, error.what, error.remedy, error.line, error.column) from None


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _problem(
            path, "there is no such file", f"Check the name; the folder is {path.parent.resolve()}."
        ) from None
    except OSError as error:
        raise _problem(
            path, f"the file cannot be read: {error.strerror}", "Name a file that you may read."
        ) from None
    if len(raw) > MAX_BYTES:
        what = f"the file is larger than {MAX_BYTES // 1024} kB"
        raise _problem(path, what, "This is no protocol and no rig: name another file.")
    for mark, name in _OTHER_ENCODINGS:
        if raw.startswith(mark):
            raise _problem(path, f"the file is {name}, not UTF-8", _SAVE)
    if b"\x00" in raw:
        line = raw[: raw.index(b"\x00")].count(b"\n") + 1
        what = "not YAML: a zero byte; the file is UTF-16 or UTF-32, or no text at all"
        raise _problem(path, what, _SAVE, line)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _problem(path, f"byte 0x{raw[error.start]:02x} is not UTF-8", _SAVE, line) from None


def _problem(path: Path, what: str, remedy: str, line: int = 1, column: int = 1) -> FileProblems:
    return FileProblems([Problem(path, line, column, "", "", what, remedy)])


class _Plain:
    """Nodes as dicts, lists and values, and ``places`` filled on the way.

    What an alias repeats stands in the places of what it names, and is counted: anchors that
    double nine times would fill any memory.
    """

    def __init__(self, places: dict[KeyPath, tuple[int, int]]) -> None:
        self._places = places
        self._seen: set[int] = set()
        self._repeated = 0
        self._depth = 0

    def of(self, node: Node, path: KeyPath) -> Any:  # noqa: ANN401 - whatever the file holds
        """The plain data of ``node``."""
        if id(node) in self._seen:
            self._repeated += 1
            if self._repeated > MAX_REPEATED:
                raise NotYaml(
                    node.line,
                    node.column,
                    f"aliases (*) repeat more than {MAX_REPEATED:,} keys and values",
                    "Write out what is meant: anchors that name anchors multiply.",
                )
        self._seen.add(id(node))
        if node.kind == "value":
            return node.value
        if self._depth == MAX_DEPTH:
            what = f"lists and keys stand within each other more than {MAX_DEPTH} deep"
            raise NotYaml(node.line, node.column, what, "Write out what the aliases (*) mean.")
        self._depth += 1
        plain = self._mapping(node, path) if node.kind == "mapping" else self._list(node, path)
        self._depth -= 1
        return plain

    def _list(self, node: Node, path: KeyPath) -> list[Any]:
        items = []
        for index, item in enumerate(node.items):
            here = (*path, index)
            self._places[here] = (item.line, item.column)
            items.append(self.of(item, here))
        return items

    def _mapping(self, node: Node, path: KeyPath) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        for key, key_node, value in node.entries:
            here = (*path, key)
            self._places[here] = (key_node.line, key_node.column)
            plain[key] = self.of(value, here)
        for brought in node.merges:  # a key of its own comes first, then the first that has it
            for key, value in self._brought(brought, path).items():
                plain.setdefault(key, value)
        return plain

    def _brought(self, node: Node, path: KeyPath) -> dict[str, Any]:
        """What ``<<`` brings in; where the mapping has a key of its own, that place stays."""
        own, self._places = self._places, {}
        try:
            plain: dict[str, Any] = self.of(node, path)
        finally:
            theirs, self._places = self._places, own
        for where, place in theirs.items():
            own.setdefault(where, place)
        return plain
