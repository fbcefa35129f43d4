"""Amounts as people write them: by mass, by molecules, or as a share of a mixture.

Concentrations of factors are kept in ng/mL, strengths of mixtures as multiples (1 is ``1 x`` and
``100 %``). What a molar amount is in ng/mL only the factor's ``molar_mass`` tells, so amounts are
turned before the model reads them, and back when it is written down.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from labrig.problems import did_you_mean
from labrig.units import Unconvertible

_AMOUNT = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S+)\s*")
_MOLAR = {"M": 1.0, "mM": 1e-3, "uM": 1e-6, "nM": 1e-9, "pM": 1e-12, "fM": 1e-15}
_MOLAR |= {
    f"{unit.removesuffix('M')}mol/{per}": size * parts
    for unit, size in list(_MOLAR.items())
    for per, parts in (("L", 1.0), ("l", 1.0), ("mL", 1e3), ("ml", 1e3))
}
_TIMES = ("x", "X", "×")
_NG_ML = re.compile(r"(\S+) ng/mL")
SMALL_KDA = 2.0
"""Below it people think of a substance in molar amounts [P]."""
_G_MOL = 1000.0  # g/mol in a kDa
_NG_ML_PER_G_L = 1e6


def kilodaltons(text: object) -> object:
    """``258 g/mol`` as ``0.258 kDa``; anything else as it is."""
    match = _AMOUNT.fullmatch(text) if isinstance(text, str) else None
    if match is None or match[2] not in ("g/mol", "kg/mol"):
        return text
    size = float(match[1]) / (_G_MOL if match[2] == "g/mol" else 1.0)
    return f"{size:.12g} kDa"


class _Strength:
    """A multiple, written ``50 x`` or ``100 %``."""

    def __get_pydantic_core_schema__(
        self,
        source: Any,  # noqa: ANN401 - pydantic's signature
        handler: GetCoreSchemaHandler,
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            parse_strength,
            handler(source),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: None if value is None else f"{value:.12g} x",
            ),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "type": "string",
            "description": "a multiple, e.g. '50 x' or '100 %'",
            "pattern": r"^\s*[-+]?[0-9.]+([eE][-+]?[0-9]+)?\s*[xX×%]",
        }


def parse_strength(text: object) -> float:
    """A multiple from ``50 x`` or ``100 %``.

    Raises:
        PydanticCustomError: anything else.
    """
    match = _AMOUNT.fullmatch(text) if isinstance(text, str) else None
    size = None if match is None else _times(match[2])
    if match is None or size is None:
        raise PydanticCustomError(
            "unit_unknown",
            "{value} is not a strength",
            {"value": repr(text), "example": "'50 x' or '100 %'"},
        )
    return float(f"{float(match[1]) * size:.12g}")


def _times(unit: str) -> float | None:
    if unit in _TIMES:
        return 1.0
    return 0.01 if unit == "%" else None


def amounts_to_model(document: Mapping[str, Any]) -> dict[str, Any]:
    """A protocol as it was written, its amounts in the units of the model.

    What cannot be turned is marked (:class:`labrig.units.Unconvertible`), so that its place is
    told with all other mistakes.
    """
    turned = dict(document)
    for key in ("arms", "stocks", "mixtures", "assays"):
        if key in document:
            turned[key] = _walk(document[key], _Known(document), key)
    return turned


def amounts_to_text(written: Mapping[str, Any]) -> dict[str, Any]:
    """A protocol as the model writes it, with strengths of mixtures as strengths."""
    mixtures = written.get("mixtures") or {}
    if not mixtures:
        return dict(written)
    return {
        key: _strengths(value, frozenset(mixtures)) if key in ("arms", "assays") else value
        for key, value in written.items()
    }


class _Known:
    """Names that amounts may be of."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.factors = _mapping(document.get("factors"))
        self.mixtures = _mapping(document.get("mixtures"))

    def turned(self, name: str, text: object) -> object:
        """One amount in the model's unit; as it is where the model can read it itself."""
        mixed = name in self.mixtures and name not in self.factors
        if mixed and isinstance(text, int | float) and not isinstance(text, bool):
            return Unconvertible(
                str(text),
                f"{text} has no unit, and '{name}' is a mixture",
                f"Write how strong it is to be, for example '{text} %' or '{text} x'.",
            )
        match = _AMOUNT.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            return text
        number, unit = float(match[1]), match[2].replace("µ", "u").replace("μ", "u")
        if (times := _times(unit)) is not None:
            return self._strength(name, str(text), number * times, unit)
        if mixed:
            return Unconvertible(
                str(text),
                f"{text!r}: '{name}' is a mixture, and its amount is a strength",
                "Write how strong it is to be, for example '1 x' or '33 %'.",
            )
        if unit not in _MOLAR:
            return text
        return self._molar(name, str(text), number * _MOLAR[unit])

    def _strength(self, name: str, text: str, multiple: float, unit: str) -> str:
        if name in self.mixtures:
            return f"{multiple:.12g} ng/mL"
        if name not in self.factors:
            known = [*self.factors, *self.mixtures]
            return _unknown(name, text, known)
        what = "a per cent" if unit == "%" else "a multiple"
        return Unconvertible(
            text,
            f"{text!r} is {what} of something, and '{name}' is a factor",
            "Write a concentration, for example '10 ng/mL' or '5 uM' (1 % by mass is 10 mg/mL); "
            f"or declare '{name}' under `mixtures:` if it is a medium or a mixture.",
        )

    def _molar(self, name: str, text: str, molar: float) -> str:
        if name not in self.factors:
            return _unknown(name, text, list(self.factors))
        mass = _mapping(self.factors[name]).get("molar_mass")
        if mass is None:
            return Unconvertible(
                text,
                f"{text!r} is a molar amount, and factor '{name}' has no molar_mass",
                f"Add `molar_mass: ... g/mol` (or kDa) to factors.{name}, or write it by mass, "
                "for example '10 ng/mL'.",
            )
        kda = _kda(mass)
        if kda is None:
            return Unconvertible(
                text,
                f"{text!r} is a molar amount, and the molar_mass of '{name}' cannot be read",
                f"Mend factors.{name}.molar_mass first, for example '258 g/mol' or '22.7 kDa'.",
            )
        return f"{molar * kda * _G_MOL * _NG_ML_PER_G_L:.12g} ng/mL"


def molar_text(ng_ml: float, molar_mass_kda: float) -> str:
    """A concentration in the molar unit that a person would write it in.

    >>> molar_text(3925.0, 0.3925), molar_text(10.0, 22.7)
    ('10 µM', '0.4405 nM')
    """
    molar = ng_ml / (molar_mass_kda * _G_MOL * _NG_ML_PER_G_L)
    for unit, size in (("M", 1.0), ("mM", 1e-3), ("µM", 1e-6)):
        if molar >= size:
            return f"{molar / size:.4g} {unit}"
    return f"{molar / 1e-9:.4g} nM"


def _unknown(name: str, text: str, known: list[str]) -> Unconvertible:
    return Unconvertible(text, f"there is no factor '{name}'", did_you_mean(name, known))


def _kda(text: object) -> float | None:
    match = _AMOUNT.fullmatch(str(kilodaltons(text)))
    sizes = {"kDa": 1.0, "Da": 1e-3}
    if match is None or match[2] not in sizes or not float(match[1]) > 0:
        return None
    return float(match[1]) * sizes[match[2]]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


_BY_NAME = ("targets", "contents", "parts")
"""Keys under which amounts stand by the name of what they are of."""


def _walk(value: Any, known: _Known, under: str) -> Any:  # noqa: ANN401 - whatever stands in a file
    if isinstance(value, Mapping):
        if under in _BY_NAME:
            return {name: _amount(name, amount, known) for name, amount in value.items()}
        walked = {key: _walk(part, known, str(key)) for key, part in value.items()}
        if "reach" in value and isinstance(value.get("factor"), str):
            walked["reach"] = known.turned(value["factor"], value["reach"])
        return walked
    if isinstance(value, list | tuple):
        return [_walk(part, known, "") for part in value]
    return value


def _amount(name: object, amount: Any, known: _Known) -> Any:  # noqa: ANN401
    if isinstance(amount, list | tuple):
        return [
            {**step, "concentration": known.turned(str(name), step["concentration"])}
            if isinstance(step, Mapping) and "concentration" in step
            else step
            for step in amount
        ]
    return known.turned(str(name), amount)


def _strengths(value: Any, mixtures: frozenset[str]) -> Any:  # noqa: ANN401 - JSON values
    if isinstance(value, dict):
        return {
            key: {name: _strength_text(name, part, mixtures) for name, part in part.items()}
            if key == "targets" and isinstance(part, dict)
            else _reach_text(value, key, part, mixtures)
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [_strengths(part, mixtures) for part in value]
    return value


def _reach_text(inside: dict[str, Any], key: str, part: Any, mixtures: frozenset[str]) -> Any:  # noqa: ANN401
    if key == "reach" and inside.get("factor") in mixtures:
        return _as_times(part)
    return _strengths(part, mixtures)


def _strength_text(name: str, part: Any, mixtures: frozenset[str]) -> Any:  # noqa: ANN401
    if name not in mixtures:
        return part
    if isinstance(part, list):
        return [{**step, "concentration": _as_times(step["concentration"])} for step in part]
    return _as_times(part)


def _as_times(text: Any) -> Any:  # noqa: ANN401
    match = _NG_ML.fullmatch(text) if isinstance(text, str) else None
    return text if match is None else f"{match[1]} x"


Strength = Annotated[float, _Strength()]
"""A multiple of what a mixture says; 1 is ``1 x`` and ``100 %``."""
