"""pydantic's errors in a technician's words: what is wrong, and how to mend it."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date
from typing import Any

from pydantic_core import ErrorDetails

from labrig import places
from labrig.problems import KeyPath, did_you_mean
from labrig.slips import meant_name, other_word, slip_of_number

LONGEST_SHOWN = 80  # of what somebody wrote

_LIMITS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}

# What pydantic calls a value of the wrong type, and what should stand there.
_WANTED = {
    "tuple_type": "a list: lines that begin with '- ', or [a, b]",
    "list_type": "a list: lines that begin with '- ', or [a, b]",
    "dict_type": "keys with values, one `key: value` a line",
    "model_type": "keys with values, one `key: value` a line",
    "model_attributes_type": "keys with values, one `key: value` a line",
    "string_type": "text; put quotes around a number that is meant as text",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "finite_number": "a number",
    "date_type": "a date, as 2026-11-23",
    "date_parsing": "a date, as 2026-11-23",
    "date_from_datetime_parsing": "a date, as 2026-11-23",
}


def explain(
    detail: ErrorDetails,
    path: KeyPath,
    missing: KeyPath,
    schema: dict[str, Any],
    value: Any,  # noqa: ANN401 - whatever stands in the file
    beside: Collection[str] = (),
) -> tuple[str, str]:
    """What is wrong and how to mend it.

    Args:
        detail: pydantic's own account of the error.
        path: where in the file it is.
        missing: the rest of the path, when a key is missing there.
        schema: JSON schema of the whole file, for the keys that may stand at ``path``.
        value: what stands at ``path``, before any conversion.
        beside: the keys that stand there together with the last of ``path``.
    """
    kind, context = detail["type"], detail.get("ctx", {})
    if "remedy" in context:
        return detail["msg"], str(context["remedy"])
    if "example" in context:
        return detail["msg"], f"Write it with a unit, for example {context['example']}."
    if kind == "extra_forbidden":
        known = sorted(_keys_at(schema, path[:-1]))
        if str(path[-1]).isdigit():
            return (
                f"'{path[-1]}' stands here as a key, after a comma",
                "Within { } and [ ] a comma ends a value: write the number without one.",
            )
        return f"'{path[-1]}' is not a key here", offered(str(path[-1]), known, beside)
    if kind == "missing":
        return f"'{missing[-1]}' is missing", f"Add a line `{missing[-1]}: ...`."
    if kind == "too_short":
        least = int(context.get("min_length", 1))
        if not value:
            return "the list is empty", "Name at least one."
        have = int(context.get("actual_length", len(value)))
        return f"{have} is named, and at least {least} are wanted", f"Name {least} or more."
    if kind == "literal_error" and detail["loc"][-1] == "[key]":
        choices = re.findall(r"'([^']+)'", context["expected"])
        return f"'{path[-1]}' is not a key here", did_you_mean(str(path[-1]), choices)
    if kind == "literal_error":
        # Short ones are no likeness: "none" is two letters from "on", and its contrary.
        choices = re.findall(r"'([^']{4,})'", context["expected"])
        meant = did_you_mean(str(value), choices) if choices else ""
        said = f"{meant} " if meant.startswith("Did you mean") else ""
        return (
            f"{_short(value)} is not one of the choices",
            f"{said}Write {context['expected']}.",
        )
    if kind == "union_tag_not_found":
        return "it does not say of which kind it is", f"Add `{_key(context)}: ...`."
    if kind == "union_tag_invalid":
        tags = re.findall(r"'([^']+)'", context["expected_tags"])
        likely = did_you_mean(str(context["tag"]), tags)
        write = f"Write one of {', '.join(tags)}."
        return (
            f"'{context['tag']}' is no {_key(context)}",
            f"{likely} {write}" if likely.startswith("Did you mean") else write,
        )
    if kind == "string_pattern_mismatch":
        return _no_name(str(detail["input"]))
    if kind in _LIMITS:
        key, words = _LIMITS[kind]
        return f"{_short(value)} is out of range", f"Give {words} {context[key]:g}."
    if kind == "int_parsing" and detail["loc"][-1] == "[key]":
        return f"the key '{path[-1]}' is no whole number", "Write the number before the colon."
    if kind in ("float_parsing", "int_parsing"):
        means = "" if "_" in str(path[-1]) else _description(schema, path, _kinds(detail))
        slip = slip_of_number(str(value), kind == "int_parsing", means)
        if slip is not None:
            return f"{_short(value)} {slip.what}", slip.remedy
    if value is None and kind in _WANTED:
        return (
            "nothing stands here (what follows a # is a comment)",
            f"Write {_WANTED[kind]}. Put quotes around a text that begins with #.",
        )
    if kind in _WANTED:
        wanted = _in_its_place(kind, value, schema, path) or _WANTED[kind]
        return f"{_short(value)} will not do here", f"Write {wanted}."
    return f"{detail['msg']} (found {_short(value)})", "Compare with a file of the catalogue."


def offered(key: str, known: list[str], beside: Collection[str] = ()) -> str:
    """What a key that does not stand here may be: by another word for it, or by its letters.

    Args:
        key: as it was written.
        known: what may stand there.
        beside: what stands there already: no other word is meant for that.
    """
    meant = other_word(key, [name for name in known if name not in beside])
    return f"Did you mean '{meant}'?" if meant else did_you_mean(key, known)


def _in_its_place(kind: str, value: object, schema: dict[str, Any], path: KeyPath) -> str:
    """What somebody may have meant with a value of another shape; "" where nobody knows."""
    wanted = _WANTED[kind]
    if wanted.startswith("a list"):
        if isinstance(value, dict):
            return "a list: put '- ' before its first key, or [ ] around its { }"
        if re.fullmatch(rf"{places.NAME} ?[-:] ?{places.NAME}", str(value)):
            return "a list with each of its wells: [A1, A2, ...]"
        return f"a list: [{value}], or lines that begin with '- '"
    if wanted.startswith("keys"):
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return "a name before each: `NAME: {...}`, without '- '"
        needed = _needed_at(schema, path)
        if len(needed) == 1 and re.fullmatch(r"[\w.+-]+", str(value)):
            return f"keys with values, here `{{{needed.pop()}: {value}}}`"
        if needed:
            return f"keys with values: `{{{', '.join(f'{key}: ...' for key in sorted(needed))}}}`"
    if wanted.startswith("text") and isinstance(value, list):
        return "one of them, without [ ]"
    means = _description(schema, path)
    if wanted.startswith("text") and means.startswith("e.g. "):
        return f"text, {means}"
    if wanted == "a whole number" and isinstance(value, str) and means:
        return f"{wanted}: {means}"
    return ""


def _kinds(detail: ErrorDetails) -> set[str]:
    """Which of several kinds pydantic took a set of keys for (``=quantiles``)."""
    return {str(part)[1:] for part in detail["loc"] if str(part).startswith("=")}


def _description(schema: dict[str, Any], path: KeyPath, kinds: Collection[str] = ()) -> str:
    """What the JSON schema says of the key at ``path``, there in these kinds; "" for nothing."""
    key = next((part for part in reversed(path) if isinstance(part, str)), "")
    nodes = [schema]
    for part in path[: len(path) - 1 - path[::-1].index(key)] if key else ():
        nodes = [step for node in _resolved(nodes, schema) for step in _step(node, part)]
    found = [node["properties"] for node in _resolved(nodes, schema) if "properties" in node]
    of_kind = [keys for keys in found if keys.get("kind", {}).get("const") in kinds]
    of_key = [keys.get(key) for keys in of_kind or found]
    return next((str(node["description"]) for node in of_key if node and "description" in node), "")


def _key(context: dict[str, Any]) -> str:
    """The key that says which of several kinds is meant."""
    return str(context.get("discriminator", "kind")).strip("'")


def _no_name(text: str) -> tuple[str, str]:
    shown = _short(text)
    rule = "A name is letters, digits, '-', '_', '.', '+', and begins with a letter or digit."
    meant = meant_name(text)
    return f"{shown} is not a name", f"Write '{meant}'. {rule}" if meant else rule


def _short(value: object) -> str:
    if isinstance(value, dict):
        return "a set of keys"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, date):
        return value.isoformat()
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _keys_at(schema: dict[str, Any], path: KeyPath) -> set[str]:
    """The keys that the JSON schema allows in the mapping at ``path``."""
    nodes = [schema]
    for part in path:
        nodes = [step for node in _resolved(nodes, schema) for step in _step(node, part)]
    return {key for node in _resolved(nodes, schema) for key in node.get("properties", {})}


def _needed_at(schema: dict[str, Any], path: KeyPath) -> set[str]:
    """The keys that the mapping at ``path`` must have, of whichever kind it is."""
    nodes = [schema]
    for part in path:
        nodes = [step for node in _resolved(nodes, schema) for step in _step(node, part)]
    kinds = [node for node in _resolved(nodes, schema) if "properties" in node]
    return set.intersection(*(set(node.get("required", ())) for node in kinds)) if kinds else set()


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
        found = [node.get("items")]
    elif part in node.get("properties", {}):
        found = [node["properties"][part]]
    else:
        found = [node.get("additionalProperties"), *node.get("patternProperties", {}).values()]
    return [inside for inside in found if isinstance(inside, dict)]
