"""The table of ``docs/error-rules.md``, made of the rules themselves.

``python -m labrig.plan.error_rules_page`` prints it; a test says when the page is stale.
"""

from __future__ import annotations

from labrig.error_rules import CASES, Case, ErrorRule


def table() -> str:
    """One row a case, in Markdown."""
    lines = [
        "| action | error | again | then | answers of `ask` | what it is |",
        "|---|---|---|---|---|---|",
    ]
    for (action, error), case in CASES.items():
        cells = (f"`{action}`", f"`{error}`", _again(case), _then(case), _answers(case), case.means)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def never() -> str:
    """What no rule can have repeated, and why, as a list in Markdown."""
    return "".join(
        f"* `{action}.{error}`: {case.never_again}.\n"
        for (action, error), case in CASES.items()
        if case.never_again
    )


def _again(case: Case) -> str:
    if case.governed_by:
        return ""
    if case.never_again:
        return "**never**"
    return _tries(case.rule)


def _tries(rule: ErrorRule) -> str:
    if rule.retries is None:
        return "until it answers"
    if not rule.retries:
        return "no"
    apart = f", {rule.apart_s:g} s apart" if rule.apart_s else ""
    return f"{rule.retries} x{apart}"


def _then(case: Case) -> str:
    return f"by `{case.governed_by}`" if case.governed_by else f"`{case.rule.then}`"


def _answers(case: Case) -> str:
    if case.governed_by:
        return ""
    return ", ".join(
        f"`{answer}`" + (" (never by default)" if answer in case.risky else "")
        for answer in case.answers
    )


if __name__ == "__main__":
    print(table())
    print(never())
