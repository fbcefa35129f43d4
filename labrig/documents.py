"""From a YAML file to a checked model, with every mistake placed and explained."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from labrig.explanations import explain, offered
from labrig.problems import FileProblems, KeyPath, Problem, dotted
from labrig.yaml_file import Document, read_yaml

MOST_PROBLEMS = 60
"""Of one file that are explained; a file of anything else has thousands."""

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


@dataclass(frozen=True, slots=True)
class Mistaken:
    """Another kind of file that a person may name here by mistake: the key that gives it away."""

    key: str
    what: str
    remedy: str


def load(path: Path, model: type[ModelT], mistaken: Mistaken) -> Loaded[ModelT]:
    """Read, check, and remember where everything stands.

    Args:
        path: a YAML file.
        model: what it must be.
        mistaken: what is said, once, instead of all that such a file lacks and has too much.

    Raises:
        FileProblems: with all that is wrong, in the order of the lines.
    """
    document = read_yaml(path)
    try:
        checked = model.model_validate(document.data)
    except ValidationError as error:
        if (mistaken.key,) in document.places:
            line, column = document.place((mistaken.key,))
            confused = Problem(
                document.file, line, column, mistaken.key, "", mistaken.what, mistaken.remedy
            )
            raise FileProblems([confused]) from None
        raise FileProblems(_problems(error, document, model)) from None
    return Loaded(checked, path, canonical_sha256(checked), document)


def canonical_sha256(model: BaseModel) -> str:
    """SHA-256 of the model as JSON with sorted keys and quantities in the model's own units."""
    return sha256_of_text(whole_text(model))


def whole_text(model: BaseModel) -> str:
    """All that a model says as JSON, in its own order: that of arms is the order they are shown."""
    return json.dumps(
        model.model_dump(mode="json", by_alias=True), separators=(",", ":"), ensure_ascii=False
    )


def sha256_of_text(text: str) -> str:
    """The :func:`canonical_sha256` of the model that :func:`whole_text` wrote."""
    canonical = json.dumps(
        json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


def _problems(error: ValidationError, document: Document, model: type[BaseModel]) -> list[Problem]:
    """All that pydantic found, in the order of the lines; no more of it than a person can read."""
    schema = model.model_json_schema()
    details = _without_echoes(error.errors(include_url=False))
    details.sort(key=lambda detail: document.place(_path_in(document.data, detail["loc"])[0]))
    told = _once(_problem(detail, document, schema) for detail in details[:MOST_PROBLEMS])
    found = sorted(told, key=lambda p: (p.line, p.column, p.path))
    if (more := len(details) - MOST_PROBLEMS) > 0:
        what = f"there are {more} more mistakes, in this line and after it"
        remedy = "Mend those above first, then check again."
        found.append(replace(found[-1], path="", value="", what=what, remedy=remedy))
    return found


def _once(found: Iterable[Problem]) -> list[Problem]:
    """Without what an alias repeats: one mistake in one place, under the path it is written at."""
    kept: dict[tuple[int, int, str, str], Problem] = {}
    for problem in found:
        kept.setdefault((problem.line, problem.column, problem.what, problem.remedy), problem)
    return list(kept.values())


def _without_echoes(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """Without what another mistake has as its consequence.

    "Too short" of a list whose items are wrong, of which pydantic counts only those it kept; a key
    that is missing because it stands there under another name.
    """
    unknown = [detail["loc"] for detail in details if detail["type"] == "extra_forbidden"]
    return [
        detail
        for detail in details
        if not (
            detail["type"] == "too_short"
            and any(
                len(other["loc"]) > len(detail["loc"])
                and other["loc"][: len(detail["loc"])] == detail["loc"]
                for other in details
            )
        )
        and not (
            detail["type"] == "missing"
            and any(
                loc[:-1] == detail["loc"][:-1]
                and offered(str(loc[-1]), [str(detail["loc"][-1])]).startswith("Did you mean")
                for loc in unknown
            )
        )
    ]


def _problem(detail: ErrorDetails, document: Document, schema: dict[str, Any]) -> Problem:
    path, missing = _path_in(document.data, detail["loc"])
    value = _written(document.data, path)
    around = _written(document.data, path[:-1])
    beside = [key for key in around if key not in path[-1:]] if isinstance(around, dict) else []
    what, remedy = explain(detail, path, missing, schema, value, beside)
    line, column = document.place(path)
    shown = str(value) if isinstance(value, (str, int, float, bool)) and not missing else ""
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
        elif isinstance(data, dict) and not _is_mark(part) and part != data.get("kind"):
            missing.append(part)
    return tuple(path), tuple(missing)


def _is_mark(part: str | int) -> bool:
    """Whether it names a branch of a union (``=order``) or marks a key."""
    return part == "[key]" or str(part).startswith("=")


def _written(data: Any, path: KeyPath) -> Any:  # noqa: ANN401 - whatever stands in the file
    """What stands at ``path``, before any conversion."""
    for part in path:
        data = data[part]
    return data
