"""From a YAML file to a checked model, with every mistake placed and explained."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from labrig.problems import FileProblems, KeyPath, Problem, did_you_mean, dotted
from labrig.yaml_file import Document, read_yaml

ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True)
class Loaded(Generic[ModelT]):
    """A model and the file it came from.

    Attributes:
        sha256: of the canonical content: the same whatever the formatting, comments, order of
            keys, or unit that a quantity is written in; defaults in force are part of it.
    """

    model: ModelT
    path: Path
    sha256: str
    document: Document

    def line_of(self, path: str | KeyPath) -> int:
        """The line of ``arms.tonic.targets.CNTF``, or of the nearest thing that encloses it."""
        if isinstance(path, str):
            by_text = {dotted(keys): keys for keys in self.document.places}
            while path and path not in by_text:
                path = path.rpartition(".")[0]
            path = by_text.get(path, ())
        return self.document.place(path)[0]

    def cite(self, path: str) -> str:
        """``demo.yaml:31 arms.tonic.targets.CNTF``, as findings name a place."""
        return f"{self.path.name}:{self.line_of(path)} {path}"


def load(path: Path, model: type[ModelT]) -> Loaded[ModelT]:
    """Read, check, and remember where everything stands.

    Raises:
        FileProblems: with all that is wrong, in the order of the lines.
    """
    document = read_yaml(path)
    try:
        checked = model.model_validate(document.data)
    except ValidationError as error:
        schema = model.model_json_schema()
        found = [_problem(detail, document, schema) for detail in error.errors(include_url=False)]
        unique = dict.fromkeys(found)
        raise FileProblems(sorted(unique, key=lambda p: (p.line, p.column, p.path))) from None
    return Loaded(checked, path, canonical_sha256(checked), document)


def canonical_sha256(model: BaseModel) -> str:
    """SHA-256 of the model as JSON with sorted keys and quantities in the model's own units."""
    text = json.dumps(
        model.model_dump(mode="json", by_alias=True),
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _problem(detail: ErrorDetails, document: Document, schema: dict[str, Any]) -> Problem:
    path, missing = _path_in(document.data, detail["loc"])
    what, remedy = _explain(detail, path, missing, schema)
    line, column = document.place(path)
    value = detail["input"]
    shown = str(value) if isinstance(value, (str, int, float, bool)) else ""
    return Problem(document.file, line, column, dotted((*path, *missing)), shown, what, remedy)


def _path_in(data: Any, loc: tuple[str | int, ...]) -> tuple[KeyPath, KeyPath]:  # noqa: ANN401
    """Split pydantic's ``loc`` into the path that exists and a key that is missing.

    Parts that name a branch of a union, or mark a key (``[key]``), stand for nothing in the file.
    """
    path: list[str | int] = []
    missing: list[str | int] = []
    for part in loc:
        inside = isinstance(data, dict) and part in data
        within = isinstance(data, list) and isinstance(part, int) and part < len(data)
        if inside or within:
            data = data[part]
            path.append(part)
        elif isinstance(data, dict) and part not in ("[key]", "constant", "steps"):
            missing.append(part)
    return tuple(path), tuple(missing)


def _explain(
    detail: ErrorDetails, path: KeyPath, missing: KeyPath, schema: dict[str, Any]
) -> tuple[str, str]:
    """What is wrong and how to mend it, in a technician's words."""
    kind, context = detail["type"], detail.get("ctx", {})
    if "remedy" in context:
        return detail["msg"], str(context["remedy"])
    if "example" in context:
        return detail["msg"], f"Write it with a unit, for example {context['example']}."
    if kind == "extra_forbidden":
        known = sorted(_keys_at(schema, path[:-1]))
        return f"'{path[-1]}' is not a key here", did_you_mean(str(path[-1]), known)
    if kind == "missing":
        return f"'{missing[-1]}' is missing", f"Add a line `{missing[-1]}: ...`."
    if kind == "literal_error":
        return f"{detail['input']!r} is not one of the choices", f"Write {context['expected']}."
    if kind == "string_pattern_mismatch":
        return (
            f"{detail['input']!r} is not a valid name",
            "Wells are a row letter and a column number (B3); other names are letters, digits, "
            "'-', '_', '.', '+', and begin with a letter or digit.",
        )
    limits = {
        "greater_than": ("gt", "more than"),
        "greater_than_equal": ("ge", "at least"),
        "less_than": ("lt", "less than"),
        "less_than_equal": ("le", "at most"),
    }
    if kind in limits:
        key, words = limits[kind]
        return f"{detail['input']!r} is out of range", f"Give {words} {context[key]:g}."
    return f"{detail['msg']} (found {detail['input']!r})", "Compare with a file of the catalogue."


def _keys_at(schema: dict[str, Any], path: KeyPath) -> set[str]:
    """The keys that the JSON schema allows in the mapping at ``path``."""
    nodes = [schema]
    for part in path:
        nodes = [step for node in _resolved(nodes, schema) for step in _step(node, part)]
    return {key for node in _resolved(nodes, schema) for key in node.get("properties", {})}


def _resolved(nodes: list[dict[str, Any]], schema: dict[str, Any]) -> list[dict[str, Any]]:
    """``nodes`` with references followed and unions laid open."""
    out: list[dict[str, Any]] = []
    todo = list(nodes)
    while todo:
        node = todo.pop()
        if "$ref" in node:
            todo.append(schema["$defs"][node["$ref"].rpartition("/")[2]])
        todo += [*node.get("anyOf", ()), *node.get("oneOf", ()), *node.get("allOf", ())]
        out.append(node)
    return out


def _step(node: dict[str, Any], part: str | int) -> list[dict[str, Any]]:
    if isinstance(part, int):
        inside = node.get("items")
    else:
        inside = node.get("properties", {}).get(part, node.get("additionalProperties"))
    return [inside] if isinstance(inside, dict) else []
