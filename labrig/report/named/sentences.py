"""Each answer as a sentence that a technician understands and a statistician signs."""

from __future__ import annotations

from collections.abc import Sequence

from labrig.report.named.answers import Answer


def sentence_of(answer: Answer) -> str:
    """What the answer shows, or why it shows nothing."""
    start = f"{_where(answer)}{_question(answer)}"
    if answer.estimate is None:
        return f"{_capital(start)} cannot be told: {answer.why_not or 'nothing was measured'}."
    told = f"{_value(answer)}{_interval(answer)}"
    if answer.p is None or answer.p_holm is None:
        why = f"; no test: {answer.why_not}" if answer.why_not else ""
        return f"{_capital(start)} is {told}{why}."
    shown = "shown" if answer.shown else "not shown"
    what = _what(answer)
    return (
        f"{_capital(start)} is {told}: {what} is {shown} (p = {answer.p:.2g}, "
        f"{_over_all(answer.p_holm)})."
    )


def summary(answers: Sequence[Answer]) -> str:
    """How many questions were named, answered and shown; "" without any."""
    asked = [each for each in answers if each.tested]
    if not asked:
        return ""
    tested = [each for each in asked if each.p is not None]
    shown = [each for each in asked if each.shown]
    said = f"{_count(len(asked), 'question')} named in the protocol"
    if len(tested) < len(asked):
        said += f", {len(tested)} of them with a test"
    if not tested:
        return f"{said}."
    return (
        f"{said}; {len(shown) or 'none'} shown at 5 % over all of them together (Holm). The others "
        "are not shown to be absent."
    )


def _count(many: int, word: str) -> str:
    return f"{many} {word}" + ("" if many == 1 else "s")


def _where(answer: Answer) -> str:
    return {"over donors": f"over {answer.n}, " if answer.n.endswith("donors") else "over donors, ",
            "in this donor": "in this donor, "}.get(answer.scope, "")  # fmt: skip


def _question(answer: Answer) -> str:
    asked = f" ({answer.asked})" if answer.asked else ""
    if answer.kind == "order" and answer.against:
        return (
            f"the time of {answer.of.split(': ', 1)[-1]} over that of {answer.against} in "
            + (answer.of.split(": ", 1)[0])
        )
    if answer.kind == "order":
        return f"{answer.readout} in {answer.of}{asked}"
    if answer.kind == "recovered-fraction":
        if not answer.against:
            return f"the recovered fraction of {answer.readout} after a {answer.of}"
        return f"the lasting deficit of {answer.readout} with the length of the gap"
    if answer.kind == "interaction":
        return f"{answer.readout}, {answer.asked},"
    against = f" against {answer.against}" if answer.against else ""
    return f"{answer.readout}{asked} of {answer.of}{against}"


def _value(answer: Answer) -> str:
    value = answer.value
    assert value is not None
    if answer.scale == "ratio":
        return f"× {value:.3f}"
    unit = f" {answer.unit}" if answer.unit else ""
    return f"{value:+.3g}{unit}"


def _interval(answer: Answer) -> str:
    if answer.interval is None:
        return ""
    low, high = answer.interval
    form = "{:.3f}" if answer.scale == "ratio" else "{:+.3g}"
    return f" (95 % interval {form.format(low)} to {form.format(high)})"


def _what(answer: Answer) -> str:
    return {
        "order": "this order",
        "interaction": "an interaction",
        "recovered-fraction": "a lasting deficit that grows or shrinks with the gap",
        "time-to-loss": "a difference",
        "between-donors": "a difference between these donors",
    }.get(answer.kind, "a difference")


def _over_all(p: float) -> str:
    return "< 0.0001 over all named" if p < 0.0001 else f"{p:.2g} over all named"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
