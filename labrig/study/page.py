"""The study's page: words and rows for its template."""

from __future__ import annotations

import math
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from labrig.report.analysis import Analysis
from labrig.report.arms.effects import Effect
from labrig.report.arms.sentences import scope_of, sentence_of
from labrig.report.arms.verdicts import ArmsVerdict
from labrig.report.maker import Maker
from labrig.report.named.drawing import answers_figure
from labrig.report.named.rows import rows_of
from labrig.report.named.sentences import summary
from labrig.report.standing import when_known
from labrig.study.analysis import Forest, StudyAnalysis
from labrig.study.forest import forest_figure

READOUTS = {"mass": "diameter", "strength": "contraction"}


def render_study(study: StudyAnalysis, maker: Maker) -> str:
    """The whole page as one self-contained document."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined)
    template = environment.from_string(
        files("labrig.study").joinpath("templates/study.html.j2").read_text("utf-8")
    )
    css = files("labrig.report").joinpath("templates/report.css").read_text("utf-8")
    together = effects_together(study.arms)
    definition = study.definition
    thresholds = {"mass": definition.low_mass_m, "strength": definition.low_strength_s}
    drawn = forest_figure(study.forests, together, thresholds)
    return template.render(
        css=Markup(css),
        forest=Markup(drawn) if drawn else None,
        study=study,
        title=study.runs[0].record.protocol.title,
        simulated=any(run.record.identity.get("simulated") for run in study.runs),
        tests=not study.standing.failures,
        scope=scope_of(study.arms),
        arms=[(arm, sentence_of(arm, study.arms)) for arm in study.arms.arms],
        otherwise=[(arm, sentence_of(arm, study.otherwise)) for arm in study.otherwise.arms],
        set_name=study.plan.analysis_set,
        other_set=other_set(study),
        checks=[check_row(forest, together) for forest in study.forests],
        thresholds=thresholds,
        committed=committed,
        named=rows_of(study.named),
        named_summary=summary(study.named),
        named_figure=Markup(figure) if (figure := answers_figure(study.named)) else None,
        maker=maker,
    )


def committed(run: Analysis) -> str:
    """When a run's commitment in force at its start was made, and how that is known."""
    shown = run.record.commitment
    if shown is None:
        return "none"
    before = shown.entries[: len(shown.entries) - shown.after_data] or shown.entries
    return f"{before[-1]['utc']}, {when_known(shown)}"


def other_set(study: StudyAnalysis) -> str:
    """The name of the analysis set that is not the planned one."""
    names = ("per-protocol", "intention-to-treat")
    return names[1 - names.index(study.plan.analysis_set)]


def effects_together(arms: ArmsVerdict) -> dict[tuple[tuple[str, str], str], Effect]:
    """By contrast and read-out, the effect over all donors."""
    found = {}
    for arm in arms.arms:
        for name, of_readout in (("mass", arm.mass), ("strength", arm.strength)):
            if of_readout is not None:
                found[(arm.arm, arm.against), name] = of_readout.effect
    return found


def check_row(
    forest: Forest, together: Mapping[tuple[tuple[str, str], str], Effect]
) -> dict[str, Any]:
    """The primary estimate beside the random-effects check of one contrast and read-out."""
    effect = together.get((forest.pair, forest.readout))
    estimate = None if effect is None else effect.estimate
    joined = forest.joined
    return {
        "contrast": f"{forest.pair[0]} v {forest.pair[1]}",
        "readout": READOUTS[forest.readout],
        "donors": 0 if effect is None else len(effect.donors),
        "ratio": None if estimate is None else estimate.ratio,
        "interval": None if estimate is None else estimate.ratio_interval,
        "method": (effect.method or effect.why_not) if effect is not None else "not measured",
        "check": None if joined is None else joined.mean.ratio,
        "check_interval": None if joined is None else joined.mean.ratio_interval,
        "prediction": None if joined is None else _exp(joined.prediction),
        "i2": None if joined is None else joined.i2,
    }


def _exp(limits: tuple[float, float]) -> tuple[float, float]:
    return math.exp(limits[0]), math.exp(limits[1])
