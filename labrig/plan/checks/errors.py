"""Whether the error rules of protocol and rig ask for what is safe, and can be carried out."""

from __future__ import annotations

from collections.abc import Iterator

from labrig.error_rules import CASES, WAITED, Action, Case, Error, ErrorRule
from labrig.plan.checks.draft import Draft
from labrig.plan.findings import Finding
from labrig.protocol.error_entries import ErrorEntries, ErrorEntry


def check(draft: Draft) -> Iterator[Finding]:
    """Findings ``errors.*`` and ``viability.*``."""
    rules = {(rule.action, rule.error): rule for rule in draft.plan.errors}
    for file, entries in (("protocol", draft.protocol.errors), ("rig", draft.rig.errors)):
        yield from _of_a_file(file, entries, rules)
    redo = draft.protocol.rules.on_unknown_dose == "redo"
    if redo and rules["dose", "unknown_outcome"].then == "ask":
        yield _block(
            "errors.contradict",
            "protocol: rules.on_unknown_dose",
            "`redo` gives what is certainly missing, and `errors` has a person asked",
            "keep one of the two",
        )
    yield from _viability(draft)


def _of_a_file(
    file: str, entries: ErrorEntries, rules: dict[tuple[Action, Error], ErrorRule]
) -> Iterator[Finding]:
    for action, by_error in entries.items():
        for error, entry in by_error.items():
            where = f"{file}: errors.{action}.{error}"
            case = CASES.get((action, error))
            if case is None:
                known = [name for act, name in CASES if act == action]
                yield _block(
                    "errors.no-such",
                    where,
                    f"a {action} cannot meet '{error}'",
                    f"use one of {', '.join(known)}",
                )
            elif case.governed_by:
                yield _block(
                    "errors.governed",
                    where,
                    f"what is done about it stands in `{case.governed_by}`",
                    f"write it there, and remove errors.{action}.{error}",
                )
            else:
                yield from _of_a_case(where, case, entry, rules[action, error])


def _of_a_case(where: str, case: Case, entry: ErrorEntry, rule: ErrorRule) -> Iterator[Finding]:
    if entry.retry and case.never_again:
        yield _block(
            "errors.unsafe-retry",
            f"{where}.retry",
            f"{entry.retry} x again is not safe: {case.never_again}",
            "remove `retry`; `then: ask` has a person decide",
        )
    if entry.apart_s is not None and (rule.action, rule.error) not in WAITED:
        yield Finding(
            "errors.own-time",
            "warn",
            f"{where}.apart",
            "it is tried again in its own time, whatever stands here",
            "remove `apart`",
        )
    if entry.default and entry.default not in case.answers:
        yield _block(
            "errors.no-such-answer",
            f"{where}.default",
            f"'{entry.default}' is no answer to it",
            f"use one of {', '.join(a for a in case.answers if a not in case.risky)}",
        )
    elif entry.default in case.risky:
        yield _block(
            "errors.unsafe-default",
            f"{where}.default",
            f"'{entry.default}' is a person's to say: {case.never_again}",
            f"use one of {', '.join(a for a in case.answers if a not in case.risky)}, or none",
        )
    sound = next((a for a in case.answers if a not in case.risky), "")
    if bool(rule.default) != bool(rule.after_s):
        yield _block(
            "errors.half-a-default",
            where,
            "`default` and `after` go together",
            f"write both, e.g. `default: {sound}` and `after: 30 min`, or neither",
        )
    if (entry.default or entry.after_s) and rule.then != "ask":
        yield _block(
            "errors.nobody-asked",
            where,
            f"nobody is asked (`then: {rule.then}`), so no answer is ever taken",
            "write `then: ask`, or remove `default` and `after`",
        )


def _viability(draft: Draft) -> Iterator[Finding]:
    rules = draft.plan.rules
    if rules.short_gap_s > rules.viable_gap_s:
        yield _block(
            "viability.order",
            "protocol: viability.short",
            f"{rules.short_gap_s / 60:g} min is more than `limit`, {rules.viable_gap_s / 60:g} min",
            "make `limit` the longer of the two",
        )


def _block(code: str, where: str, why: str, remedy: str) -> Finding:
    return Finding(code, "block", where, why, remedy)
