"""What a report compares: its arms, their wells with their carriers, and the arm beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from labrig.plan.allocation import by_person, with_carriers
from labrig.plan.chip_units import arm_levels
from labrig.plan.experimental_units import Contrast, Levels, contrast
from labrig.plan.plan import WellPlan
from labrig.protocol.analysis_plan import reference_arm
from labrig.protocol.models import Protocol
from labrig.rig.models import Rig


@dataclass(frozen=True, slots=True)
class Design:
    """Who got what through which carriers.

    Attributes:
        levels: by arm, in the protocol's order.
        control: the arm all others are compared with; None when there is none.
    """

    wells: tuple[WellPlan, ...]
    levels: Levels
    control: str | None

    def contrast(self, arms: Sequence[str], donors: Sequence[str] | None = None) -> Contrast:
        """What can be said of these arms, in these donors; None: in all."""
        wells = [well for well in self.wells if donors is None or well.donor in donors]
        return contrast(wells, self.levels, arms)


def design_of(protocol: Protocol, rig: Rig, wells: Sequence[WellPlan]) -> Design:
    """The design of a plan, also of one that was compiled before plans named carriers.

    Its donors are persons: passages of one donor are not two donors.
    """
    own = by_person(with_carriers(wells, protocol, rig), protocol)
    return Design(own, arm_levels(protocol, rig), reference_arm(protocol))
