"""The error rules of one run: those of its protocol, else of its rig, else the defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from labrig.error_rules import CASES, Action, Error, ErrorRule
from labrig.plan.timeline import OnUnknown
from labrig.protocol.error_entries import ErrorEntries, ErrorEntry
from labrig.protocol.models import Protocol
from labrig.rig.models import Rig


def error_rules_of(protocol: Protocol, rig: Rig) -> tuple[ErrorRule, ...]:
    """One for every case that there is, whether or not somebody wrote it down."""
    return tuple(
        _said(
            protocol.errors,
            key,
            _said(rig.errors, key, _by_older_keys(protocol, case.rule)),
        )
        for key, case in CASES.items()
    )


def on_unknown_dose(protocol: Protocol, rig: Rig) -> OnUnknown:
    """What every dose of a run says of itself."""
    [rule] = [
        rule
        for rule in error_rules_of(protocol, rig)
        if (rule.action, rule.error) == ("dose", "unknown_outcome")
    ]
    if rule.then == "ask":
        return "ask"
    return "redo" if protocol.rules.on_unknown_dose == "redo" else "assume_done"


def _by_older_keys(protocol: Protocol, rule: ErrorRule) -> ErrorRule:
    if (rule.action, rule.error) == ("dose", "unknown_outcome"):
        asks = protocol.rules.on_unknown_dose == "ask"
        return replace(rule, then="ask" if asks else "continue")
    return rule


def _said(entries: ErrorEntries, key: tuple[Action, Error], rule: ErrorRule) -> ErrorRule:
    entry = _entry(entries, key)
    if entry is None:
        return rule
    return replace(
        rule,
        retries=rule.retries if entry.retry is None else entry.retry,
        apart_s=rule.apart_s if entry.apart_s is None else entry.apart_s,
        then=rule.then if entry.then is None else entry.then,
        default=rule.default if entry.default is None else entry.default,
        after_s=rule.after_s if entry.after_s is None else entry.after_s,
    )


def _entry(entries: Mapping[Action, Mapping[Error, ErrorEntry]], key: tuple[Action, Error]) -> (
    ErrorEntry | None
):  # fmt: skip
    action, error = key
    return entries.get(action, {}).get(error)
