"""The chambers of a plate as the model of doses sees them: lines, what they bring, what is lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class FactorLoss:
    """How fast a factor disappears at 37 °C; ``basis`` is ``assumed`` or ``measured``.

    ``low_h``/``high_h`` are the ends of the credible range, equal to the value when none is given.
    ``unit``: of its concentration, where it is another than ng/mL. ``molar_mass_kda``: of a small
    molecule, of which people think in molar amounts.
    """

    factor: str
    half_life_h: float
    low_h: float
    high_h: float
    basis: str
    unit: str = "ng/mL"
    molar_mass_kda: float | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """What one position of a selector valve brings.

    Attributes:
        position: by the name that the valve has for it.
        solution: the medium or stock in its reservoir; "": nothing is planned there.
        contents_ng_ml, cold_half_life_h: as of an inlet.
    """

    position: str
    reservoir: str
    solution: str
    contents_ng_ml: tuple[tuple[str, float], ...]
    cold_half_life_h: float | None


@dataclass(frozen=True, slots=True)
class Inlet:
    """One line into one well, as the dose model sees it.

    Attributes:
        line: name of the line in the rig.
        pump: the pump that moves it; ``share`` of that pump's rate enters this well (a line that
            feeds four wells splits evenly: 0.25).
        solution: the medium or stock loaded; empty when the line stays idle.
        contents_ng_ml: ``(factor, concentration)`` as it arrives, tubing recovery included.
        dead_volume_ul: what must be displaced, of this well's share, before the solution
            arrives; 0 for a primed line. ``spread_ul`` is the standard deviation of that front.
        cold_half_life_h: decay of the reservoir at 4 °C; None: stable.
        valve: a selector before the line; "" without one. Then ``choices`` are what it brings, and
            ``solution`` and its contents those that it is there for; ``tube_ul``, of this well's
            share, lies between valve and tip, and ``filled_with`` is the position whose liquid
            fills it at the start ("": plain medium).
        source: the chamber whose effluent it brings, where no reservoir is at its beginning. It
            brings at most what flows in there; ``tube_ul`` is what it holds, medium at first.
    """

    line: str
    pump: str
    share: float
    solution: str
    contents_ng_ml: tuple[tuple[str, float], ...]
    dead_volume_ul: float
    spread_ul: float
    cold_half_life_h: float | None
    valve: str = ""
    choices: tuple[Choice, ...] = ()
    tube_ul: float = 0.0
    filled_with: str = ""
    source: ChamberPlan | None = None

    def brings(self, factor: str) -> bool:
        """Whether any of a factor can come through it."""
        if self.source is not None and self.source.can_hold(factor):
            return True
        held = (self.contents_ng_ml, *(choice.contents_ng_ml for choice in self.choices))
        return any(dict(contents).get(factor, 0.0) > 0 for contents in held)


@dataclass(frozen=True, slots=True)
class ChamberPlan:
    """One well as a stirred chamber: what the dose ledger models concentrations with.

    ``secretes``: by conditioned medium, how much its cells add an hour to what it holds; said of
    chambers whose effluent another one gets.
    """

    well: str
    volume_ml: float
    inlets: tuple[Inlet, ...]
    secretes: tuple[tuple[str, float], ...] = ()

    def can_hold(self, factor: str) -> bool:
        """Whether any of a factor can come into it."""
        made = dict(self.secretes).get(factor, 0.0) > 0
        return made or any(inlet.brings(factor) for inlet in self.inlets)


@dataclass(frozen=True, slots=True)
class Draw:
    """What a pump takes from a reservoir: ``lines`` tubes, each at the pump's rate.

    Behind a selector only while ``valve`` stands at ``position``; "" without one.
    """

    reservoir: str
    pump: str
    carries: Literal["medium", "additive"]
    lines: int
    valve: str = ""
    position: str = ""
