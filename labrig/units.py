"""Quantities with units at the boundary, plain floats with units in their names inside.

A protocol or rig file writes ``10 ng/mL`` or ``30 min``; the model's field is declared as
``Annotated[float, Unit("ng/mL")]`` and holds the plain number. A bare number is refused:
forgetting a unit is the oldest way to give a thousandfold dose.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from labrig.slips import slip_of, usual_letters

if TYPE_CHECKING:
    import pint

# One number, then one unit: pint alone would also compute "2**9 h" or read "1 h 30 min" as 30 h.
_QUANTITY = re.compile(
    r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([A-Za-z%°µμΩ][\w%°Ω²³/*^. -]*)?"
)

# pint would compute what it is given: "m**9**9**9" for ever. Names, one-digit powers, / and *.
_FACTOR = r"[A-Za-z%°_]+[0-9]?(?:(?:\*\*|\^)-?[0-9])?"
_UNIT = re.compile(rf"{_FACTOR}(?:(?: ?[/*.] ?| ){_FACTOR})*")
_LONGEST_UNIT = 40

# What a quantity in each unit of the models measures.
_MEASURES = {
    "mL/h": "a volume per time",
    "uL/h": "a volume per time",
    "ng/mL": "a mass per volume",
    "mL": "a volume",
    "uL": "a volume",
    "s": "a time",
    "ms": "a time",
    "h": "a time",
    "V": "a voltage",
    "mA": "a current",
    "Hz": "a rate",
    "percent": "a percentage",
    "mm": "a length",
    "degC": "a temperature",
    "cm": "a length",
    "um": "a length",
    "cm**2": "an area",
    "mm**2": "an area",
    "nm": "a wavelength",
    "mW/mm**2": "a power of light per area",
    "kDa": "a mass of one molecule",
    "mM": "an amount of substance per volume",
    "ohm": "a resistance",
    "deg": "an angle",
}

# Where ten of it would be a bad hint: it may be copied.
_EXAMPLES = {"mL/h": "'1.0 mL/h'", "uL/h": "'20 uL/h'", "degC": "'37 degC'"}

# How people write a unit, where it differs from pint's own spelling.
_SPELLINGS = {"%": "percent", "°C": "degC", "Ω": "ohm", "µ": "u", "μ": "u", "²": "**2", "³": "**3"}

# What one of a unit is in the wanted one, for those that files are full of. Pint, which knows all
# the others, takes longer to load than most files take to read.
_USUAL = {
    ("min", "s"): 60.0,
    ("h", "s"): 3600.0,
    ("d", "s"): 86400.0,
    ("min", "h"): 1 / 60,
    ("d", "h"): 24.0,
    ("L", "mL"): 1000.0,
    ("ug/mL", "ng/mL"): 1000.0,
    ("mg/mL", "ng/mL"): 1e6,
    ("cm", "mm"): 10.0,
}


class Unconvertible(str):
    """A quantity that the file around it makes impossible; says why, where it is parsed."""

    __slots__ = ("remedy", "what")

    def __new__(cls, text: str, what: str, remedy: str) -> Self:
        """The text as it was written, and what is to be said of it."""
        made = super().__new__(cls, text)
        made.what, made.remedy = what, remedy
        return made

    what: str
    remedy: str


@cache
def _registry() -> pint.UnitRegistry[Any]:
    # pint takes a quarter of a second to import and build: only files with units pay for it
    import pint

    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True)


def parse_quantity(text: object, unit: str) -> float:
    """The magnitude of ``text`` in ``unit``.

    >>> parse_quantity("0.5 h", "s")
    1800.0
    >>> parse_quantity("1 µg/mL", "ng/mL")
    1000.0

    Raises:
        PydanticCustomError: no unit, an unknown unit, or one of another dimension. The
            message says what was found; its context has an ``example`` of what is wanted.
    """
    example = _EXAMPLES.get(unit, f"'10 {unit}'")
    if isinstance(text, Unconvertible):
        raise _error("unit_unknown", "{value}", text.what, example, text.remedy, quoted=False)
    if isinstance(text, Mapping):
        what = f"one value stands here, and {', '.join(map(str, text)) or 'nothing'} was given"
        remedy = _belongs(text) or f"Write one value, such as {example}."
        raise _error("unit_unknown", "{value}", what, example, remedy, quoted=False)
    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        raise _error("unit_unknown", "{value} is not a number with a unit", text, example)
    if (slip := slip_of(str(text), unit)) is not None:
        raise _error("unit_unknown", f"{{value}} {slip.what}", text, example, slip.remedy)
    match = _QUANTITY.fullmatch(str(text))
    if match is None:
        raise _error("unit_unknown", "{value} is not a number with a unit", text, example)
    number, written = match.groups()
    if written is None:
        raise _error("unit_missing", "{value} has no unit", text, _with_units(number, unit))
    spelled = written
    for usual, pints in _SPELLINGS.items():
        spelled = spelled.replace(usual, pints)
    if (factor := _usual_factor(spelled.strip(), unit)) is not None:
        return _rounded(float(number) * factor, text, example)
    letters = usual_letters(written)
    if (
        letters is not None
        and _size(letters, unit)
        and _size(letters, unit) != _size(spelled, unit)
    ):
        what, remedy = "has its unit in other letters", f"Write '{number} {letters}'."
        raise _error("unit_unknown", f"{{value}} {what}", text, example, remedy)
    if len(spelled) > _LONGEST_UNIT or _UNIT.fullmatch(spelled.strip()) is None:
        raise _unknown_unit(number, spelled, unit, text, example)
    import pint

    try:
        value = _registry().Quantity(float(number), spelled).to(unit).magnitude
    except pint.DimensionalityError as error:
        hint = " (molar: multiply by the molar mass)" if "substance" in str(error.dim1) else ""
        if unit == "V" and _size(spelled, "mA") is not None:
            hint = " (a current has a key of its own: `current`, in place of `amplitude`)"
        wanted = _MEASURES.get(unit, "something else")
        message = f"{{value}} cannot be turned into {unit}: {wanted} is wanted{hint}"
        raise _error("unit_wrong", message, text, example) from None
    except (pint.PintError, ValueError, TypeError, AttributeError, SyntaxError):
        # pint reports a unit that it cannot read in any of these ways
        raise _unknown_unit(number, spelled, unit, text, example) from None
    return _rounded(float(value), text, example)


def _with_units(number: str, unit: str) -> str:
    """The same number with the units that may be meant."""
    if unit in ("s", "h"):
        return f"'{number} s', '{number} min' or '{number} h'"
    if unit == "percent" and 0.0 < abs(float(number)) < 1.0:
        return f"'{100.0 * float(number):g} percent'"
    return f"'{number} {unit}'"


def _unknown_unit(
    number: str, spelled: str, unit: str, text: object, example: str
) -> PydanticCustomError:
    powers = re.sub(r"(?<=[A-Za-z])\^?([23])(?![0-9])", r"**\1", spelled.strip())
    known = powers != spelled.strip() and len(powers) <= _LONGEST_UNIT and _size(powers, unit)
    remedy = f"Write '{number} {powers}'." if known else ""
    return _error("unit_unknown", "the unit of {value} is not known", text, example, remedy)


def _usual_factor(spelled: str, unit: str) -> float | None:
    """What one ``spelled`` is in ``unit``, where that is known without pint."""
    return 1.0 if spelled == unit and unit in _MEASURES else _USUAL.get((spelled, unit))


def _rounded(magnitude: float, text: object, example: str) -> float:
    if not math.isfinite(magnitude):
        raise _error("unit_unknown", "{value} is not a finite number", text, example)
    # 12 digits: the same number whichever unit it was written in, without binary dust
    return float(f"{magnitude:.12g}")


def _size(written: str, unit: str) -> float | None:
    """What one ``written`` is in ``unit``; None where it measures something else or is none."""
    import pint

    try:
        return float(_registry().Quantity(1.0, written).to(unit).magnitude)
    except (pint.PintError, ValueError, TypeError, AttributeError, SyntaxError):
        return None


def _belongs(keys: Mapping[Any, Any]) -> str:
    """Where keys that people put under one value belong."""
    if {"on", "every"} & keys.keys():
        return (
            "A flow in spells is an entry of `program:`, "
            "`program: [{from: 0 h, flow: {rate: 4 mL/h, on: 15 min, every: 1 h}}]`."
        )
    if "of_capture" in keys:
        return "Write `of_capture: 85 %` beside it, in place of `amplitude`."
    return ""


def _error(
    kind: str,
    message: str,
    value: object,
    example: str,
    remedy: str = "",
    *,
    quoted: bool = True,
) -> PydanticCustomError:
    # braces in what the user wrote must not be taken for placeholders
    context: dict[str, Any] = {"value": repr(value) if quoted else value, "example": example}
    if remedy:
        context["remedy"] = remedy
    return PydanticCustomError(kind, message, context)


@dataclass(frozen=True, slots=True)
class Unit:
    """Marks a float field as written with a unit and held as a plain number in ``name``."""

    name: str

    def __get_pydantic_core_schema__(
        self,
        source: Any,  # noqa: ANN401 - pydantic's signature
        handler: GetCoreSchemaHandler,
    ) -> CoreSchema:
        """Parse text with a unit, write it back with one."""
        return core_schema.no_info_before_validator_function(
            lambda value: parse_quantity(value, self.name),
            handler(source),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: f"{value:.12g} {self.name}",
                return_schema=core_schema.str_schema(),
            ),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """A string, for editors."""
        return {
            "type": "string",
            "description": f"a number with a unit, e.g. '10 {self.name}'",
            "pattern": r"^\s*[-+]?[0-9.]+([eE][-+]?[0-9]+)?\s*[A-Za-z%°µμΩ]",
        }
