"""YAML text to a tree of nodes that know their line, under limits: nothing in it is executed.

ruamel.yaml scans and parses; the tree is put together here, because a file of a few bytes can
ask a composer for any amount of memory (anchors that double nine times), or for Python objects.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.nodes import ScalarNode

from labrig.yaml_slips import DRIVE, ESCAPES, yaml_slip

MAX_DEPTH = 40
"""Of lists and keys within each other; a protocol needs nine [P]."""

MAX_NODES = 50_000
"""Keys, values and items that are written; a bench of 96 wells has some 15,000 [P]."""

LONGEST_NUMBER = 40  # digits; Python's own limit for text of an integer is 4,300

# control characters, and halves of a character that no file can hold
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_NO_CHARACTER = re.compile(r"\\U(?!000|0010)[0-9A-Fa-f]{8}")
_TAG = "tag:yaml.org,2002:"


class NotYaml(Exception):
    """The text cannot be used; ``line`` and ``column`` are counted from 1."""

    def __init__(self, line: int, column: int, what: str, remedy: str) -> None:
        self.line, self.column, self.what, self.remedy = line, column, what, remedy
        super().__init__(what)


@dataclass(eq=False, slots=True)
class Node:
    """A mapping (``entries``), a list (``items``) or a single value (``value``).

    Nodes are shared where an alias names them; none contains itself.

    Attributes:
        entries: of a mapping: (key, node of the key, node of the value), in order.
        merges: of a mapping: the mappings that ``<<`` brings in, the first one first.
    """

    kind: Literal["mapping", "list", "value"]
    line: int
    column: int
    value: Any = None
    items: list[Node] = field(default_factory=list)
    entries: list[tuple[str, Node, Node]] = field(default_factory=list)
    merges: list[Node] = field(default_factory=list)


def compose(text: str) -> Node | None:
    """The one document in ``text``; None when it holds nothing.

    Raises:
        NotYaml: it is no YAML, holds what a protocol has no use for, or is beyond the limits.
    """
    composer = _Composer(text)
    for event in _events(text):
        composer.take(event)
    return composer.root


def _events(text: str) -> Iterator[Any]:
    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (1, 1) if mark is None else (mark.line + 1, mark.column + 1)
        slip = yaml_slip(text, line)
        if slip is not None:
            raise NotYaml(slip.line, 1, f"not YAML: {slip.what}", slip.remedy) from None
        what = ", ".join(str(part) for part in (error.context, error.problem) if part)
        raise NotYaml(line, column, f"not YAML: {what}", _CHECK_LINE) from None
    except YAMLError as error:
        at = getattr(error, "position", 0)
        line = text.count("\n", 0, at) + 1
        what, remedy = str(error).splitlines()[0], "Retype this line in a plain text editor."
        raise NotYaml(line, 1, f"not YAML: {what}", remedy) from None
    except (ValueError, OverflowError):
        found = _NO_CHARACTER.search(text)
        at = found.start() if found else 0
        what = f"not YAML: {text[at : at + 10]} is no character"
        raise NotYaml(text.count("\n", 0, at) + 1, 1, what, ESCAPES) from None


_CHECK_LINE = (
    "Check this line and the one above: the indent, a missing colon or a missing space after it, "
    "an open quote or bracket."
)


class _Composer:
    """Takes the events of one document one by one."""

    def __init__(self, text: str) -> None:
        self.root: Node | None = None
        self._text = text
        self._resolver = YAML(typ="safe", pure=True).resolver
        self._open: list[_Open] = []
        self._anchors: dict[str, Node | None] = {}  # None: still open
        self._documents = 0
        self._nodes = 0

    def take(self, event: Any) -> None:  # noqa: ANN401 - ruamel's events have no common type
        match event:
            case DocumentStartEvent():
                self._begin_document(event)
            case AliasEvent():
                self._put(self._named(event), event)
            case ScalarEvent():
                self._count(event)
                node = self._node("value", event)
                node.value = self._scalar(event)
                self._put(node, event, event.value if event.implicit[0] else None)
            case MappingStartEvent() | SequenceStartEvent():
                self._count(event)
                if len(self._open) == MAX_DEPTH:
                    what = f"lists and keys stand within each other more than {MAX_DEPTH} deep"
                    raise _at(event, what, "Close the brackets; nothing here needs such depth.")
                mapping = isinstance(event, MappingStartEvent)
                node = self._node("mapping" if mapping else "list", event)
                if event.anchor:
                    self._anchors[event.anchor] = None
                self._open.append(_Open(node, event))
            case MappingEndEvent() | SequenceEndEvent():
                done = self._open.pop()
                self._put(done.node, done.event)
            case _:
                pass

    def _begin_document(self, event: Any) -> None:  # noqa: ANN401
        self._documents += 1
        if self._documents > 1:
            what = "a second document begins here (`---`), and a file holds one"
            raise _at(event, what, "Put the two into files of their own.")
        if event.version not in (None, (1, 2)):
            what = "the file says that it is YAML of another version than 1.2"
            raise _at(event, what, "Remove the line that begins with %YAML: `on` is a word here.")

    def _node(self, kind: Literal["mapping", "list", "value"], event: Any) -> Node:  # noqa: ANN401
        tag = event.tag
        if tag:
            shown = str(tag).replace(_TAG, "!!")
            raise _at(
                event,
                f"the tag {shown[:60]} asks for a type, and a type is never asked for here",
                "Remove it; put quotes around what is meant as text.",
            )
        return Node(kind, event.start_mark.line + 1, event.start_mark.column + 1)

    def _count(self, event: Any) -> None:  # noqa: ANN401
        self._nodes += 1
        if self._nodes > MAX_NODES:
            what = f"there are more than {MAX_NODES:,} keys and values"
            raise _at(event, what, "This is no protocol and no rig: name another file.")

    def _named(self, event: Any) -> Node:  # noqa: ANN401
        if event.anchor not in self._anchors:
            what = f"nothing before this line is marked &{event.anchor[:60]}"
            raise _at(event, what, "Mark what is meant with it, above this line.")
        node = self._anchors[event.anchor]
        if node is None:
            what = f"*{event.anchor[:60]} stands inside what it names, which has no end"
            raise _at(event, what, "Write out what is meant.")
        return node

    def _put(self, node: Node, event: Any, plain: str | None = None) -> None:  # noqa: ANN401
        """Into what is open; ``plain``: the text of an unquoted value."""
        if not isinstance(event, AliasEvent) and event.anchor:
            self._anchors[event.anchor] = node
        if not self._open:
            self.root = node
            return
        into = self._open[-1]
        if into.node.kind == "list":
            into.node.items.append(node)
        elif into.key is None:
            into.key = (self._key(node, event, plain), node)
        else:
            key, key_node = into.key
            into.key = None
            self._enter(into, key, key_node, node)

    def _key(self, node: Node, event: Any, plain: str | None) -> str:  # noqa: ANN401
        text = plain if plain is not None else str(node.value)
        if node.kind != "value" or (plain is not None and not plain):
            what = "a key is one word or text, and here stands " + (
                "none" if node.kind == "value" else f"a {node.kind}"
            )
            raise _at(event, what, "Write `key: value`.")
        return text

    def _enter(self, into: _Open, key: str, key_node: Node, node: Node) -> None:
        if key == "<<" and key_node.value == "<<":
            brought = node.items if node.kind == "list" else [node]
            if any(one.kind != "mapping" for one in brought):
                raise NotYaml(
                    key_node.line,
                    key_node.column,
                    "<< brings in keys with values, and none are named",
                    "Write `<<: *name` of what is marked `&name` above.",
                )
            into.node.merges += brought
            return
        if key in into.keys:
            raise NotYaml(
                key_node.line,
                key_node.column,
                f'found duplicate key "{key}"',
                "Keep one of the two: YAML would silently take only one of them.",
            )
        into.keys.add(key)
        into.node.entries.append((key, key_node, node))

    def _scalar(self, event: Any) -> Any:  # noqa: ANN401
        raw = self._text[event.start_mark.index : event.end_mark.index]
        if event.style == '"' and (_UNPRINTABLE.search(event.value) or DRIVE.match(raw)):
            found = re.search(r"\\.", raw)
            what = (
                f"a backslash in double quotes: {found.group() if found else raw[:20]} is one sign"
            )
            raise _at(event, what, ESCAPES)
        if not event.implicit[0]:
            return event.value
        tag = str(self._resolver.resolve(ScalarNode, event.value, (True, False)))
        return self._plain(event, tag.removeprefix(_TAG))

    def _plain(self, event: Any, kind: str) -> Any:  # noqa: ANN401
        text: str = event.value
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        if kind in ("int", "float") and len(text) > LONGEST_NUMBER:
            what = f"{text[:10]}… is a number of {len(text)} digits"
            raise _at(event, what, f"Write at most {LONGEST_NUMBER}, or quotes around a text.")
        if kind == "int":
            return _whole(text.replace("_", ""))
        if kind == "float":
            return float(re.sub(r"\.(?=inf|nan)", "", text.replace("_", "").lower()))
        if kind == "timestamp" and re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            try:
                return date.fromisoformat(text)
            except ValueError:
                what = f"there is no day {text}"
                raise _at(event, what, "Write year-month-day, as 2026-11-23.") from None
        return text


@dataclass(slots=True)
class _Open:
    """A mapping or list whose end has not come; ``key``: the key that waits for its value."""

    node: Node
    event: Any
    key: tuple[str, Node] | None = None
    keys: set[str] = field(default_factory=set)


def _whole(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-")
    for prefix, base in (("0b", 2), ("0o", 8), ("0x", 16)):
        if digits.startswith(prefix):
            return sign * int(digits[2:], base)
    return sign * int(digits)


def _at(event: Any, what: str, remedy: str) -> NotYaml:  # noqa: ANN401
    return NotYaml(event.start_mark.line + 1, event.start_mark.column + 1, what, remedy)
