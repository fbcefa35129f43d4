"""What people slip on when they write numbers, units, times and names, and what they meant.

Nothing is corrected silently: a slip is refused, and what was probably meant is offered.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

# as a person would write them; in other letters they mean something else or nothing
_UNITS = (
    "mL/h", "mL/min", "uL/h", "uL/min", "L/h", "mL", "uL", "L", "ng/mL", "ug/mL", "mg/mL", "pg/mL",
    "g/mL", "ug/L", "mg/L", "g/L", "h", "min", "s", "ms", "us", "V", "mV", "Hz", "mm", "cm", "um",
    "nm", "cm**2", "mm**2", "kDa", "Da", "ohm", "percent",
)  # fmt: skip
_BY_LETTERS = {unit.casefold(): unit for unit in _UNITS}
_TIMES = {"s", "ms", "h"}

_NO_FLOW = {"off", "none", "no", "zero", "stop", "stopped"}
_OTHER_WORDS: dict[str, tuple[str, ...]] = {
    "start": ("from", "at"), "begin": ("from", "at"), "starts": ("from", "at"),
    "from": ("at",), "at": ("from",), "when": ("at", "from"), "time": ("at", "from"),
    "times": ("at",), "end": ("until", "for"), "to": ("until",), "duration": ("for", "takes"),
    "length": ("for", "duration"), "lasts": ("for",), "every": ("at",), "period": ("every",),
    "repeat": ("every",), "interval": ("every",), "dose": ("targets", "reach"),
    "factors": ("targets",), "concentration": ("targets", "reach"),
    "stimulation": ("pattern",), "stimulus": ("pattern",), "impulses": ("pattern",),
    "pulses": ("pattern",), "name": ("label",), "gender": ("sex",), "voltage": ("amplitude",),
    "current": ("amplitude",),
    "volts": ("amplitude",), "intensity": ("irradiance",), "power": ("irradiance",),
    "rate": ("frequency", "flow"), "type": ("kind", "do"), "action": ("do",), "who": ("sign",),
    "signed": ("sign",), "deadline": ("within",), "dye": ("with",), "stain": ("with",),
    "into": ("to",), "instrument": ("valve",),
}  # fmt: skip
"""What people call a key, and the keys that it may be, the likeliest first."""

_COMMA = re.compile(r"([-+]?[0-9]+),([0-9]+)(\s*[^0-9,]*)")
_CLOCK = re.compile(r"([0-9]{1,3}):([0-5][0-9])(?::([0-5][0-9]))?\s*h?")
_HOURS_MINUTES = re.compile(r"([0-9]{1,3})\s*h\s*([0-5]?[0-9])\s*(?:m|min)?")
_DASHES = re.compile("[\u2010-\u2015\u2212]")


@dataclass(frozen=True, slots=True)
class Slip:
    """What is wrong, to follow the value in a sentence, and how to mend it."""

    what: str
    remedy: str


def slip_of(text: str, unit: str) -> Slip | None:
    """The slip in a quantity that is wanted in ``unit``; None where none is known.

    >>> slip_of("1,0 mL/h", "mL/h").remedy
    "Write '1.0 mL/h', with a point."
    >>> slip_of("13:30", "s").remedy
    "Write '13.5 h'."
    """
    text = text.strip()
    if (comma := _COMMA.fullmatch(text)) is not None:
        whole, part, rest = comma.groups()
        return Slip("has a decimal comma", f"Write '{whole}.{part}{rest}', with a point.")
    if _DASHES.search(text):
        straight = _DASHES.sub("-", text)
        return Slip("has a long dash in it", f"Write '{straight}' if a minus is meant.")
    if unit == "mL/h" and text.casefold() in _NO_FLOW:
        return Slip("is not a number with a unit", "Write '0 mL/h' where nothing is to flow.")
    if unit in _TIMES and (meant := _hours(text)) is not None:
        return Slip("is hours and minutes, and one number is wanted", f"Write '{meant}'.")
    return None


def _hours(text: str) -> str | None:
    for form in (_CLOCK, _HOURS_MINUTES):
        found = form.fullmatch(text)
        if found is not None:
            hours, minutes, *seconds = (int(part or 0) for part in found.groups())
            return f"{hours + minutes / 60 + sum(seconds) / 3600:.6g} h"
    return None


def other_word(key: str, known: Collection[str]) -> str:
    """``from`` for ``start``, where it is among the known keys; "" where nothing is known."""
    return next((word for word in _OTHER_WORDS.get(key.casefold(), ()) if word in known), "")


def usual_letters(unit: str) -> str | None:
    """``mL/h`` for ``ml/H`` and ``ML/h``; None where the letters are usual or the unit is not."""
    usual = _BY_LETTERS.get(unit.casefold())
    return None if usual is None or unit in (usual, usual.replace("L", "l")) else usual


def meant_name(text: str) -> str:
    """``my-night`` for ``my night!``: what a name may hold, in the order in which it stands."""
    return re.sub(r"[^A-Za-z0-9_.+-]+", "-", text.strip()).strip("-._+")[:60]


_THOUSANDS = re.compile(r"[-+]?[0-9]{1,3}(?:[ ,.'_\u2009\u202f\u00a0’][0-9]{3})+")
_NUMBER_AND_UNIT = re.compile(r"([-+]?[0-9]+(?:\.[0-9]+)?)\s*(%|/?[A-Za-zµμ°Ω][\w%°Ω²³/*^.-]*)")


def slip_of_number(text: str, whole: bool, means: str = "") -> Slip | None:
    """The slip in a plain number; None where none is known.

    Args:
        text: as it was written.
        whole: a whole number is wanted: then groups of three digits are thousands.
        means: what the key is, where its name does not say what it is measured in.

    >>> slip_of_number("20,000", whole=True).remedy
    'Write 20000, without anything between the digits.'
    >>> slip_of_number("0,85", whole=False).remedy
    'Write 0.85, with a point.'
    >>> slip_of_number("5 %", whole=False).remedy
    'Write 0.05 if a fraction is meant, 5 where the name of the key or quantity says per cent.'
    """
    text = text.strip()
    if whole and _THOUSANDS.fullmatch(text):
        digits = re.sub(r"[^0-9+-]", "", text)
        return Slip("is grouped in thousands", f"Write {digits}, without anything between the "
                    "digits.")  # fmt: skip
    found = re.fullmatch(r"([-+]?[0-9]+),([0-9]+)", text)
    if found is not None:
        return Slip("has a decimal comma", f"Write {found[1]}.{found[2]}, with a point.")
    if (day := re.fullmatch(r"[A-Za-z]{1,3}[ .]?([0-9]+)", text)) is not None:
        return Slip("begins with letters, and a plain number is wanted", f"Write {day[1]}.")
    found = _NUMBER_AND_UNIT.fullmatch(text)
    if found is None:
        return None
    if found[2] == "%" and "per cent" in means:
        return Slip("has a per cent sign, and a plain number is wanted", f"Write {found[1]}.")
    if found[2] == "%":
        fraction = f"{float(found[1]) / 100:.6g}"
        return Slip(
            "has a per cent sign, and a plain number is wanted",
            f"Write {fraction} if a fraction is meant, {found[1]} where the name of the key or "
            "quantity says per cent.",
        )
    return Slip(
        "has a unit or letters, and a plain number is wanted",
        f"Write {found[1]}: {means or 'what it is measured in stands in the name of the key'}.",
    )
