"""Quantities with units at the boundary, plain floats with units in their names inside.

A protocol or rig file writes ``10 ng/mL`` or ``30 min``; the model's field is declared as
``Annotated[float, Unit("ng/mL")]`` and holds the plain number. A bare number is refused:
forgetting a unit is the oldest way to give a thousandfold dose.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    import pint


@cache
def _registry() -> pint.UnitRegistry[Any]:
    # pint takes a quarter of a second to import and build: only files with units pay for it
    import pint

    registry: pint.UnitRegistry[Any] = pint.UnitRegistry()
    registry.default_format = "~P"
    return registry


def parse_quantity(text: object, unit: str) -> float:
    """The magnitude of ``text`` in ``unit``.

    >>> parse_quantity("0.5 h", "s")
    1800.0
    >>> parse_quantity("1 ug/mL", "ng/mL")
    1000.0

    Raises:
        PydanticCustomError: no unit, an unknown unit, or one of another dimension. The
            message says what was found and gives an example.
    """
    import pint

    example = f"for example '10 {unit}'"
    if isinstance(text, bool) or not isinstance(text, str):
        raise PydanticCustomError(
            "unit_missing",
            "{value} has no unit: write it with one, {example}",
            {"value": repr(text), "example": example},
        )
    try:
        quantity = _registry().Quantity(text.replace("µ", "u").replace("μ", "u"))
        if quantity.unitless and unit not in ("", "dimensionless"):
            raise PydanticCustomError(
                "unit_missing",
                "'{value}' has no unit: write it with one, {example}",
                {"value": text, "example": example},
            )
        return float(quantity.to(unit).magnitude)
    except pint.DimensionalityError as error:
        raise PydanticCustomError(
            "unit_wrong",
            "'{value}' is {found}, but {wanted} is needed, {example}",
            {
                "value": text,
                "found": str(error.dim1).strip() or "dimensionless",
                "wanted": str(error.dim2).strip() or "dimensionless",
                "example": example,
            },
        ) from None
    except (pint.UndefinedUnitError, pint.errors.DefinitionSyntaxError, ValueError, TypeError):
        raise PydanticCustomError(
            "unit_unknown",
            "'{value}' is not a number with a unit, {example}",
            {"value": text, "example": example},
        ) from None


def unit(name: str) -> Any:  # noqa: ANN401 - a type form, which Python cannot yet annotate
    """The type of a field that is written with a unit and held as a float in ``name``."""
    return Annotated[
        float,
        BeforeValidator(lambda value: parse_quantity(value, name)),
        PlainSerializer(lambda value: f"{value:.12g} {name}", return_type=str),
        WithJsonSchema(
            {
                "type": "string",
                "description": f"a number with a unit, e.g. '10 {name}'",
                "pattern": r"^\s*[-+]?[0-9.]",
            }
        ),
    ]
