"""One sentence per arm, that a statistician signs and a technician understands."""

from __future__ import annotations

from labrig.report.arms.classes import CLASSES, Finding
from labrig.report.arms.verdicts import ArmsVerdict, ArmVerdict

_LOST = {"myopenia-like": "mass", "dynapenia-like": "strength", "low-quality": "quality"}
_WORDS = {"mass": "diameter", "strength": "contraction", "quality": "contraction over diameter"}


def sentence_of(arm: ArmVerdict, all_arms: ArmsVerdict) -> str:
    """What is shown of one arm, and what is not."""
    shown = _shown(arm)
    told = "; ".join(_ratio(name, found) for name, found in shown)
    start = f"{_where(arm, all_arms)}{arm.arm}"
    if arm.label in CLASSES:
        how = _lost(arm)
        said = f"{start} is {arm.label} against {arm.against}: {told}; {how} ({_p(arm.p)})."
    elif arm.label == "none":
        said = (
            f"{start} lost neither mass nor strength, as the definition has them, against "
            f"{arm.against}: {'; '.join(_kept(n, found, all_arms) for n, found in shown)}."
        )
    elif arm.label == "undecided":
        known = ", ".join(f"{_WORDS[name]} {_state(found)}" for name, found in shown)
        said = f"{start} is undecided against {arm.against}: {told}; {known}."
    else:
        reasons = "; ".join(arm.reasons)
        if arm.label == "cannot be told":
            # Of plumbing the reason says the label again.
            why = f" {reasons.removeprefix('cannot be told ')}"
        else:
            why = f" ({reasons})" if reasons else ""
        words = {
            "cannot be told": f"cannot be told from {arm.against}",
            "not interpreted": f"is not interpreted against {arm.against}, "
            + ("beyond its gate, which it did not show" if arm.gate else "behind a closed gate"),
            "cytotoxic/confounded": f"is cytotoxic/confounded against {arm.against}",
            "not assessable": f"cannot be assessed against {arm.against}",
        }[arm.label]
        return f"{start} {words}{why}{'. ' + _capital(told) if told else ''}."
    return said + (f" {_capital('; '.join(arm.reasons))}." if arm.reasons else "")


def scope_of(all_arms: ArmsVerdict) -> str:
    """Whom all of it is about, and under which plan; a sentence or two."""
    plan = all_arms.plan
    planned = f" of {plan.donors.planned} planned" if plan.donors is not None else ""
    if all_arms.donors < 2:
        who = f"One donor{planned}: what follows is about that donor and says nothing about people."
    else:
        who = f"{all_arms.donors}{planned} donors."
    why = "; ".join(all_arms.exploratory)
    return who + (f" Exploratory: {why}." if why else "")


def _where(arm: ArmVerdict, all_arms: ArmsVerdict) -> str:
    """On how many donors it rests; a read-out that rests on others than the first is named."""
    counts = {name: len(found.effect.donors) for name, found in _shown(arm) if found.effect.donors}
    most, least = max(counts.values(), default=0), min(counts.values(), default=0)
    if most < 2:
        return "In this donor, " if all_arms.donors < 2 else ""
    if most == least:
        return f"Over {most} donors, "
    told = (f"{_WORDS[name]} {_of_donors(count)}" for name, count in counts.items())
    return f"Over unlike donors ({', '.join(told)}), "


def _of_donors(count: int) -> str:
    return "in one only" if count == 1 else f"over {count}"


def _lost(arm: ArmVerdict) -> str:
    """Which loss is shown, and how large it is shown to be."""
    shown = arm.grade == "at least the threshold"
    if arm.label == "sarcopenia-like":
        return (
            "each loss shown to be at least as large as its threshold"
            if shown
            else "both losses shown, their estimates past the thresholds; not shown to be as large"
        )
    of_what = _WORDS[_LOST[arm.label]]
    return f"the loss of {of_what} shown " + (
        "to be at least as large as its threshold"
        if shown
        else "with an estimate past its threshold; not shown to be as large"
    )


def _shown(arm: ArmVerdict) -> list[tuple[str, Finding]]:
    pairs = [("mass", arm.mass), ("strength", arm.strength)]
    if arm.label == "low-quality":
        pairs.append(("quality", arm.quality))
    return [(name, found) for name, found in pairs if found is not None]


def _ratio(name: str, found: Finding) -> str:
    estimate, effect = found.effect.estimate, found.effect
    if estimate is None:
        return f"{_WORDS[name]} unknown ({effect.why_not})"
    if estimate.ratio_interval is None:
        return f"{_WORDS[name]} × {estimate.ratio:.2f} at {effect.hours:.1f} h (no error known)"
    low, high = estimate.ratio_interval
    return (
        f"{_WORDS[name]} × {estimate.ratio:.2f} at {effect.hours:.1f} h "
        f"(95 % interval {low:.2f} to {high:.2f}, {_p(found.claim.loss)})"
    )


def _kept(name: str, found: Finding, all_arms: ArmsVerdict) -> str:
    """Why there is no loss: the interval that the two one-sided tests look at, and no other."""
    estimate, same = found.effect.estimate, found.equivalent
    if estimate is None or same is None:
        return _ratio(name, found)
    level = 1.0 - 2.0 * all_arms.plan.error_rate
    why = (
        f"within the margin of {1 / same.margin:.2f} to {same.margin:.2f}"
        if same.shown
        else f"above its threshold of {found.threshold:.2f}"
    )
    return (
        f"{_WORDS[name]} × {estimate.ratio:.2f} at {found.effect.hours:.1f} h, {why} "
        f"({level * 100:g} % interval {same.low:.2f} to {same.high:.2f}: one-sided tests at "
        f"{all_arms.plan.error_rate * 100:g} % each)"
    )


def _state(found: Finding) -> str:
    if found.effect.estimate is None or found.claim.loss is None:
        return "cannot be told"
    if found.grade == "none":
        return "is not lost"
    if found.grade == "undecided":
        less = ", less than the threshold by its estimate" if found.any_loss else ""
        return f"shows a loss{less}" if found.any_loss else "shows neither a loss nor its absence"
    return "is lost"


def _p(p: float | None) -> str:
    if p is None:
        return "no p"
    if p < 0.0001:
        return "p < 0.0001 over the page"
    return f"p = {p:.2g} over the page" if p < 0.1 else f"p = {p:.2f} over the page"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
