"""Which rules a run has, and how what is measured comes to them."""

from __future__ import annotations

from collections.abc import Mapping

from labrig.plan.plan import Plan
from labrig.record.clock import Mailbox
from labrig.record.consumption import reservoirs_now
from labrig.record.recovery import RunState
from labrig.rig.bench import BenchSpec
from labrig.run.air import air_at, watches_of
from labrig.run.by_hand import look_of, shown
from labrig.run.desk import Desk
from labrig.run.handlers import measures_of
from labrig.run.interlocks import Interlocks, Watch
from labrig.run.measured import Measured
from labrig.run.orders import ForDispatcher, ForWorker
from labrig.run.rig_rules import Hold, RigRule, level_of, standing
from labrig_drivers.instrument import installed_types


def rules_of_a_run(
    plan: Plan,
    bench: BenchSpec,
    desk: Desk,
    state: RunState,
    dispatcher: Mailbox[ForDispatcher],
    workers: Mapping[str, Mailbox[ForWorker]],
    hold: Hold,
) -> Interlocks:
    """The rules; from now on the desk passes on what they ask for.

    Args:
        plan: names the rig's own rules.
        bench: whose probes are judged by the rules of every run.
        desk: clock, journal and board.
        state: which rules stood when an earlier runner died.
        dispatcher: where it hears of what is measured.
        workers: mailbox of the worker of each instrument; what is suspended is so at once.
        hold: holds the run.
    """
    types = installed_types()
    watches: list[Watch] = []
    for instrument in bench.instruments:
        if types[instrument.type].kind in ("probe", "controller"):
            name = instrument.name
            watches += watches_of(desk, name, air_at(plan, name), measures_of(instrument))
    rules = {i.name: RigRule(i, desk, workers, hold) for i in plan.interlocks}
    watches += [rule.watch() for rule in rules.values()]
    stood = standing(plan.interlocks, state.interlocks)
    for interlock, _ in stood:
        # Before any level: what is suspended must not begin at a takeover.
        rules[interlock.name].suspend()
    interlocks = Interlocks(watches, [trip for _, trip in stood])
    for entered in state.entered.values():
        # Nobody reads it again by itself: its age goes on, and so does what it broke.
        desk.show_by_hand(entered.meter, shown(entered))
        dispatcher.put(look_of(entered))
    levels = {level_of(i.reservoir) for i in plan.interlocks if i.reservoir}

    def pass_on(look: Measured) -> None:
        if look.instrument in interlocks.instruments:
            dispatcher.put(look)
        if levels and "delivered_ul" in look.values:
            for left in reservoirs_now(plan, desk.consumption, look.at_s):
                if (level := level_of(left.reservoir)) in levels:
                    dispatcher.put(Measured(level, {"left_ml": left.left_ml}, look.at_s))

    desk.judge_by(pass_on)
    return interlocks
