"""Answers as a forest: each with its interval, and the units or donors it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from labrig.report.drawing import COLOURS, INK, QUIET, new_figure, styled, to_svg
from labrig.report.named.answers import Answer

_ROW_IN, _HEAD_IN = 0.3, 0.9
LONGEST_LABEL = 52


@styled
def answers_figure(answers: Sequence[Answer]) -> str | None:
    """Inline SVG: ratios in one panel, differences in one for each unit; None without any."""
    known = [each for each in answers if each.value is not None and each.tested]
    panels: dict[str, list[Answer]] = {}
    for each in known:
        panels.setdefault("ratio" if each.scale == "ratio" else each.unit or "difference",
                          []).append(each)  # fmt: skip
    if not panels:
        return None
    heights = [len(own) * _ROW_IN + _HEAD_IN for own in panels.values()]
    figure, axes = new_figure(7.2, sum(heights), len(panels), 1)
    for axis, (name, own) in zip(axes, panels.items(), strict=True):
        _panel(axis, name, own)
    return to_svg(figure, "named")


def _panel(panel: Any, name: str, answers: Sequence[Answer]) -> None:  # noqa: ANN401 - matplotlib's
    none = 1.0 if name == "ratio" else 0.0
    for at, answer in enumerate(answers):
        colour = COLOURS[0] if answer.shown else QUIET
        if answer.interval is not None:
            panel.plot(answer.interval, [at, at], color=colour, linewidth=2.0)
        panel.plot(answer.value, at, "o", color=colour, markersize=6)
    panel.axvline(none, color=INK, linewidth=0.8)
    if name == "ratio":
        panel.set_xscale("log")
        low, high = panel.get_xlim()
        low, high = min(low, 0.8), max(high, 1.25)
        panel.set_xlim(low, high)
        ticks = [t for t in (0.1, 0.2, 0.3, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 3.0, 5.0, 10.0)
                 if low <= t <= high]  # fmt: skip
        panel.set_xticks(ticks, [f"{t:g}" for t in ticks])
        panel.minorticks_off()
    panel.set_xlabel("ratio" if name == "ratio" else f"difference ({name})")
    panel.set_yticks(range(len(answers)), [_label(each) for each in answers], fontsize=8)
    panel.set_ylim(len(answers) - 0.5, -0.5)
    panel.grid(axis="y", visible=False)


def _label(answer: Answer) -> str:
    who = answer.of if answer.kind != "interaction" else ""
    # An outcome without a name is called by all of its read-outs, of which this is one.
    called = "" if ", " in answer.outcome else answer.outcome
    text = ": ".join(x for x in (called, who) if x)
    if answer.readout not in text:
        text = f"{text}, {answer.readout}"
    if answer.kind == "quantiles":
        text = f"{text}, {answer.asked.split(',', 1)[0].removesuffix(' quantile')}"
    return text if len(text) <= LONGEST_LABEL else f"{text[: LONGEST_LABEL - 1]}…"
