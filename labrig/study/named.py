"""Named outcomes of several runs: answered from all of their wells together."""

from __future__ import annotations

from collections.abc import Sequence

from labrig.protocol.analysis_plan import plan_in_force
from labrig.protocol.readouts import Readout
from labrig.report.analysis import Analysis
from labrig.report.named.all import answers, remembered
from labrig.report.named.answers import Answer
from labrig.report.named.grounds import Grounds
from labrig.report.readouts import Ask, Series, nothing
from labrig.study.pooling import Pooled, in_run


def named_of_study(runs: Sequence[Analysis], pooled: Pooled) -> tuple[Answer, ...]:
    """Every outcome that the study's protocol names, over the donors of all runs.

    An entry of ``donors:`` in one run is none of another's, so that a donor's passage may differ
    from plate to plate; its person is one donor in all of them.

    Args:
        runs: that belong together.
        pooled: their wells as those of one design.
    """
    first = runs[0].record.protocol
    donors = {
        in_run(number, well): donor.model_copy(
            update={"id": in_run(number, donor.id), "person": donor.person or donor.id}
        )
        for number, run in enumerate(runs, 1)
        for well, donor in run.grounds.donors.items()
    }
    grounds = Grounds(
        protocol=first,
        plan=plan_in_force(first),
        design=pooled.design,
        donors=donors,
        series=remembered(lambda known, ask: _series(runs, known, ask)),
        treated_from_s=runs[0].treated_from_s,
        censored_from_s={
            in_run(number, well): from_s
            for number, run in enumerate(runs, 1)
            for well, from_s in run.grounds.censored_from_s.items()
        },
        # Their wells are in the design no more.
        failed=frozenset(),
    )
    return answers(grounds)


def _series(runs: Sequence[Analysis], known: Readout, ask: Ask) -> Series:
    """A read-out of all runs; moments that one run cut short are left out in that run alone."""
    import pandas as pd

    parts, starts_s = [], dict[int, float]()
    for number, run in enumerate(runs, 1):
        own = run.grounds.series(known, ask)
        if own.why_not:
            continue
        table = own.table[~own.table["moment"].isin(list(own.cut_off))]
        parts.append(table.assign(well=[in_run(number, well) for well in table["well"]]))
        for moment, at_s in own.starts_s.items():
            starts_s.setdefault(moment, at_s)
    if not parts:
        return nothing(f"{known.words} was measured in no run")
    return Series(pd.concat(parts, ignore_index=True), starts_s, frozenset())
